use std::marker::PhantomData;
use std::sync::Arc;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, OperatorSetup, Output, TwoInputOperator};
use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink, StateError};

use super::KeyedBatch;
use crate::function::life_cycle::notify_function;
use crate::function::{KeySelector, KeyedCoProcessFunction, KeyedHost};

/// `process` on connected keyed streams.
pub(crate) struct KeyedCoProcessOperator<F, K, A, B, O> {
    function: F,
    batch1: KeyedBatch<A, K>,
    batch2: KeyedBatch<B, K>,
    host: KeyedHost<K>,
    output: PhantomData<fn() -> O>,
}

impl<F, K: Key, A: Data, B: Data, O> KeyedCoProcessOperator<F, K, A, B, O> {
    pub(crate) fn new(
        function: F,
        selector1: Arc<dyn KeySelector<A, K>>,
        selector2: Arc<dyn KeySelector<B, K>>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        let (batch1, batch2) = (KeyedBatch::new(selector1), KeyedBatch::new(selector2));
        Ok(Self { function, batch1, batch2, host: KeyedHost::new(setup)?, output: PhantomData })
    }
}

impl<F: KeyedCoProcessFunction<K, A, B, O>, K: Key, A: Data, B: Data, O: Data> TwoInputOperator
    for KeyedCoProcessOperator<F, K, A, B, O>
{
    type In1 = A;
    type In2 = B;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.host.host.initialization())?;
        self.function.open(&mut self.host.open_context())
    }

    fn process1(&mut self, batch: &mut Batch<A>, out: &mut Output<O>) -> FnResult {
        let Self { function, batch1, host, .. } = self;
        batch1.each(batch, host, out, |record, context, out| function.process_element1(record, context, out))
    }

    fn process2(&mut self, batch: &mut Batch<B>, out: &mut Output<O>) -> FnResult {
        let Self { function, batch2, host, .. } = self;
        batch2.each(batch, host, out, |record, context, out| function.process_element2(record, context, out))
    }

    fn on_watermark(&mut self, combined: Timestamp, out: &mut Output<O>) -> FnResult {
        let Self { function, host, .. } = self;
        host.advance_watermark(combined, out, |time, context, out| function.on_timer(time, context, out))
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
