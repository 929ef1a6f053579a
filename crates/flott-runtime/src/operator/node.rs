//! An operator at its place in a chain.

use flott_core::Batch;
use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;

use super::placed::Placed;
use super::{AnyOutput, Input, Operator, OperatorSetup, Output};
use crate::error::ChainResult;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};

/// Runs an [`Operator`]: counts, names the operator in errors, and forwards what the operator has seen.
pub struct OperatorNode<O: Operator>(Placed<O, O::Out>);

impl<O: Operator> OperatorNode<O> {
    /// Puts the operator before its output.
    pub fn new(operator: O, output: Output<O::Out>, setup: OperatorSetup) -> Self {
        Self(Placed { operator, output, setup, finished: false })
    }

    fn own_timer(&self) -> Option<Timestamp> {
        let counts = !self.0.finished || self.0.operator.works_after_finish();
        self.0.operator.next_timer().filter(|_| counts)
    }
}

impl<O: Operator> Input<O::In> for OperatorNode<O> {
    fn batch(&mut self, batch: &mut Batch<O::In>) -> ChainResult {
        self.0.setup.metrics.records_in.add(batch.len() as u64);
        self.0.run(|operator, output| operator.process(batch, output))
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.0.run(|operator, output| operator.on_watermark(watermark, output))?;
        if !self.0.operator.forwards_watermarks() {
            return Ok(());
        }
        AnyOutput::watermark(&mut self.0.output, watermark)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        self.0.run(|operator, output| operator.on_status(status, output))?;
        if !self.0.operator.forwards_watermarks() {
            return Ok(());
        }
        AnyOutput::status(&mut self.0.output, status)
    }

    fn flush(&mut self) -> ChainResult {
        AnyOutput::flush(&mut self.0.output)
    }

    fn open(&mut self) -> ChainResult {
        AnyOutput::open(&mut self.0.output)?;
        self.0.run(|operator, _| operator.open())
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        if self.own_timer().is_some_and(|due| due <= now) {
            self.0.run(|operator, output| operator.on_processing_time(now, output))?;
        }
        AnyOutput::processing_time(&mut self.0.output, now)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.own_timer().into_iter().chain(self.0.output.next_timer()).min()
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        self.0.snapshot(snapshot, O::snapshot)
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        self.0.drain_snapshot(work, O::drain_snapshot)
    }

    fn abort_snapshot(&mut self) {
        self.0.abort_snapshot(O::abort_snapshot);
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        self.0.notify(notice, O::on_checkpoint_complete, O::on_checkpoint_aborted)
    }

    fn finish(&mut self) -> ChainResult {
        self.0.run(O::finish)?;
        self.0.finished = true;
        AnyOutput::finish(&mut self.0.output)
    }

    fn end(&mut self) -> ChainResult {
        AnyOutput::end(&mut self.0.output)
    }

    fn close(&mut self) -> ChainResult {
        self.0.close(O::close)
    }
}
