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

/// Whether the receiving operator of an edge runs in the same task as the sending one.
///
/// It does if chaining is on, the receiver has no other input, both are in one slot sharing group, records are
/// forwarded, parallelism is equal, and neither operator's strategy forbids it.
pub(super) fn is_chained(graph: &StreamGraph, edge: &StreamEdge) -> bool {
    let (from, to) = (graph.node(edge.from), graph.node(edge.to));
    graph.defaults.chaining
        && graph.inputs(edge.to).count() == 1
        && graph.slot_sharing_group_of(edge.from) == graph.slot_sharing_group_of(edge.to)
        && graph.partitioning_of(edge) == Partitioning::Forward
        && graph.parallelism_of(from) == graph.parallelism_of(to)
        && from.chaining != ChainingStrategy::Never
        && to.chaining == ChainingStrategy::Always
}
