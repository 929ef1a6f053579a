//! The checkpoints of a job: what the coordinator of checkpoints decides, and what is remembered to carry it out.

use std::collections::{BTreeMap, BTreeSet};

use flott_state::format::{SnapshotForm, SnapshotHandle};

use flott_state::storage::StoredSnapshot;

use super::coordinator::TaskId;
use super::message::{Answer, Request};
use super::shell::Restore;
use super::stored::RestorePoint;
use crate::checkpoint::Topology;
use crate::checkpoint::coordinator::{
    Action, CheckpointCoordinator, CompletedCheckpoint, Event, FailureReason, GlobalSnapshot, JobFailure,
    Owner, RequestFailure, RequestId,
};
use crate::checkpoint::options::{SavepointFormat, SnapshotKind};
use crate::checkpoint::settings::CheckpointSettings;

/// The coordinator and what belongs to its checkpoints.
pub(super) struct JobCheckpoints {
    coordinator: CheckpointCoordinator<SnapshotHandle>,
    /// The states of the enumerators by vertex, of checkpoints under way.
    enumerators: BTreeMap<u64, BTreeMap<u32, Vec<u8>>>,
    /// The tasks that have stored records in flight, of checkpoints under way.
    in_flight: BTreeMap<u64, BTreeSet<TaskId>>,
    /// Checkpoints that are kept.
    points: BTreeMap<u64, RestorePoint>,
    requests: BTreeMap<RequestId, (Request, Answer)>,
    next_request: RequestId,
    /// What storage has said of the last checkpoint that it failed.
    problem: Option<String>,
}

impl JobCheckpoints {
    pub(super) fn new(settings: CheckpointSettings, topology: Topology, first_checkpoint: u64) -> Self {
        Self {
            coordinator: CheckpointCoordinator::new(settings, topology, first_checkpoint),
            enumerators: BTreeMap::new(),
            in_flight: BTreeMap::new(),
            points: BTreeMap::new(),
            requests: BTreeMap::new(),
            next_request: 0,
            problem: None,
        }
    }

    /// The job starts from a snapshot.
    pub(super) fn restored(&mut self, restore: &Restore) {
        for stored in restore.older.iter().chain([&restore.snapshot]) {
            self.keep_restored(stored, restore.owner);
        }
    }

    fn keep_restored(&mut self, stored: &StoredSnapshot, owner: Owner) {
        let metadata = &stored.metadata;
        let kind = match metadata.form {
            SnapshotForm::Checkpoint => SnapshotKind::Checkpoint { base: None },
            SnapshotForm::Savepoint => {
                SnapshotKind::Savepoint { format: SavepointFormat::Canonical, stop: None }
            }
        };
        let snapshot = GlobalSnapshot {
            checkpoint: metadata.checkpoint,
            timestamp_ms: metadata.triggered_ms,
            kind,
            states: BTreeMap::new(),
            finished: BTreeSet::new(),
        };
        let checkpoint = CompletedCheckpoint { snapshot, location: stored.location(), owner };
        // Nothing is deleted for it, and nothing triggered: the job does not run yet.
        self.coordinator.handle(0, Event::Restored { checkpoint });
        self.keep(RestorePoint::of(stored));
    }

    pub(super) fn handle(
        &mut self,
        now_ms: u64,
        event: Event<SnapshotHandle>,
    ) -> Vec<Action<SnapshotHandle>> {
        self.coordinator.handle(now_ms, event)
    }

    pub(super) fn next_wake_up_ms(&self) -> Option<u64> {
        self.coordinator.next_wake_up()
    }

    /// What the job starts from after a failure.
    pub(super) fn latest(&self) -> Option<(u64, RestorePoint)> {
        let checkpoint = self.coordinator.latest()?.snapshot.checkpoint;
        Some((checkpoint, self.points.get(&checkpoint)?.clone()))
    }

    /// The event for what a user asks, whose answer is left at `answer`.
    pub(super) fn request(&mut self, request: Request, answer: Answer) -> Event<SnapshotHandle> {
        let id = self.next_request;
        self.next_request += 1;
        let event = match request {
            Request::Checkpoint => Event::CheckpointRequested { request: id },
            Request::Savepoint { format, stop, .. } => {
                Event::SavepointRequested { request: id, format, stop }
            }
        };
        self.requests.insert(id, (request, answer));
        event
    }

    /// The directory that a user has named for a savepoint.
    pub(super) fn savepoint_directory(&self, request: RequestId) -> Option<&str> {
        match self.requests.get(&request)? {
            (Request::Savepoint { directory, .. }, _) => directory.as_deref(),
            (Request::Checkpoint, _) => None,
        }
    }

    pub(super) fn answer(&mut self, request: RequestId, result: Result<String, RequestFailure>) {
        if let Some((_, answer)) = self.requests.remove(&request) {
            let result = result.map_err(|failure| self.explain(failure));
            answer.change(|place| *place = Some(result));
        }
    }

    /// Why there is no checkpoint, with what storage has said.
    fn explain(&self, failure: RequestFailure) -> RequestFailure {
        match (failure, &self.problem) {
            (RequestFailure::Checkpoint(reason), Some(cause)) if is_of_storage(reason) => {
                RequestFailure::Storage { reason, cause: cause.clone() }
            }
            (failure, _) => failure,
        }
    }

    /// Keeps what the enumerators have said for a checkpoint.
    pub(super) fn begin(&mut self, checkpoint: u64, enumerators: BTreeMap<u32, Vec<u8>>) {
        self.enumerators.insert(checkpoint, enumerators);
    }

    pub(super) fn take_enumerators(&mut self, checkpoint: u64) -> BTreeMap<u32, Vec<u8>> {
        self.enumerators.remove(&checkpoint).unwrap_or_default()
    }

    /// A task has stored records in flight.
    pub(super) fn has_in_flight(&mut self, checkpoint: u64, task: TaskId) {
        self.in_flight.entry(checkpoint).or_default().insert(task);
    }

    pub(super) fn take_in_flight(&mut self, checkpoint: u64) -> BTreeSet<TaskId> {
        // Whatever is older is over.
        let later = self.in_flight.split_off(&checkpoint.saturating_add(1));
        std::mem::replace(&mut self.in_flight, later).remove(&checkpoint).unwrap_or_default()
    }

    /// Makes what a checkpoint holds known, before the coordinator is told that it is complete.
    pub(super) fn keep(&mut self, point: RestorePoint) {
        self.points.insert(point.metadata.checkpoint, point);
    }

    /// Forgets a savepoint that the job won't start from.
    pub(super) fn forget_unless_kept(&mut self, checkpoint: u64) {
        let mut kept = self.coordinator.completed().iter();
        if !kept.any(|kept| kept.snapshot.checkpoint == checkpoint) {
            self.points.remove(&checkpoint);
        }
    }

    /// Forgets a checkpoint that is over.
    pub(super) fn forget(&mut self, checkpoint: u64) {
        self.enumerators.remove(&checkpoint);
        self.points.remove(&checkpoint);
    }

    /// What a task has stored, or why it has not, as the coordinator is told.
    pub(super) fn stored(
        &mut self,
        task: TaskId,
        checkpoint: u64,
        result: Result<SnapshotHandle, String>,
    ) -> Event<SnapshotHandle> {
        match result {
            Ok(state) => Event::Acknowledged { task, checkpoint, state },
            Err(error) => {
                self.note(format!("checkpoint {checkpoint} failed: {error}"));
                Event::Declined { task, checkpoint, reason: FailureReason::AsyncSnapshot }
            }
        }
    }

    /// Tells people what storage has said, and remembers it in case that the job fails of it.
    pub(super) fn note(&mut self, problem: String) {
        tracing::warn!("{problem}");
        self.problem = Some(problem);
    }

    /// Why the job fails, with what storage has said.
    pub(super) fn failure(&mut self, reason: &JobFailure) -> String {
        let last = match reason {
            JobFailure::TooManyFailedCheckpoints { last, .. } | JobFailure::StopWithSavepoint(last) => *last,
            JobFailure::StopIncomplete => return reason.to_string(),
        };
        match self.problem.take() {
            Some(problem) if is_of_storage(last) => format!("{reason} ({problem})"),
            _ => reason.to_string(),
        }
    }
}

/// Whether storage has said more of such a failure.
fn is_of_storage(reason: FailureReason) -> bool {
    matches!(reason, FailureReason::AsyncSnapshot | FailureReason::Finalize | FailureReason::TriggerIo)
}
