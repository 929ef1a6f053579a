//! The graph as data: what is chained, who is who, and what is refused.

use super::{
    ChainingStrategy, DEFAULT_SLOT_SHARING_GROUP, GraphDefaults, JobGraph, NodeId, NodeKind, OperatorId,
    StreamEdge, StreamGraph, StreamNode,
};
use crate::exchange::Partitioning;

mod chaining;
mod errors;
mod identity;
mod inline;
mod overtaking;

fn graph() -> StreamGraph {
    let defaults =
        GraphDefaults { parallelism: 2, max_parallelism: None, chaining: true, inline_exchanges: false };
    StreamGraph { nodes: Vec::new(), edges: Vec::new(), defaults }
}

fn add(graph: &mut StreamGraph, kind: NodeKind, name: &str, inputs: &[NodeId]) -> NodeId {
    let id = NodeId(graph.nodes.len() as u32);
    graph.nodes.push(StreamNode {
        id,
        kind,
        name: name.to_owned(),
        uid: None,
        parallelism: None,
        non_parallel: false,
        max_parallelism: None,
        chaining: ChainingStrategy::Always,
        slot_sharing_group: None,
    });
    for &from in inputs {
        let edge = graph.edges.len() as u32;
        graph.edges.push(StreamEdge { id: edge, from, to: id, input: 0, tag: None, partitioning: None });
    }
    id
}

/// `Source: a -> b`, as far as nothing forbids it.
fn pair() -> StreamGraph {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    add(&mut graph, NodeKind::Operator, "b", &[a]);
    graph
}

fn names(graph: &StreamGraph) -> Vec<String> {
    JobGraph::of(graph).unwrap().vertices.into_iter().map(|vertex| vertex.name).collect()
}

#[test]
fn an_edge_without_partitioning_is_forward_between_equal_parallelisms_and_rebalance_between_others() {
    let mut graph = pair();
    assert_eq!(graph.partitioning_of(&graph.edges[0]), Partitioning::Forward);
    graph.nodes[1].parallelism = Some(3);
    assert_eq!(graph.partitioning_of(&graph.edges[0]), Partitioning::Rebalance);
    graph.edges[0].partitioning = Some(Partitioning::Hash);
    assert_eq!(graph.partitioning_of(&graph.edges[0]), Partitioning::Hash);
}

#[test]
fn a_non_parallel_operator_has_parallelism_one_whatever_the_default() {
    let mut graph = pair();
    graph.nodes[0].non_parallel = true;
    assert_eq!(graph.parallelism_of(&graph.nodes[0]), 1);
    assert_eq!(graph.parallelism_of(&graph.nodes[1]), 2);
}

#[test]
fn max_parallelism_is_the_operators_then_the_jobs_then_derived_from_the_parallelism() {
    let mut graph = pair();
    assert_eq!(graph.max_parallelism_of(&graph.nodes[0]), 128);
    graph.nodes[0].parallelism = Some(100);
    assert_eq!(graph.max_parallelism_of(&graph.nodes[0]), 256, "one and a half times 100, rounded up");
    graph.defaults.max_parallelism = Some(300);
    assert_eq!(graph.max_parallelism_of(&graph.nodes[0]), 300);
    graph.nodes[0].max_parallelism = Some(400);
    assert_eq!(graph.max_parallelism_of(&graph.nodes[0]), 400);
}

#[test]
fn a_slot_sharing_group_is_inherited_where_the_inputs_agree() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    let b = add(&mut graph, NodeKind::Source, "b", &[]);
    let both = add(&mut graph, NodeKind::Operator, "both", &[a, b]);
    let after = add(&mut graph, NodeKind::Operator, "after", &[both]);
    assert_eq!(graph.slot_sharing_group_of(after), DEFAULT_SLOT_SHARING_GROUP);
    graph.nodes[a.0 as usize].slot_sharing_group = Some("io".to_owned());
    assert_eq!(graph.slot_sharing_group_of(after), DEFAULT_SLOT_SHARING_GROUP, "the inputs disagree");
    graph.nodes[b.0 as usize].slot_sharing_group = Some("io".to_owned());
    assert_eq!(graph.slot_sharing_group_of(after), "io");
    graph.nodes[both.0 as usize].slot_sharing_group = Some("heavy".to_owned());
    assert_eq!(graph.slot_sharing_group_of(both), "heavy");
    assert_eq!(graph.slot_sharing_group_of(after), "heavy");
}

#[test]
fn slots_are_the_largest_parallelism_of_each_group_added_up() {
    let mut graph = graph();
    let a = add(&mut graph, NodeKind::Source, "a", &[]);
    let b = add(&mut graph, NodeKind::Operator, "b", &[a]);
    let c = add(&mut graph, NodeKind::Sink, "c", &[b]);
    graph.nodes[1].parallelism = Some(4);
    graph.nodes[c.0 as usize].parallelism = Some(3);
    graph.nodes[c.0 as usize].slot_sharing_group = Some("io".to_owned());
    let job = JobGraph::of(&graph).unwrap();
    assert_eq!(job.slots_needed(), 4 + 3);
    assert_eq!(job.task_count(), 2 + 4 + 3);
}
