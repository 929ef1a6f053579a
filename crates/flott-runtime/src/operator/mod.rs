//! Operators and how they are chained.
//!
//! A chain is built from its tail to its head: each [`OperatorNode`] owns its operator and an [`Output`], which
//! owns the next nodes. A batch is pushed through with one virtual call per operator; watermarks, flushes and the
//! end of input take the same way as calls of their own and never mix with records.

mod node;
mod output;
mod placed;
mod side;
mod two_input;
mod two_input_node;

use std::rc::Rc;
use std::sync::Arc;

use flott_core::Batch;
use flott_core::key_group::KeyGroupRange;
use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;
use flott_state::backend::StateBackend;
use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink};

use crate::error::{ChainResult, FnResult};
use crate::graph::OperatorId;
use crate::metrics::OperatorMetrics;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::TaskShared;

pub use node::OperatorNode;
pub use output::{Collector, Output};
pub(crate) use side::AnyOutput;
pub use side::{OutputTag, SideOutputs};
pub use two_input::TwoInputOperator;
pub use two_input_node::{TwoInputs, two_input_node};

/// What a chain does with what comes in: the receiving end of an operator, a router or a fan-out.
pub trait Input<T> {
    /// Takes the records out of `batch`; the caller reuses what is left.
    fn batch(&mut self, batch: &mut Batch<T>) -> ChainResult;
    /// Event time has advanced to `watermark`.
    fn watermark(&mut self, watermark: Timestamp) -> ChainResult;
    /// The input has become idle or active.
    fn status(&mut self, status: StreamStatus) -> ChainResult;
    /// Sends on whatever is buffered.
    fn flush(&mut self) -> ChainResult;
    /// Opens the rest of the chain, tail first, then this operator.
    fn open(&mut self) -> ChainResult;
    /// Processing time has advanced to `now` (milliseconds since the epoch).
    fn processing_time(&mut self, now: Timestamp) -> ChainResult;
    /// The earliest processing time at which this operator or one behind it wants to be called.
    fn next_timer(&self) -> Option<Timestamp>;
    /// Adds the state of this operator, then of those behind it, and lets the barrier go on where the task ends.
    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult;
    /// Goes on writing what is left of the snapshot taken last; `true` when nothing is left.
    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool>;
    /// What is left of the snapshot taken last is not wanted any more.
    fn abort_snapshot(&mut self);
    /// What has become of a checkpoint, for this operator and those behind it.
    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult;
    /// No record will follow. Operators may emit for the last time, head first.
    fn finish(&mut self) -> ChainResult;
    /// Nothing will follow, not even a barrier.
    fn end(&mut self) -> ChainResult;
    /// Releases what is held; called once, also after a failure.
    fn close(&mut self) -> ChainResult;
}

/// An operator with one input, as its author writes it. [`OperatorNode`] puts it into a chain.
///
/// All methods run on the task's thread, never at the same time. The engine forwards watermarks, statuses,
/// flushes and ends after the operator has seen them.
pub trait Operator: 'static {
    /// Records that come in.
    type In;
    /// Records that go out.
    type Out: Clone + 'static;

    /// Called once before the first batch.
    ///
    /// # Errors
    /// An error of any method fails the task.
    fn open(&mut self) -> FnResult {
        Ok(())
    }

    /// Takes all records out of `batch` and emits into `out`.
    ///
    /// # Errors
    /// An error fails the task.
    fn process(&mut self, batch: &mut Batch<Self::In>, out: &mut Output<Self::Out>) -> FnResult;

    /// Event time has advanced; the watermark is forwarded after this returns.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_watermark(&mut self, _watermark: Timestamp, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// The input has become idle or active; unless the operator makes its own statuses, this is forwarded after it returns.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_status(&mut self, _status: StreamStatus, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// Processing time has advanced to `now`.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_processing_time(&mut self, _now: Timestamp, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// The earliest processing time at which [`Operator::on_processing_time`] is wanted.
    fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    /// Whether [`Operator::next_timer`] still counts after [`Operator::finish`]: for sinks, which retry commits. What others
    /// emitted then would come behind the end of their output.
    fn works_after_finish(&self) -> bool {
        false
    }

    /// Whether watermarks and statuses of the input go on to the output. `false` for operators that make their own, with
    /// [`Output::advance`] or [`Output::advance_now`].
    fn forwards_watermarks(&self) -> bool {
        true
    }

    /// The state as it is between two batches, or what is small of it: [`Operator::drain_snapshot`] then gives the rest as it is
    /// now. Both come back together in [`OperatorSetup::restored`] when the job is restored, spread over the subtasks anew if
    /// their number has changed.
    ///
    /// # Errors
    /// An error fails the task.
    fn snapshot(&mut self, _request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        Ok(OperatorSnapshot::default())
    }

    /// Goes on writing what is left of the snapshot taken last, as the state was then, until the budget is spent; `true` when nothing is left.
    /// Called between batches, each time with the same sink.
    ///
    /// # Errors
    /// An error fails the task.
    fn drain_snapshot(
        &mut self,
        _budget: &mut SnapshotBudget,
        _sink: &mut dyn SnapshotSink,
    ) -> FnResult<bool> {
        Ok(true)
    }

    /// What is left of the snapshot taken last is not wanted any more.
    fn abort_snapshot(&mut self) {}

    /// A checkpoint that the operator's snapshot is part of is complete, and so are all before it. Best effort: a notice may not
    /// come, or come late; the one of a later checkpoint stands for it.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_checkpoint_complete(&mut self, _checkpoint_id: u64, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// A checkpoint was given up. What its snapshot holds will not be restored; a later one replaces it. Best effort.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_checkpoint_aborted(&mut self, _checkpoint_id: u64) -> FnResult {
        Ok(())
    }

    /// The input has ended normally; last chance to emit.
    ///
    /// # Errors
    /// An error fails the task.
    fn finish(&mut self, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// Called once at the end, also after a failure.
    ///
    /// # Errors
    /// An error fails the task if it has not failed before.
    fn close(&mut self) -> FnResult {
        Ok(())
    }
}

/// What an operator learns about its place when it is built, on the thread of its task.
#[derive(Clone)]
pub struct OperatorSetup {
    /// The operator's name.
    pub name: Arc<str>,
    /// The operator's identity in snapshots.
    pub operator_id: OperatorId,
    /// This subtask's index, from 0.
    pub subtask: u32,
    /// How many subtasks the operator has.
    pub parallelism: u32,
    /// How many key groups its keyed state has.
    pub max_parallelism: u32,
    /// How often the task has been started before.
    pub attempt: u32,
    /// The operator's figures.
    pub metrics: Arc<OperatorMetrics>,
    /// What this subtask gets of the state of an earlier run; `None` on a fresh start.
    pub restored: Option<Arc<OperatorSnapshot>>,
    /// Where keyed state lives.
    pub backend: Arc<dyn StateBackend>,
    /// What the operators of the task share.
    pub task: Rc<TaskShared>,
}

impl OperatorSetup {
    /// The key groups that belong to this subtask.
    pub fn key_groups(&self) -> KeyGroupRange {
        KeyGroupRange::of_subtask(self.subtask, self.parallelism, self.max_parallelism)
    }
}

#[cfg(test)]
mod tests;
