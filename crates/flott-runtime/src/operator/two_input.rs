//! Operators with two inputs, as their authors write them.

use flott_core::Batch;
use flott_core::time::Timestamp;
use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink};

use super::Output;
use crate::error::FnResult;

/// An operator with two inputs of different types, which share its state (Flink: `TwoInputStreamOperator`).
/// [`two_input_node`](super::two_input_node) puts it into a task, as its head: it is chained behind neither input,
/// but others may be chained behind it.
///
/// All methods run on the task's thread, never at the same time. The inputs are served in turn, one batch at a time;
/// in which order the records of one come among those of the other is not defined. Event time is that of both
/// together: the least of the inputs' watermarks, where an idle input does not count. The engine forwards watermarks,
/// statuses, flushes and ends after the operator has seen them.
pub trait TwoInputOperator: 'static {
    /// Records of the first input.
    type In1;
    /// Records of the second input.
    type In2;
    /// Records that go out.
    type Out: Clone + 'static;

    /// Called once before the first batch.
    ///
    /// # Errors
    /// An error of any method fails the task.
    fn open(&mut self) -> FnResult {
        Ok(())
    }

    /// Takes all records of the first input out of `batch` and emits into `out`.
    ///
    /// # Errors
    /// An error fails the task.
    fn process1(&mut self, batch: &mut Batch<Self::In1>, out: &mut Output<Self::Out>) -> FnResult;

    /// Takes all records of the second input out of `batch` and emits into `out`.
    ///
    /// # Errors
    /// An error fails the task.
    fn process2(&mut self, batch: &mut Batch<Self::In2>, out: &mut Output<Self::Out>) -> FnResult;

    /// The event time of both inputs together has advanced; the watermark is forwarded after this returns.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_watermark(&mut self, _combined: Timestamp, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// Processing time has advanced to `now`.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_processing_time(&mut self, _now: Timestamp, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// The earliest processing time at which [`TwoInputOperator::on_processing_time`] is wanted.
    fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    /// The state as it is between two batches, as for [`Operator::snapshot`](super::Operator::snapshot).
    ///
    /// # Errors
    /// An error fails the task.
    fn snapshot(&mut self, _request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        Ok(OperatorSnapshot::default())
    }

    /// As [`Operator::drain_snapshot`](super::Operator::drain_snapshot).
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

    /// As [`Operator::abort_snapshot`](super::Operator::abort_snapshot).
    fn abort_snapshot(&mut self) {}

    /// As [`Operator::on_checkpoint_complete`](super::Operator::on_checkpoint_complete).
    ///
    /// # Errors
    /// An error fails the task.
    fn on_checkpoint_complete(&mut self, _checkpoint_id: u64, _out: &mut Output<Self::Out>) -> FnResult {
        Ok(())
    }

    /// As [`Operator::on_checkpoint_aborted`](super::Operator::on_checkpoint_aborted).
    ///
    /// # Errors
    /// An error fails the task.
    fn on_checkpoint_aborted(&mut self, _checkpoint_id: u64) -> FnResult {
        Ok(())
    }

    /// Both inputs have ended normally; last chance to emit.
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
