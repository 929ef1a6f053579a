//! The checkpoints of a job: what the coordinator of checkpoints decides, and what is remembered to carry it out.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::coordinator::TaskId;
use super::message::{Answer, Request};
use super::stored::{StoredJob, StoredTask};
use crate::checkpoint::Topology;
use crate::checkpoint::coordinator::{Action, CheckpointCoordinator, Event, RequestFailure, RequestId};
use crate::checkpoint::settings::CheckpointSettings;

/// The coordinator and what belongs to its checkpoints.
pub(super) struct JobCheckpoints {
    coordinator: CheckpointCoordinator<StoredTask>,
    /// The states of the enumerators by vertex, of checkpoints under way.
    enumerators: BTreeMap<u64, BTreeMap<u32, Vec<u8>>>,
    /// Checkpoints whose metadata is being written, or that are kept.
    jobs: BTreeMap<u64, Arc<StoredJob>>,
    answers: BTreeMap<RequestId, Answer>,
    next_request: RequestId,
}

impl JobCheckpoints {
    pub(super) fn new(settings: CheckpointSettings, topology: Topology) -> Self {
        Self {
            coordinator: CheckpointCoordinator::new(settings, topology, 1),
            enumerators: BTreeMap::new(),
            jobs: BTreeMap::new(),
            answers: BTreeMap::new(),
            next_request: 0,
        }
    }

    pub(super) fn handle(&mut self, now_ms: u64, event: Event<StoredTask>) -> Vec<Action<StoredTask>> {
        self.coordinator.handle(now_ms, event)
    }

    pub(super) fn next_wake_up_ms(&self) -> Option<u64> {
        self.coordinator.next_wake_up()
    }

    /// What the job starts from after a failure.
    pub(super) fn latest(&self) -> Option<(u64, Arc<StoredJob>)> {
        let checkpoint = self.coordinator.latest()?.snapshot.checkpoint;
        Some((checkpoint, Arc::clone(self.jobs.get(&checkpoint)?)))
    }

    /// The event for what a user asks, whose answer is left at `answer`.
    pub(super) fn request(&mut self, request: &Request, answer: Answer) -> Event<StoredTask> {
        let id = self.next_request;
        self.next_request += 1;
        self.answers.insert(id, answer);
        match *request {
            Request::Checkpoint => Event::CheckpointRequested { request: id },
            Request::Savepoint { format, stop, .. } => {
                Event::SavepointRequested { request: id, format, stop }
            }
        }
    }

    pub(super) fn answer(&mut self, request: RequestId, result: Result<String, RequestFailure>) {
        if let Some(answer) = self.answers.remove(&request) {
            answer.change(|place| *place = Some(result));
        }
    }

    /// Keeps what the enumerators have said for a checkpoint.
    pub(super) fn begin(&mut self, checkpoint: u64, enumerators: BTreeMap<u32, Vec<u8>>) {
        self.enumerators.insert(checkpoint, enumerators);
    }

    pub(super) fn take_enumerators(&mut self, checkpoint: u64) -> BTreeMap<u32, Vec<u8>> {
        self.enumerators.remove(&checkpoint).unwrap_or_default()
    }

    pub(super) fn keep(&mut self, checkpoint: u64, job: StoredJob) {
        self.jobs.insert(checkpoint, Arc::new(job));
    }

    /// Forgets a checkpoint that is over.
    pub(super) fn forget(&mut self, checkpoint: u64) {
        self.enumerators.remove(&checkpoint);
        self.jobs.remove(&checkpoint);
    }
}

/// What a task has stored, or why it has not, as the coordinator is told.
pub(super) fn stored(task: TaskId, checkpoint: u64, result: Result<StoredTask, String>) -> Event<StoredTask> {
    match result {
        Ok(state) => Event::Acknowledged { task, checkpoint, state },
        Err(error) => {
            tracing::warn!("checkpoint {checkpoint} failed: {error}");
            let reason = crate::checkpoint::coordinator::FailureReason::AsyncSnapshot;
            Event::Declined { task, checkpoint, reason }
        }
    }
}
