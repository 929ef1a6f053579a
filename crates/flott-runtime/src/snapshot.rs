//! The state of a task at one instant: that of each of its operators.

use std::collections::BTreeMap;

use flott_state::OperatorSnapshot;
use serde::{Deserialize, Serialize};

use crate::checkpoint::options::Barrier;
use crate::graph::OperatorId;

/// The state of the operators of a task, of those that have any.
pub type TaskState = BTreeMap<OperatorId, OperatorSnapshot>;

/// What a chain collects while a snapshot passes through it, head first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskSnapshot {
    /// What the snapshot is for.
    pub barrier: Barrier,
    /// What was collected so far.
    pub operators: TaskState,
}

impl TaskSnapshot {
    /// A snapshot that nothing was added to yet.
    pub fn new(barrier: Barrier) -> Self {
        Self { barrier, operators: TaskState::new() }
    }
}

/// What has become of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckpointNotice {
    /// It is complete, and so are all before it.
    Complete(u64),
    /// The coordinator has given it up.
    Aborted(u64),
    /// A task before this one has given it up: the tasks behind need not wait for its barrier.
    Canceled(u64),
}
