//! Records that were in flight when a checkpoint was taken, and which subtasks take them over.

use flott_core::key_group::KeyGroupRange;
use flott_state::format::SubtaskState;
use flott_state::storage::StorageError;

use super::stored::RestorePoint;
use crate::exchange::{Partitioning, RestoredExchange, Share};
use crate::graph::{StreamEdge, StreamGraph};

/// How an exchange is called among the operators of a snapshot.
pub(super) fn exchange_name(graph: &StreamGraph, edge: &StreamEdge) -> String {
    let (from, to) = (&graph.node(edge.from).name, &graph.node(edge.to).name);
    format!("records in flight from '{from}' to '{to}'")
}

/// What a subtask takes over of what was in flight on an edge; `None` if nothing was.
///
/// At the same parallelism each subtask takes over its own. At another one, records go by the rule of the exchange, as in Flink: those
/// with keys to who owns the key group now, those of a custom partitioner to whom the function names, all others together with
/// those of the same earlier receiver.
pub(super) fn in_flight(
    point: &RestorePoint,
    graph: &StreamGraph,
    edge: &StreamEdge,
    subtask: u32,
    parallelism: u32,
) -> Result<Option<RestoredExchange>, StorageError> {
    let id = graph.exchange_id(edge).0;
    let Some((stored, _)) = point.metadata.operator(id) else { return Ok(None) };
    let (earlier, groups) = (stored.parallelism(), stored.max_parallelism);
    let own = KeyGroupRange::of_subtask(subtask, parallelism, groups);
    let (takes, share): (&dyn Fn(u32) -> bool, _) = match graph.partitioning_of(edge) {
        _ if earlier == parallelism => (&|receiver| receiver == subtask, Share::All),
        Partitioning::Hash => {
            let share = Share::KeyGroups { own, max_parallelism: groups };
            (&|receiver| overlap(KeyGroupRange::of_subtask(receiver, earlier, groups), own), share)
        }
        Partitioning::Custom => (&|_| true, Share::Target { subtask, parallelism }),
        _ => (&|receiver| receiver % parallelism == subtask, Share::All),
    };
    let mut receivers = Vec::new();
    for (receiver, state) in (0..).zip(&stored.subtasks) {
        if let SubtaskState::Stored(handle) = state
            && takes(receiver)
        {
            receivers.push(point.source.operator(handle, id, own)?.operator);
        }
    }
    let senders = point.metadata.operator(graph.operator_id(edge.from).0);
    let senders = senders.map_or(0, |(task, _)| task.parallelism());
    Ok(Some(RestoredExchange { receivers, senders, share }))
}

fn overlap(a: KeyGroupRange, b: KeyGroupRange) -> bool {
    a.start < b.end && b.start < a.end
}
