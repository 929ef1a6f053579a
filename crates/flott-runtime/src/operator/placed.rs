//! An operator with what surrounds it at its place in a chain.

use std::sync::Arc;

use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink};

use super::{AnyOutput, OperatorSetup, Output};
use crate::error::{ChainError, ChainResult, FnResult};
use crate::exchange::forward;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::{enter_operator, in_any_case, leave_operator};

/// An operator `P`, what it emits to, and its name and figures.
pub(super) struct Placed<P, T> {
    pub(super) operator: P,
    pub(super) output: Output<T>,
    pub(super) setup: OperatorSetup,
    /// It has emitted for the last time.
    pub(super) finished: bool,
}

impl<P, T: Clone + 'static> Placed<P, T> {
    /// Runs one call of the operator, so that a panic or an error is told under its name, and settles the output.
    pub(super) fn run(&mut self, call: impl FnOnce(&mut P, &mut Output<T>) -> FnResult) -> ChainResult {
        let outer = enter_operator(&self.setup.name);
        let result = call(&mut self.operator, &mut self.output);
        settle(result, &mut self.output, &self.setup, outer)
    }

    /// Adds the state that the operator gives, then that of those behind it.
    pub(super) fn snapshot(
        &mut self,
        snapshot: &mut TaskSnapshot,
        own: impl FnOnce(&mut P, SnapshotRequest) -> FnResult<OperatorSnapshot>,
    ) -> ChainResult {
        let mut taken = None;
        self.run(|operator, _| {
            taken = Some(own(operator, snapshot.request)?);
            Ok(())
        })?;
        let taken = taken.filter(|taken| !taken.is_empty());
        snapshot.operators.extend(taken.map(|taken| (self.setup.operator_id, taken)));
        AnyOutput::snapshot(&mut self.output, snapshot)
    }

    /// Lets the operator write what is left of its snapshot, then those behind it.
    pub(super) fn drain_snapshot(
        &mut self,
        work: &mut SnapshotWork<'_>,
        own: impl FnOnce(&mut P, &mut SnapshotBudget, &mut dyn SnapshotSink) -> FnResult<bool>,
    ) -> ChainResult<bool> {
        let (id, mut done) = (self.setup.operator_id, false);
        self.run(|operator, _| {
            done = own(operator, &mut work.budget, work.sink.operator(id).as_mut())?;
            Ok(())
        })?;
        Ok(done && AnyOutput::drain_snapshot(&mut self.output, work)?)
    }

    /// Lets the operator give its snapshot up, then those behind it.
    pub(super) fn abort_snapshot(&mut self, own: impl FnOnce(&mut P)) {
        own(&mut self.operator);
        AnyOutput::abort_snapshot(&mut self.output);
    }

    /// Tells the operator what has become of a checkpoint, then those behind it.
    pub(super) fn notify(
        &mut self,
        notice: CheckpointNotice,
        complete: impl FnOnce(&mut P, u64, &mut Output<T>) -> FnResult,
        aborted: impl FnOnce(&mut P, u64) -> FnResult,
    ) -> ChainResult {
        match notice {
            CheckpointNotice::Complete(id) => self.run(|operator, out| complete(operator, id, out))?,
            CheckpointNotice::Aborted(id) => self.run(|operator, _| aborted(operator, id))?,
            CheckpointNotice::Canceled(_) => {}
        }
        AnyOutput::notify(&mut self.output, notice)
    }

    /// Closes the operator, then those behind it, whatever fails.
    pub(super) fn close(&mut self, own: impl FnOnce(&mut P) -> FnResult) -> ChainResult {
        let Self { operator, output, setup, .. } = self;
        let mut own = Some(own);
        close(&mut || own.take().map_or(Ok(()), |own| own(operator)), output, setup)
    }
}

// These know nothing of the operator, so that they are compiled once and not for each one of a program.

/// Ends a call of an operator: what it has emitted goes on, and what has failed is told.
fn settle(
    result: FnResult,
    output: &mut dyn AnyOutput,
    setup: &OperatorSetup,
    outer: Option<Arc<str>>,
) -> ChainResult {
    let result = match result {
        Ok(()) => output.settle(),
        // A failure downstream came first if there was one.
        Err(cause) => Err(output
            .take_failure()
            .unwrap_or_else(|| ChainError::Failed { operator: setup.name.to_string(), cause })),
    };
    setup.metrics.records_out.add(output.take_emitted());
    leave_operator(outer);
    result?;
    forward(output.take_progress(), output)
}

fn close(
    own: &mut dyn FnMut() -> FnResult,
    output: &mut dyn AnyOutput,
    setup: &OperatorSetup,
) -> ChainResult {
    // What is left in the output after a failure is not pushed: the operators behind may be broken.
    let own = || {
        let outer = enter_operator(&setup.name);
        let result = own();
        leave_operator(outer);
        result.map_err(|cause| ChainError::Failed { operator: setup.name.to_string(), cause })
    };
    in_any_case(own, || output.close())
}
