//! Operator ids: by uid where there is one, else by place.

use super::*;

#[test]
fn a_uid_alone_decides_the_id() {
    let mut graph = pair();
    graph.nodes[1].uid = Some("counts".to_owned());
    let id = graph.operator_id(NodeId(1));
    assert_eq!(id, OperatorId::of_uid("counts"));
    let extra = add(&mut graph, NodeKind::Source, "extra", &[]);
    graph.edges[0].from = extra;
    graph.nodes[1].name = "renamed".to_owned();
    assert_eq!(graph.operator_id(NodeId(1)), id);
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
    let mut graph = pair();
    let before = graph.operator_id(NodeId(1));
    let extra = add(&mut graph, NodeKind::Source, "extra", &[]);
    graph.edges[0].from = extra;
    assert_ne!(graph.operator_id(NodeId(1)), before);
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
