//! What the coordinator tells a task.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use flott_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::checkpoint::options::Barrier;
use crate::seam::Signal;
use crate::snapshot::CheckpointNotice;

/// A message from the coordinator to a task. Plain data: it may come from another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TaskControl {
    /// The source reader takes over these encoded splits.
    AddSplits(Vec<Vec<u8>>),
    /// The source reader gets no further splits.
    NoMoreSplits,
    /// The group that the source is aligned with has come so far that it may go on up to this watermark.
    AlignWatermarks(Timestamp),
    /// The task begins a checkpoint: it has no input, or all of it has ended.
    TriggerCheckpoint(Barrier),
    /// What has become of a checkpoint.
    Checkpoint(CheckpointNotice),
}

/// The messages that wait for a task. The coordinator sends few: answers to the task's own requests.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: Mutex<VecDeque<TaskControl>>,
    signal: Arc<Signal>,
}

impl Mailbox {
    pub(crate) fn new(signal: Arc<Signal>) -> Self {
        Self { queue: Mutex::default(), signal }
    }

    pub(crate) fn send(&self, control: TaskControl) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).push_back(control);
        self.signal.wake();
    }

    pub(crate) fn take(&self) -> Option<TaskControl> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}
