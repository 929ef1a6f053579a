use std::marker::PhantomData;
use std::sync::Arc;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output};
use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink, StateError};

use super::KeyedBatch;
use crate::function::life_cycle::notify_function;
use crate::function::{KeySelector, KeyedHost, KeyedProcessFunction};

/// `process` on a keyed stream.
pub(crate) struct KeyedProcessOperator<F, K, I, O> {
    function: F,
    batch: KeyedBatch<I, K>,
    host: KeyedHost<K>,
    output: PhantomData<fn() -> O>,
}

impl<F, K: Key, I: Data, O> KeyedProcessOperator<F, K, I, O> {
    pub(crate) fn new(
        function: F,
        selector: Arc<dyn KeySelector<I, K>>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        let (batch, host) = (KeyedBatch::new(selector), KeyedHost::new(setup)?);
        Ok(Self { function, batch, host, output: PhantomData })
    }
}

impl<F: KeyedProcessFunction<K, I, O>, K: Key, I: Data, O: Data> Operator
    for KeyedProcessOperator<F, K, I, O>
{
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.host.host.initialization())?;
        self.function.open(&mut self.host.open_context())
    }

    fn process(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        let Self { function, batch: keyed, host, .. } = self;
        keyed.each(batch, host, out, |record, context, out| function.process_element(record, context, out))
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<O>) -> FnResult {
        let Self { function, host, .. } = self;
        host.advance_watermark(watermark, out, |time, context, out| function.on_timer(time, context, out))
    }

    fn on_processing_time(&mut self, now: Timestamp, out: &mut Output<O>) -> FnResult {
        let Self { function, host, .. } = self;
        host.advance_processing_time(now, out, |time, context, out| function.on_timer(time, context, out))
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.host.next_timer()
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        let Self { function, host, .. } = self;
        host.snapshot(request, |context| function.snapshot_state(context))
    }

    notify_function!();

    fn drain_snapshot(&mut self, budget: &mut SnapshotBudget, sink: &mut dyn SnapshotSink) -> FnResult<bool> {
        self.host.drain_snapshot(budget, sink)
    }

    fn abort_snapshot(&mut self) {
        self.host.abort_snapshot();
    }

    fn finish(&mut self, out: &mut Output<O>) -> FnResult {
        self.function.finish(&mut Collector::new(out, NO_TIMESTAMP))
    }

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}
