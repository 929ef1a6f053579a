//! What the checkpoint coordinator is told, and what it wants done.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::checkpoint::barriers::AbortReason;
use crate::checkpoint::options::{Barrier, SavepointFormat, SnapshotKind, StopMode};
use crate::job::TaskId;

/// Names a request, so that its answer finds back.
pub type RequestId = u64;

/// What the coordinator is told. `H` stands for the state that a task has stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event<H> {
    /// Time has passed, nothing else.
    TimeAdvanced,
    /// The job starts from this checkpoint or savepoint.
    Restored {
        /// What it starts from.
        checkpoint: CompletedCheckpoint<H>,
    },
    /// The job runs, for the first time or again.
    JobRunning {
        /// When the first periodic checkpoint is due: a random time, brought between the pause and the interval.
        start_delay_ms: u64,
    },
    /// The job leaves its running state as a whole: all its tasks end.
    JobSuspended,
    /// The job has ended for good.
    JobEnded {
        /// How.
        status: TerminalStatus,
    },
    /// A task runs, for the first time or again.
    TaskRunning(TaskId),
    /// A task has processed all its input, and waits for a last checkpoint.
    EndOfData(TaskId),
    /// A task has finished.
    TaskFinished(TaskId),
    /// A task has failed.
    TaskFailed(TaskId),
    /// Tasks start again, while the others go on.
    TasksRestarting(Vec<TaskId>),
    /// The user wants a checkpoint.
    CheckpointRequested {
        /// The request.
        request: RequestId,
    },
    /// The user wants a savepoint.
    SavepointRequested {
        /// The request.
        request: RequestId,
        /// How state is written.
        format: SavepointFormat,
        /// Whether the job stops with it.
        stop: Option<StopMode>,
    },
    /// There is no place to write a checkpoint to.
    TriggerFailed {
        /// The checkpoint.
        checkpoint: u64,
    },
    /// A task has stored its state.
    Acknowledged {
        /// The task.
        task: TaskId,
        /// The checkpoint.
        checkpoint: u64,
        /// What it has stored.
        state: H,
    },
    /// A task can't take part in a checkpoint.
    Declined {
        /// The task.
        task: TaskId,
        /// The checkpoint.
        checkpoint: u64,
        /// Why.
        reason: FailureReason,
    },
    /// The metadata of a checkpoint is stored.
    MetadataWritten {
        /// The checkpoint.
        checkpoint: u64,
        /// Where it is found.
        location: String,
    },
    /// The metadata of a checkpoint could not be stored.
    MetadataFailed {
        /// The checkpoint.
        checkpoint: u64,
    },
}

/// What the coordinator wants done, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action<H> {
    /// Let these tasks begin a checkpoint: the sources, and tasks before which all have finished.
    Trigger {
        /// What they forward.
        barrier: Barrier,
        /// The tasks.
        tasks: Vec<TaskId>,
        /// The request that it answers.
        request: Option<RequestId>,
    },
    /// Store the metadata of a checkpoint, all of whose tasks have acknowledged, and tell the outcome.
    WriteMetadata {
        /// What it holds.
        snapshot: GlobalSnapshot<H>,
    },
    /// Tell these tasks that a checkpoint is complete, and with it all before it.
    NotifyComplete {
        /// The checkpoint.
        checkpoint: u64,
        /// The tasks.
        tasks: Vec<TaskId>,
        /// The newest checkpoint that is no longer kept.
        subsumed: Option<u64>,
    },
    /// Tell these tasks that a checkpoint was given up.
    NotifyAborted {
        /// The checkpoint.
        checkpoint: u64,
        /// The tasks.
        tasks: Vec<TaskId>,
        /// Why.
        reason: FailureReason,
    },
    /// Delete a completed checkpoint.
    DiscardCompleted {
        /// The checkpoint.
        checkpoint: CompletedCheckpoint<H>,
    },
    /// Delete what was stored of a checkpoint that did not complete, its metadata too.
    DiscardPending {
        /// The checkpoint.
        checkpoint: u64,
        /// What tasks have stored.
        states: Vec<H>,
    },
    /// Delete what a task has stored for a checkpoint that is over.
    DiscardLate {
        /// The checkpoint.
        checkpoint: u64,
        /// What it has stored.
        state: H,
    },
    /// Answer a request: where the checkpoint or savepoint is, or why there is none.
    Answer {
        /// The request.
        request: RequestId,
        /// The answer.
        result: Result<String, RequestFailure>,
    },
    /// Fail the job; its restart strategy says what then.
    FailJob {
        /// Why.
        reason: JobFailure,
    },
}

/// The state of a whole job at one logical instant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlobalSnapshot<H> {
    /// The id.
    pub checkpoint: u64,
    /// When it was triggered.
    pub timestamp_ms: u64,
    /// Checkpoint or savepoint.
    pub kind: SnapshotKind,
    /// What each task has stored.
    pub states: BTreeMap<TaskId, H>,
    /// The tasks that had finished before.
    pub finished: BTreeSet<TaskId>,
}

/// A checkpoint or savepoint that a job can start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletedCheckpoint<H> {
    /// What it holds.
    pub snapshot: GlobalSnapshot<H>,
    /// Where it is found.
    pub location: String,
    /// Who may delete it.
    pub owner: Owner,
}

/// Who may delete a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Owner {
    /// The job: its own checkpoints, and what it was started from with claim mode `CLAIM`.
    Job,
    /// The user: savepoints, and what the job was started from with `NO_CLAIM`. Nothing is built on it.
    User,
}

/// How a job ends, for the retention of its checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalStatus {
    /// It has processed everything.
    Finished,
    /// The user has cancelled it.
    Canceled,
    /// It has failed.
    Failed,
    /// It goes on elsewhere.
    Suspended,
}

/// Why there is no checkpoint (Flink: `CheckpointFailureReason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum FailureReason {
    /// Not all acknowledgements came in time.
    #[error("the checkpoint expired before it was complete")]
    Expired,
    /// A task could not take its snapshot.
    #[error("a task failed to take its snapshot")]
    TaskSnapshot,
    /// A task could not store its snapshot.
    #[error("a task failed to store its snapshot")]
    AsyncSnapshot,
    /// There was no place to write to.
    #[error("the place of the checkpoint could not be made")]
    TriggerIo,
    /// The metadata could not be stored.
    #[error("the metadata of the checkpoint could not be stored")]
    Finalize,
    /// Some tasks don't run, or have finished.
    #[error("not all tasks of the job run")]
    NotAllTasksRunning,
    /// Too many requests wait.
    #[error("too many checkpoint requests are waiting")]
    TooManyRequests,
    /// A later checkpoint is complete.
    #[error("a later checkpoint has completed")]
    Subsumed,
    /// The job leaves its running state, or stops.
    #[error("the job is no longer running")]
    CoordinatorSuspended,
    /// The job has ended.
    #[error("the job has ended")]
    CoordinatorShutdown,
    /// A task was told to cancel it.
    #[error("a task received a cancellation of the checkpoint")]
    CancellationBarrier,
    /// A task met a barrier of a later checkpoint first.
    #[error("a task received a barrier of a later checkpoint")]
    NewerBarrier,
    /// A task has not started yet.
    #[error("a task was not ready")]
    TaskNotReady,
    /// A task ends.
    #[error("a task was closing")]
    TaskClosing,
    /// A task's input has ended.
    #[error("the input of a task has ended")]
    InputEndOfStream,
    /// A task has failed.
    #[error("a task has failed")]
    TaskFailure,
    /// Some tasks start again.
    #[error("some tasks of the job restart")]
    FailoverRegion,
}

impl FailureReason {
    /// Whether it counts towards the tolerable failures.
    pub fn is_counted(self) -> bool {
        matches!(
            self,
            Self::Expired | Self::TaskSnapshot | Self::AsyncSnapshot | Self::TriggerIo | Self::Finalize
        )
    }

    /// Whether there is nothing wrong: the job ends or stops, or has a newer checkpoint.
    pub fn is_of_normal_life(self) -> bool {
        matches!(
            self,
            Self::Subsumed
                | Self::NewerBarrier
                | Self::CoordinatorSuspended
                | Self::CoordinatorShutdown
                | Self::TaskClosing
                | Self::InputEndOfStream
        )
    }
}

impl From<AbortReason> for FailureReason {
    fn from(reason: AbortReason) -> Self {
        match reason {
            AbortReason::NewerCheckpoint => Self::NewerBarrier,
            AbortReason::Cancelled => Self::CancellationBarrier,
        }
    }
}

/// Why a request was not fulfilled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum RequestFailure {
    /// There is no checkpoint or savepoint.
    #[error("no checkpoint was taken: {0}")]
    Checkpoint(FailureReason),
    /// The same, with what storage has said.
    #[error("no checkpoint was taken: {reason}: {cause}")]
    Storage {
        /// What failed.
        reason: FailureReason,
        /// The answer of storage, with the place.
        cause: String,
    },
    /// There is no place for a savepoint.
    #[error(
        "no directory was named for the savepoint, and execution.checkpointing.savepoint-dir is not set: set one of them"
    )]
    NoSavepointDirectory,
    /// The job is stopping with a savepoint already.
    #[error("the job is stopping with a savepoint")]
    Stopping,
    /// The savepoint is there, but the job failed before it had stopped; it starts again from the savepoint.
    #[error(
        "savepoint {location} was taken, but the job failed before it had stopped and starts again from it"
    )]
    Incomplete {
        /// Where the savepoint is.
        location: String,
    },
}

/// Why the coordinator fails a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum JobFailure {
    /// More checkpoints in a row have failed than is tolerable.
    #[error(
        "{failures} checkpoints in a row failed, the last because {last}; \
         execution.checkpointing.tolerable-failed-checkpoints allows {tolerable}"
    )]
    TooManyFailedCheckpoints {
        /// How many have failed.
        failures: u32,
        /// How many may.
        tolerable: u32,
        /// Why the last one failed.
        last: FailureReason,
    },
    /// The savepoint to stop with has failed, and some tasks have stopped for it.
    #[error("stopping with a savepoint failed: {0}")]
    StopWithSavepoint(FailureReason),
    /// A task failed after the savepoint to stop with was complete. All of the job starts again from that savepoint,
    /// whatever the failover strategy.
    #[error("a task failed while the job was stopping with a savepoint")]
    StopIncomplete,
}
