//! What is refused, told in full.

use super::*;

fn refusal(graph: &StreamGraph) -> String {
    JobGraph::of(graph).unwrap_err().to_string()
}

#[test]
fn an_empty_program() {
    assert_eq!(
        refusal(&graph()),
        "the program defines no operators: add a source and a sink before execute()"
    );
}

#[test]
fn parallelism_zero() {
    let mut graph = pair();
    graph.nodes[1].parallelism = Some(0);
    assert_eq!(refusal(&graph), "operator 'b' has parallelism 0: it must be at least 1");
}

#[test]
fn more_subtasks_than_key_groups() {
    let mut graph = pair();
    (graph.nodes[1].parallelism, graph.nodes[1].max_parallelism) = (Some(9), Some(8));
    assert_eq!(
        refusal(&graph),
        "operator 'b' has parallelism 9, above its max parallelism 8: lower the one or raise the other \
         (at most 32768)"
    );
}

#[test]
fn max_parallelism_out_of_range() {
    for max_parallelism in [0, 32_769] {
        let mut graph = pair();
        graph.nodes[0].max_parallelism = Some(max_parallelism);
        let expected =
            format!("operator 'a' has max parallelism {max_parallelism}: it must be from 1 to 32768");
        assert_eq!(refusal(&graph), expected);
    }
}

#[test]
fn parallelism_for_an_operator_that_has_none() {
    let mut graph = pair();
    graph.nodes[1].non_parallel = true;
    graph.nodes[1].parallelism = Some(4);
    assert_eq!(refusal(&graph), "operator 'b' can't run in parallel, but its parallelism was set to 4");
    graph.nodes[1].parallelism = Some(1);
    assert!(JobGraph::of(&graph).is_ok());
}

#[test]
fn forward_between_different_parallelisms() {
    let mut graph = pair();
    graph.nodes[1].parallelism = Some(3);
    graph.edges[0].partitioning = Some(Partitioning::Forward);
    assert_eq!(
        refusal(&graph),
        "forward from 'a' (parallelism 2) to 'b' (parallelism 3) needs equal parallelism: use rebalance or rescale"
    );
}

#[test]
fn two_operators_of_one_uid() {
    let mut graph = pair();
    graph.nodes[0].uid = Some("counts".to_owned());
    graph.nodes[1].uid = Some("counts".to_owned());
    assert_eq!(
        refusal(&graph),
        "operators 'a' and 'b' have the same uid 'counts': state could not be told apart"
    );
}
