use std::marker::PhantomData;
use std::sync::Arc;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, OperatorSetup, Output, TwoInputOperator};
use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink, StateError};

use super::KeyedBatch;
use crate::function::life_cycle::notify_function;
use crate::function::{KeySelector, KeyedBroadcastContext, KeyedBroadcastProcessFunction, KeyedHost};

/// `process` on a keyed stream that is connected with a broadcast one.
pub(crate) struct KeyedBroadcastProcessOperator<F, K, I, B, O> {
    function: F,
    batch: KeyedBatch<I, K>,
    host: KeyedHost<K>,
    types: PhantomData<fn(B) -> O>,
}

impl<F, K: Key, I: Data, B, O> KeyedBroadcastProcessOperator<F, K, I, B, O> {
    /// `declared` are the names of the broadcast states.
    pub(crate) fn new(
        function: F,
        selector: Arc<dyn KeySelector<I, K>>,
        declared: Vec<String>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        let (batch, mut host) = (KeyedBatch::new(selector), KeyedHost::new(setup)?);
        host.host.declare(declared);
        Ok(Self { function, batch, host, types: PhantomData })
    }
}

impl<F: KeyedBroadcastProcessFunction<K, I, B, O>, K: Key, I: Data, B: Data, O: Data> TwoInputOperator
    for KeyedBroadcastProcessOperator<F, K, I, B, O>
{
    type In1 = I;
    type In2 = B;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.initialize_state(&mut self.host.host.initialization())?;
        self.function.open(&mut self.host.open_context())
    }

    fn process1(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        let Self { function, batch: keyed, host, .. } = self;
        keyed.each(batch, host, out, |record, context, out| function.process_element(record, context, out))
    }

    fn process2(&mut self, batch: &mut Batch<B>, out: &mut Output<O>) -> FnResult {
        self.host.start_batch();
        let mut out = Collector::new(out, NO_TIMESTAMP);
        for (index, record) in batch.records.drain(..).enumerate() {
            let timestamp = batch.timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            out.set_timestamp(timestamp);
            let mut context = KeyedBroadcastContext::new(&mut self.host, timestamp);
            self.function.process_broadcast_element(record, &mut context, &mut out)?;
        }
        Ok(())
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
