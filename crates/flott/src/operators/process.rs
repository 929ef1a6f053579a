use std::marker::PhantomData;
use std::rc::Rc;

use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output};
use flott_runtime::task::TaskShared;

use crate::function::{ProcessContext, ProcessFunction, RuntimeContext};

/// `process` on a stream without keys.
pub(crate) struct ProcessOperator<F, I, O> {
    function: F,
    context: RuntimeContext,
    task: Rc<TaskShared>,
    watermark: Timestamp,
    types: PhantomData<fn(I) -> O>,
}

impl<F, I, O> ProcessOperator<F, I, O> {
    pub(crate) fn new(function: F, setup: &OperatorSetup) -> Self {
        let (context, task) = (RuntimeContext::of(setup), Rc::clone(&setup.task));
        Self { function, context, task, watermark: MIN_WATERMARK, types: PhantomData }
    }
}

impl<F: ProcessFunction<I, O>, I: Data, O: Data> Operator for ProcessOperator<F, I, O> {
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.open(&self.context)
    }

    fn process(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        let mut out = Collector::new(out, NO_TIMESTAMP);
        let now = self.task.processing_time();
        let mut context = ProcessContext { timestamp: NO_TIMESTAMP, watermark: self.watermark, now };
        let timestamps = &batch.timestamps;
        for (index, record) in batch.records.drain(..).enumerate() {
            context.timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            out.set_timestamp(context.timestamp);
            self.function.process_element(record, &mut context, &mut out)?;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, _out: &mut Output<O>) -> FnResult {
        self.watermark = watermark;
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}
