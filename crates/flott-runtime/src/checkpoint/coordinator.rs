//! The checkpoint coordinator as a pure state machine: it says when a checkpoint begins, is complete, has failed, and
//! which ones are kept.
//!
//! A checkpoint is triggered at its first tasks, acknowledged by all, its metadata is written, those it replaces are
//! deleted, and the tasks are told. It may be given up at any moment before; then what was stored for it is deleted
//! once, whenever it comes.

mod completion;
mod event;
mod failures;
mod life;
mod pending;
mod requests;
mod store;
mod tasks;
mod trigger;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use event::{
    Action, CompletedCheckpoint, Event, FailureReason, GlobalSnapshot, JobFailure, Owner, RequestFailure,
    RequestId, TerminalStatus,
};
use failures::Failures;
use pending::{GivenUp, Pending};
use requests::{Choice, Request, Requests};
use store::CompletedStore;
use tasks::Tasks;

use super::Topology;
use super::options::{Alignment, Barrier, CheckpointOptions, SavepointFormat, SnapshotKind, StopMode};
use super::settings::CheckpointSettings;
use crate::job::TaskId;

/// Decides about the checkpoints of one job (Flink: `CheckpointCoordinator`). `H` is what a task says of the state
/// that it has stored. Times are in milliseconds since any fixed moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckpointCoordinator<H> {
    settings: CheckpointSettings,
    tasks: Tasks,
    requests: Requests,
    pending: BTreeMap<u64, Pending<H>>,
    given_up: GivenUp<H>,
    store: CompletedStore<H>,
    failures: Failures,
    next_id: u64,
    life: Life,
    /// When the next periodic checkpoint is due; only while the job runs and does not stop.
    next_periodic_ms: Option<u64>,
    completed_ms: Option<u64>,
}

/// Where the job is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Life {
    NotRunning,
    Running,
    /// A savepoint to stop with is under way.
    Stopping {
        checkpoint: u64,
    },
    /// The savepoint is complete, and the tasks end.
    Finishing {
        request: RequestId,
        location: String,
    },
    Ended,
}

impl<H: Clone> CheckpointCoordinator<H> {
    /// A job that does not run yet, whose first checkpoint gets the id `first_id`: 1, or what
    /// [`CheckpointCoordinator::next_id`] said before the process was started anew.
    pub fn new(settings: CheckpointSettings, topology: Topology, first_id: u64) -> Self {
        Self {
            settings,
            tasks: Tasks::new(topology),
            requests: Requests::default(),
            pending: BTreeMap::new(),
            given_up: GivenUp::new(),
            store: CompletedStore::new(),
            failures: Failures::default(),
            next_id: first_id.max(1),
            life: Life::NotRunning,
            next_periodic_ms: None,
            completed_ms: None,
        }
    }

    /// Takes an event and says what follows from it.
    pub fn handle(&mut self, now_ms: u64, event: Event<H>) -> Vec<Action<H>> {
        let mut actions = Vec::new();
        self.expire(now_ms, &mut actions);
        self.take(now_ms, event, &mut actions);
        self.serve(now_ms, &mut actions);
        actions
    }

    /// When [`Event::TimeAdvanced`] is due, if nothing else happens before.
    pub fn next_wake_up(&self) -> Option<u64> {
        let deadlines = self.pending.values().map(|pending| pending.deadline_ms);
        deadlines.chain(self.next_periodic_ms).min()
    }

    /// The id of the next checkpoint. Whoever makes a job survive its process keeps it.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// What the job starts from after a failure.
    pub fn latest(&self) -> Option<&CompletedCheckpoint<H>> {
        self.store.latest()
    }

    /// The checkpoints that are kept, oldest first.
    pub fn completed(&self) -> &[CompletedCheckpoint<H>] {
        self.store.all()
    }

    /// How many checkpoints and savepoints are under way.
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    fn take(&mut self, now_ms: u64, event: Event<H>, actions: &mut Vec<Action<H>>) {
        match event {
            Event::TimeAdvanced => {}
            Event::Restored { checkpoint } => {
                self.next_id = self.next_id.max(checkpoint.snapshot.checkpoint.saturating_add(1));
                self.keep(checkpoint, actions);
            }
            Event::JobRunning { start_delay_ms } => self.job_running(now_ms, start_delay_ms),
            Event::JobSuspended => self.job_suspended(Life::NotRunning, actions),
            Event::JobEnded { status } => self.job_ended(status, actions),
            Event::TaskRunning(task) => self.tasks.running(task),
            Event::EndOfData(task) => self.end_of_data(task),
            Event::TaskFinished(task) => self.task_finished(task, actions),
            Event::TaskFailed(task) => self.task_failed(task, actions),
            Event::TasksRestarting(tasks) => self.tasks_restarting(&tasks, actions),
            Event::CheckpointRequested { request } => {
                self.request(Request::Checkpoint { request: Some(request) }, actions);
            }
            Event::SavepointRequested { request, format, stop } => {
                self.savepoint_requested(now_ms, request, format, stop, actions);
            }
            Event::TriggerFailed { checkpoint } => self.abort(checkpoint, FailureReason::TriggerIo, actions),
            Event::Acknowledged { task, checkpoint, state } => {
                self.acknowledged(task, checkpoint, state, actions);
            }
            Event::Declined { task, checkpoint, reason } => self.declined(task, checkpoint, reason, actions),
            Event::MetadataWritten { checkpoint, location } => {
                self.metadata_written(now_ms, checkpoint, location, actions);
            }
            Event::MetadataFailed { checkpoint } => self.metadata_failed(checkpoint, actions),
        }
    }
}

#[cfg(test)]
mod tests;
