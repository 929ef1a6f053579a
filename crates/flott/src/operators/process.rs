use std::marker::PhantomData;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output};
use flott_state::{OperatorSnapshot, SnapshotRequest};

use crate::function::life_cycle::notify_function;
use crate::function::{ProcessContext, ProcessFunction};

/// `process` on a stream without keys.
pub(crate) struct ProcessOperator<F, I, O> {
    function: F,
    context: ProcessContext,
    types: PhantomData<fn(I) -> O>,
}

impl<F, I, O> ProcessOperator<F, I, O> {
    pub(crate) fn new(function: F, setup: &OperatorSetup) -> Self {
        Self { function, context: ProcessContext::new(setup), types: PhantomData }
    }
}

impl<F: ProcessFunction<I, O>, I: Data, O: Data> Operator for ProcessOperator<F, I, O> {
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.context.host.initialization())?;
        self.function.open(&self.context.host.runtime)
    }

    fn process(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        let Self { function, context, .. } = self;
        context.each(batch, out, |record, context, out| function.process_element(record, context, out))
    }

    fn on_watermark(&mut self, watermark: Timestamp, _out: &mut Output<O>) -> FnResult {
        self.context.set_watermark(watermark);
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
