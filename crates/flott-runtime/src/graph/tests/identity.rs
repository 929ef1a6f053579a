//! Operator ids: by uid where there is one, else by place.

use super::*;

/// Two sources and an operator that reads the first of them.
fn two_sources() -> (StreamGraph, [NodeId; 3]) {
    let mut graph = graph();
    let first = add(&mut graph, NodeKind::Source, "first", &[]);
    let second = add(&mut graph, NodeKind::Source, "second", &[]);
    let reader = add(&mut graph, NodeKind::Operator, "reader", &[first]);
    (graph, [first, second, reader])
}

#[test]
fn a_uid_alone_decides_the_id() {
    let (mut graph, [_, other, reader]) = two_sources();
    graph.nodes[reader.0 as usize].uid = Some("counts".to_owned());
    assert_eq!(graph.operator_id(reader), OperatorId::of_uid("counts"));
    graph.edges[0].from = other;
    graph.nodes[reader.0 as usize].name = "renamed".to_owned();
    assert_eq!(graph.operator_id(reader), OperatorId::of_uid("counts"));
}

#[test]
fn the_id_of_a_uid_stays_the_same_for_ever() {
    // Snapshots hold it.
    assert_eq!(OperatorId::of_uid("counts").to_string(), "0b968af6a23ba5e852cf82957260a649");
}

#[test]
fn without_uid_the_id_is_the_same_in_the_same_topology() {
    let (mut one, other) = (pair(), pair());
    one.nodes[1].name = "renamed".to_owned();
    one.nodes[1].parallelism = Some(7);
    assert_eq!(one.operator_id(NodeId(1)), other.operator_id(NodeId(1)));
}

#[test]
fn without_uid_the_id_depends_on_the_topology() {
    let (mut graph, [_, other, reader]) = two_sources();
    let before = graph.operator_id(reader);
    graph.edges[0].from = other;
    assert_ne!(graph.operator_id(reader), before);
}

#[test]
fn operators_of_one_graph_have_different_ids() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "same", &[]);
    let b = add(&mut graph, NodeKind::Operator, "same", &[a]);
    add(&mut graph, NodeKind::Operator, "same", &[a]);
    add(&mut graph, NodeKind::Sink, "same", &[b]);
    let ids: std::collections::BTreeSet<_> =
        graph.nodes.iter().map(|node| graph.operator_id(node.id)).collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_tower_of_diamonds_is_walked_in_no_time() {
    let mut graph = graph();
    let mut top = add(&mut graph, NodeKind::Source, "a", &[]);
    for _ in 0..100 {
        top = add(&mut graph, NodeKind::Operator, "twice", &[top, top]);
    }
    let below = graph.operator_id(NodeId(top.0 - 1));
    assert_ne!(graph.operator_id(top), below);
    assert_eq!(JobGraph::of(&graph).unwrap().vertices.len(), 101);
}

#[test]
fn which_input_a_stream_feeds_is_part_of_an_operators_identity() {
    let of = |inputs: [u32; 3]| {
        let mut graph = graph();
        let sources = ["a", "b", "c"].map(|name| add(&mut graph, NodeKind::Source, name, &[]));
        let both = add(&mut graph, NodeKind::Operator, "both", &sources);
        graph.edges.iter_mut().zip(inputs).for_each(|(edge, input)| edge.input = input);
        graph.operator_id(both)
    };
    assert_eq!(of([0, 0, 1]), of([0, 0, 1]));
    assert_ne!(of([0, 0, 1]), of([0, 1, 1]));
    assert_ne!(of([0, 0, 1]), of([0, 0, 0]));
}
