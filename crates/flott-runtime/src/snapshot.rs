//! The state of a task at one instant: that of each of its operators.

use std::collections::BTreeMap;

use flott_state::disk::LocalFiles;
use flott_state::format::StateFileEncoder;
use flott_state::snapshot::{SnapshotBudget, SnapshotRequest, WriteEntries};
use flott_state::{KeyedStateMeta, OperatorSnapshot, OperatorStateSnapshot, SnapshotSink, StateError};
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
    /// What its operators are asked for.
    pub request: SnapshotRequest,
    /// What was collected so far.
    pub operators: TaskState,
}

impl TaskSnapshot {
    /// A snapshot of everything that nothing was added to yet.
    pub fn new(barrier: Barrier) -> Self {
        let request = SnapshotRequest::whole(barrier.checkpoint);
        Self { barrier, request, operators: TaskState::new() }
    }
}

/// Where the state of a task's operators goes.
pub trait TaskSnapshotSink {
    /// Where the state of one operator goes, the same each time.
    fn operator(&mut self, id: OperatorId) -> Box<dyn SnapshotSink + '_>;
}

impl TaskSnapshotSink for TaskState {
    fn operator(&mut self, id: OperatorId) -> Box<dyn SnapshotSink + '_> {
        Box::new(Lazy { sink: self, id })
    }
}

impl TaskSnapshotSink for StateFileEncoder {
    fn operator(&mut self, id: OperatorId) -> Box<dyn SnapshotSink + '_> {
        Box::new(Lazy { sink: self, id })
    }
}

/// Makes an entry for an operator only when it turns out to have state.
struct Lazy<'a, S> {
    sink: &'a mut S,
    id: OperatorId,
}

/// What has an entry for each operator.
trait Entries {
    fn entry(&mut self, id: OperatorId) -> impl SnapshotSink + '_;
}

impl Entries for TaskState {
    fn entry(&mut self, id: OperatorId) -> impl SnapshotSink + '_ {
        BTreeMap::entry(self, id).or_default()
    }
}

impl Entries for StateFileEncoder {
    fn entry(&mut self, id: OperatorId) -> impl SnapshotSink + '_ {
        StateFileEncoder::operator(self, id.0)
    }
}

impl<S: Entries> SnapshotSink for Lazy<'_, S> {
    fn keyed_state(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        self.sink.entry(self.id).keyed_state(meta)
    }

    fn entries(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        self.sink.entry(self.id).entries(state, group, count, bytes)
    }

    fn write_entries(
        &mut self,
        state: u32,
        group: u32,
        write: &mut WriteEntries<'_>,
    ) -> Result<(), StateError> {
        self.sink.entry(self.id).write_entries(state, group, write)
    }

    fn keyed_changes(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        self.sink.entry(self.id).keyed_changes(meta)
    }

    fn removed(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        self.sink.entry(self.id).removed(state, group, count, bytes)
    }

    fn files(&mut self, files: LocalFiles) -> Result<(), StateError> {
        self.sink.entry(self.id).files(files)
    }

    fn operator_state(&mut self, state: &OperatorStateSnapshot) -> Result<(), StateError> {
        self.sink.entry(self.id).operator_state(state)
    }
}

/// One slice of the work that is left of a snapshot.
pub struct SnapshotWork<'a> {
    /// How much of it is done now.
    pub budget: SnapshotBudget,
    /// Where the state goes.
    pub sink: &'a mut dyn TaskSnapshotSink,
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
