//! An operator at its place in a chain.

use flott_core::Batch;
use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;

use super::{AnyOutput, Input, Operator, OperatorSetup, Output};
use crate::error::{ChainError, ChainResult, FnResult};
use crate::exchange::forward;
use crate::snapshot::TaskSnapshot;
use crate::task::{enter_operator, in_any_case, leave_operator};

/// Runs an [`Operator`]: counts, names the operator in errors, and forwards what the operator has seen.
pub struct OperatorNode<O: Operator> {
    operator: O,
    output: Output<O::Out>,
    setup: OperatorSetup,
}

impl<O: Operator> OperatorNode<O> {
    /// Puts the operator before its output.
    pub fn new(operator: O, output: Output<O::Out>, setup: OperatorSetup) -> Self {
        Self { operator, output, setup }
    }

    /// Runs one call of the operator, so that a panic or an error is told under its name, and settles the output.
    fn run(&mut self, call: impl FnOnce(&mut O, &mut Output<O::Out>) -> FnResult) -> ChainResult {
        let outer = enter_operator(&self.setup.name);
        let result = call(&mut self.operator, &mut self.output);
        let result = match result {
            Ok(()) => self.output.settle(),
            // A failure downstream came first if there was one.
            Err(cause) => Err(self
                .output
                .take_failure()
                .unwrap_or_else(|| ChainError::Failed { operator: self.setup.name.to_string(), cause })),
        };
        self.setup.metrics.records_out.add(self.output.take_emitted());
        leave_operator(outer);
        result?;
        forward(self.output.take_progress(), &mut self.output)
    }
}

impl<O: Operator> Input<O::In> for OperatorNode<O> {
    fn batch(&mut self, batch: &mut Batch<O::In>) -> ChainResult {
        self.setup.metrics.records_in.add(batch.len() as u64);
        self.run(|operator, output| operator.process(batch, output))
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.run(|operator, output| operator.on_watermark(watermark, output))?;
        if !self.operator.forwards_watermarks() {
            return Ok(());
        }
        AnyOutput::watermark(&mut self.output, watermark)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        if !self.operator.forwards_watermarks() {
            return Ok(());
        }
        AnyOutput::status(&mut self.output, status)
    }

    fn flush(&mut self) -> ChainResult {
        AnyOutput::flush(&mut self.output)
    }

    fn open(&mut self) -> ChainResult {
        AnyOutput::open(&mut self.output)?;
        self.run(|operator, _| operator.open())
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        if self.operator.next_timer().is_some_and(|due| due <= now) {
            self.run(|operator, output| operator.on_processing_time(now, output))?;
        }
        AnyOutput::processing_time(&mut self.output, now)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.operator.next_timer().into_iter().chain(self.output.next_timer()).min()
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        let mut own = None;
        self.run(|operator, _| {
            own = Some(operator.snapshot(snapshot.checkpoint_id)?);
            Ok(())
        })?;
        snapshot.operators.extend(own.filter(|own| !own.is_empty()).map(|own| (self.setup.operator_id, own)));
        AnyOutput::snapshot(&mut self.output, snapshot)
    }

    fn finish(&mut self) -> ChainResult {
        self.run(O::finish)?;
        AnyOutput::finish(&mut self.output)
    }

    fn close(&mut self) -> ChainResult {
        // What is left in the output after a failure is not pushed: the operators behind may be broken.
        let Self { operator, output, setup } = self;
        let own = || {
            let outer = enter_operator(&setup.name);
            let result = operator.close();
            leave_operator(outer);
            result.map_err(|cause| ChainError::Failed { operator: setup.name.to_string(), cause })
        };
        in_any_case(own, || AnyOutput::close(output))
    }
}
