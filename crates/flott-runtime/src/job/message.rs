//! What tasks, the storage of checkpoints and users tell the shell.

use std::sync::Arc;

use flott_core::time::Timestamp;
use flott_state::format::SnapshotHandle;

use super::coordinator::TaskId;
use super::statistics::SubtaskCheckpoint;
use super::stored::RestorePoint;
use crate::checkpoint::barriers::AbortReason;
use crate::checkpoint::coordinator::RequestFailure;
use crate::checkpoint::options::{SavepointFormat, StopMode};
use crate::error::TaskFailure;
use crate::seam::Monitor;

/// A message to the shell.
#[derive(Debug)]
pub(super) enum Message {
    /// From a task of the attempt of this number. What comes from an earlier one is out of date.
    Task { attempt: u32, task: TaskId, report: TaskReport },
    /// A task of any attempt has stored its part of a checkpoint, or could not.
    Stored {
        task: TaskId,
        checkpoint: u64,
        result: Result<SnapshotHandle, String>,
        figures: SubtaskCheckpoint,
    },
    /// The metadata of a checkpoint was stored at this place, or could not be.
    MetadataWritten { checkpoint: u64, result: Result<(String, RestorePoint), String> },
    /// A checkpoint that was given up is deleted, as far as that is possible.
    Discarded { checkpoint: u64 },
    /// The user wants the job to end.
    Cancel,
    /// The user wants a checkpoint or a savepoint.
    Request(Request, Answer),
}

/// What a task reports.
#[derive(Debug)]
pub(super) enum TaskReport {
    Running,
    EndOfData,
    Declined { checkpoint: u64, reason: AbortReason },
    SplitRequest,
    Watermark(Timestamp),
    Finished,
    Canceled,
    Failed(TaskFailure),
}

/// What a user can ask for while the job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Checkpoint,
    Savepoint { directory: Option<String>, format: SavepointFormat, stop: Option<StopMode> },
}

/// Where the answer to a request is left: the place of the snapshot, or why there is none.
pub(super) type Answer = Arc<Monitor<Option<Result<String, RequestFailure>>>>;

/// A place for an answer.
pub(super) fn answer() -> Answer {
    Arc::new(Monitor::new("the answer to a request for a checkpoint", None))
}
