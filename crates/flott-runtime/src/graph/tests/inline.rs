//! Which exchanges are a call inside one task.

use super::*;

/// `Source: a` → hash → `b`, both of parallelism 1.
fn hashed_pair() -> StreamGraph {
    let mut graph = pair();
    graph.defaults.parallelism = 1;
    graph.defaults.inline_exchanges = true;
    graph.edges[0].partitioning = Some(Partitioning::Hash);
    graph
}

fn is_inline(graph: &StreamGraph) -> bool {
    let job = JobGraph::of(graph).unwrap();
    assert_eq!(job.vertices.len(), graph.nodes.len(), "inline or not, the vertices stay");
    job.edges[0].inline
}

#[test]
fn an_exchange_between_single_subtasks_is_inline() {
    let graph = hashed_pair();
    assert!(is_inline(&graph));
    assert_eq!(JobGraph::of(&graph).unwrap().host(1), 0);
}

#[test]
fn it_is_not_where_something_is_parallel_or_kept_apart() {
    let forbid: [fn(&mut StreamGraph); 6] = [
        |graph| graph.defaults.inline_exchanges = false,
        |graph| graph.defaults.chaining = false,
        |graph| graph.nodes[0].parallelism = Some(2),
        |graph| graph.nodes[1].parallelism = Some(2),
        |graph| graph.nodes[1].slot_sharing_group = Some("own".to_owned()),
        |graph| graph.edges[0].partitioning = Some(Partitioning::Custom),
    ];
    for (index, forbid) in forbid.iter().enumerate() {
        let mut graph = hashed_pair();
        forbid(&mut graph);
        assert!(!is_inline(&graph), "condition {index}");
        assert_eq!(JobGraph::of(&graph).unwrap().host(1), 1);
    }
}

#[test]
fn an_operator_with_two_inputs_has_a_task_of_its_own() {
    let mut graph = graph();
    graph.defaults.parallelism = 1;
    graph.defaults.inline_exchanges = true;
    let sources = ["a", "b"].map(|name| add(&mut graph, NodeKind::Source, name, &[]));
    add(&mut graph, NodeKind::Operator, "c", &sources);
    graph.edges.iter_mut().for_each(|edge| edge.partitioning = Some(Partitioning::Hash));
    let job = JobGraph::of(&graph).unwrap();
    assert!(job.edges.iter().all(|edge| !edge.inline));
}

#[test]
fn a_vertex_behind_two_inline_exchanges_is_hosted_by_the_first() {
    let mut graph = hashed_pair();
    add(&mut graph, NodeKind::Operator, "c", &[NodeId(1)]);
    graph.edges[1].partitioning = Some(Partitioning::Hash);
    assert_eq!(JobGraph::of(&graph).unwrap().host(2), 0);
}
