use std::marker::PhantomData;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, OperatorSetup, Output, TwoInputOperator};
use flott_state::{OperatorSnapshot, SnapshotRequest};

use crate::function::life_cycle::notify_function;
use crate::function::{CoProcessFunction, ProcessContext};

/// `process` on connected streams without keys.
pub(crate) struct CoProcessOperator<F, A, B, O> {
    function: F,
    context: ProcessContext,
    types: PhantomData<fn(A, B) -> O>,
}

impl<F, A, B, O> CoProcessOperator<F, A, B, O> {
    pub(crate) fn new(function: F, setup: &OperatorSetup) -> Self {
        Self { function, context: ProcessContext::new(setup), types: PhantomData }
    }

    /// Restricts the broadcast states to those with these names.
    pub(crate) fn declare(&mut self, broadcast_states: Vec<String>) {
        self.context.host.declare(broadcast_states);
    }
}

impl<F: CoProcessFunction<A, B, O>, A: Data, B: Data, O: Data> TwoInputOperator
    for CoProcessOperator<F, A, B, O>
{
    type In1 = A;
    type In2 = B;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.context.host.initialization())?;
        self.function.open(&self.context.host.runtime)
    }

    fn process1(&mut self, batch: &mut Batch<A>, out: &mut Output<O>) -> FnResult {
        let Self { function, context, .. } = self;
        context.each(batch, out, |record, context, out| function.process_element1(record, context, out))
    }

    fn process2(&mut self, batch: &mut Batch<B>, out: &mut Output<O>) -> FnResult {
        let Self { function, context, .. } = self;
        context.each(batch, out, |record, context, out| function.process_element2(record, context, out))
    }

    fn on_watermark(&mut self, combined: Timestamp, _out: &mut Output<O>) -> FnResult {
        self.context.set_watermark(combined);
        Ok(())
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        let Self { function, context, .. } = self;
        context.host.snapshot(request.checkpoint, |context| function.snapshot_state(context))
    }

    notify_function!();

    fn finish(&mut self, out: &mut Output<O>) -> FnResult {
        self.function.finish(&mut Collector::new(out, NO_TIMESTAMP))
    }

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}
