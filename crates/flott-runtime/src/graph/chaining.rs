//! Which operators run in one task: Flink's conditions, exactly.

use serde::{Deserialize, Serialize};

use super::{StreamEdge, StreamGraph};
use crate::exchange::Partitioning;

/// Whether an operator may be chained to its neighbours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChainingStrategy {
    /// To its predecessor and its successors.
    #[default]
    Always,
    /// To its successors only: it starts a chain.
    Head,
    /// To nothing.
    Never,
}

/// Which edges of a graph are chained, by id.
pub(super) fn chained_edges(graph: &StreamGraph) -> Vec<bool> {
    let groups = graph.slot_sharing_groups();
    graph.edges.iter().map(|edge| is_chained(graph, &groups, edge)).collect()
}

/// Whether the receiving operator of an edge runs in the same task as the sending one.
///
/// It does if chaining is on, the receiver has no other input, both are in one slot sharing group, records are
/// forwarded, parallelism is equal, and neither operator's strategy forbids it.
fn is_chained(graph: &StreamGraph, groups: &[&str], edge: &StreamEdge) -> bool {
    let (from, to) = (graph.node(edge.from), graph.node(edge.to));
    graph.defaults.chaining
        && graph.inputs(edge.to).count() == 1
        && groups[edge.from.0 as usize] == groups[edge.to.0 as usize]
        && graph.partitioning_of(edge) == Partitioning::Forward
        && graph.parallelism_of(from) == graph.parallelism_of(to)
        && from.chaining != ChainingStrategy::Never
        && to.chaining == ChainingStrategy::Always
}
