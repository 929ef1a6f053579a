//! A checkpoint under way.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::{GlobalSnapshot, RequestId};
use crate::checkpoint::options::Barrier;
use crate::job::TaskId;

/// A checkpoint from its trigger to the last word on it (Flink: `PendingCheckpoint`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pending<H> {
    pub(super) barrier: Barrier,
    pub(super) request: Option<RequestId>,
    pub(super) deadline_ms: u64,
    /// The tasks that have not acknowledged.
    pub(super) waiting: BTreeSet<TaskId>,
    pub(super) states: BTreeMap<TaskId, H>,
    finished: BTreeSet<TaskId>,
}

impl<H: Clone> Pending<H> {
    pub(super) fn new(
        barrier: Barrier,
        request: Option<RequestId>,
        deadline_ms: u64,
        acknowledge: BTreeSet<TaskId>,
        finished: BTreeSet<TaskId>,
    ) -> Self {
        Self { barrier, request, deadline_ms, waiting: acknowledge, states: BTreeMap::new(), finished }
    }

    pub(super) fn id(&self) -> u64 {
        self.barrier.checkpoint
    }

    pub(super) fn is_savepoint(&self) -> bool {
        self.barrier.options.kind.is_savepoint()
    }

    /// Whether all tasks have acknowledged, so that the metadata is being written.
    pub(super) fn is_acknowledged(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The tasks that take part.
    pub(super) fn tasks(&self) -> Vec<TaskId> {
        let tasks: BTreeSet<TaskId> = self.waiting.iter().chain(self.states.keys()).copied().collect();
        tasks.into_iter().collect()
    }

    pub(super) fn snapshot(&self) -> GlobalSnapshot<H> {
        GlobalSnapshot {
            checkpoint: self.id(),
            timestamp_ms: self.barrier.timestamp_ms,
            kind: self.barrier.options.kind.clone(),
            states: self.states.clone(),
            finished: self.finished.clone(),
        }
    }
}

/// What is known of checkpoints that were given up, so that whatever is still stored for them is deleted, once.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct GivenUp<H> {
    /// The tasks that may still acknowledge, by checkpoint.
    waiting: BTreeMap<u64, BTreeSet<TaskId>>,
    /// What was stored for those whose metadata is being written.
    writing: BTreeMap<u64, Vec<H>>,
}

/// Of more checkpoints that were given up, late acknowledgements of the oldest are not recognised any more.
const MOST_GIVEN_UP: usize = 1_000;

impl<H> GivenUp<H> {
    pub(super) fn new() -> Self {
        Self { waiting: BTreeMap::new(), writing: BTreeMap::new() }
    }

    /// Gives back what can be deleted at once: nothing while the metadata is being written.
    pub(super) fn add(&mut self, pending: Pending<H>, writing: bool) -> Option<Vec<H>> {
        let id = pending.barrier.checkpoint;
        if !pending.waiting.is_empty() {
            self.waiting.insert(id, pending.waiting);
            if self.waiting.len() > MOST_GIVEN_UP {
                self.waiting.pop_first();
            }
        }
        let states = pending.states.into_values().collect();
        if writing {
            self.writing.insert(id, states);
            return None;
        }
        Some(states)
    }

    /// A task has acknowledged or declined a checkpoint; whether it is the late word of one given up. An
    /// acknowledgement that comes twice is none: its state was taken.
    pub(super) fn late(&mut self, task: TaskId, checkpoint: u64) -> bool {
        let Some(waiting) = self.waiting.get_mut(&checkpoint) else { return false };
        let late = waiting.remove(&task);
        if waiting.is_empty() {
            self.waiting.remove(&checkpoint);
        }
        late
    }

    /// The metadata of a checkpoint is written, or not: what can be deleted now.
    pub(super) fn written(&mut self, checkpoint: u64) -> Option<Vec<H>> {
        self.writing.remove(&checkpoint)
    }
}
