//! Flink's conditions for chaining, each broken alone.

use super::*;

/// Chained means: one vertex and no exchange.
fn is_chained(graph: &StreamGraph) -> bool {
    let job = JobGraph::of(graph).unwrap();
    assert_eq!(job.vertices.len() == 1, job.edges.is_empty());
    job.edges.is_empty()
}

#[test]
fn a_forward_edge_between_equals_is_chained() {
    assert!(is_chained(&pair()));
}

#[test]
fn nothing_is_chained_when_chaining_is_off() {
    let mut graph = pair();
    graph.defaults.chaining = false;
    assert!(!is_chained(&graph));
}

#[test]
fn only_forward_is_chained() {
    use Partitioning::*;
    for partitioning in [Forward, Rebalance, Shuffle, Rescale, Broadcast, Global, Hash, Custom] {
        let mut graph = pair();
        graph.edges[0].partitioning = Some(partitioning);
        assert_eq!(is_chained(&graph), partitioning == Forward, "{partitioning}");
    }
}

#[test]
fn different_parallelism_is_not_chained() {
    let mut graph = pair();
    graph.nodes[1].parallelism = Some(3);
    assert!(!is_chained(&graph));
}

#[test]
fn different_max_parallelism_is_chained() {
    let mut graph = pair();
    graph.nodes[1].max_parallelism = Some(64);
    assert!(is_chained(&graph));
}

#[test]
fn different_slot_sharing_groups_are_not_chained() {
    let mut graph = pair();
    graph.nodes[1].slot_sharing_group = Some("other".to_owned());
    assert!(!is_chained(&graph));
}

#[test]
fn strategies_allow_chaining_as_the_matrix_says() {
    use ChainingStrategy::{Always, Head, Never};
    let expected = |from, to| to == Always && from != Never;
    for from in [Always, Head, Never] {
        for to in [Always, Head, Never] {
            let mut graph = pair();
            (graph.nodes[0].chaining, graph.nodes[1].chaining) = (from, to);
            assert_eq!(is_chained(&graph), expected(from, to), "{from:?} to {to:?}");
        }
    }
}

#[test]
fn an_operator_with_two_inputs_is_chained_to_neither() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    let b = add(&mut graph, NodeKind::Source, "b", &[]);
    add(&mut graph, NodeKind::Operator, "union", &[a, b]);
    assert_eq!(names(&graph), ["Source: a", "Source: b", "union"]);
    assert_eq!(JobGraph::of(&graph).unwrap().edges.len(), 2);
}

#[test]
fn a_union_of_a_stream_with_itself_is_not_chained() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    add(&mut graph, NodeKind::Operator, "twice", &[a, a]);
    assert_eq!(names(&graph), ["Source: a", "twice"]);
    assert_eq!(JobGraph::of(&graph).unwrap().edges.len(), 2, "each record arrives twice");
}

#[test]
fn a_vertex_is_named_after_its_operators() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    let b = add(&mut graph, NodeKind::Operator, "b", &[a]);
    let c = add(&mut graph, NodeKind::Operator, "c", &[b]);
    add(&mut graph, NodeKind::Sink, "d", &[b]);
    assert_eq!(names(&graph), ["Source: a -> b -> (c, Sink: d)"]);
    graph.nodes[c.0 as usize].chaining = ChainingStrategy::Head;
    assert_eq!(names(&graph), ["Source: a -> b -> Sink: d", "c"]);
}

#[test]
fn an_exchange_names_its_vertices_and_its_partitioning() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    let b = add(&mut graph, NodeKind::Operator, "b", &[a]);
    add(&mut graph, NodeKind::Sink, "c", &[b]);
    graph.edges[1].partitioning = Some(Partitioning::Hash);
    let job = JobGraph::of(&graph).unwrap();
    let [edge] = job.edges.as_slice() else { panic!("one exchange, not {:?}", job.edges) };
    assert_eq!((edge.edge, edge.from, edge.to, edge.partitioning), (1, 0, 1, Partitioning::Hash));
    assert_eq!(job.vertices[0].nodes, [NodeId(0), NodeId(1)]);
    assert_eq!(job.vertices[1].head, NodeId(2));
}
