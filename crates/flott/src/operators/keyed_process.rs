use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use flott_core::time::{NO_TIMESTAMP, TimeDomain, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output};
use flott_runtime::task::TaskShared;
use flott_state::{KeyedState, StateError, Timer};

use super::KeyedBatch;
use super::keyed::RUN;
use crate::function::{
    KeySelector, KeyTimers, KeyedContext, KeyedProcessFunction, OnTimerContext, OpenContext, RuntimeContext,
};
use crate::state::keyed_state;

/// `process` on a keyed stream.
pub(crate) struct KeyedProcessOperator<F, K, I, O> {
    function: F,
    context: RuntimeContext,
    task: Rc<TaskShared>,
    batch: KeyedBatch<I, K>,
    state: KeyedState<K>,
    timers: KeyTimers<K>,
    output: PhantomData<fn() -> O>,
}

impl<F: KeyedProcessFunction<K, I, O>, K: Key, I: Data, O: Data> KeyedProcessOperator<F, K, I, O> {
    pub(crate) fn new(
        function: F,
        selector: Arc<dyn KeySelector<I, K>>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        Ok(Self {
            function,
            context: RuntimeContext::of(setup),
            task: Rc::clone(&setup.task),
            batch: KeyedBatch::new(selector),
            state: keyed_state(setup)?,
            timers: KeyTimers::new(setup.task.processing_time()),
            output: PhantomData,
        })
    }

    fn fire(&mut self, timer: &Timer<K, ()>, domain: TimeDomain, out: &mut Output<O>) -> FnResult {
        let timestamp = match domain {
            TimeDomain::EventTime => timer.timestamp,
            TimeDomain::ProcessingTime => NO_TIMESTAMP,
        };
        let keyed = KeyedContext {
            key: &timer.key,
            hash: timer.hash,
            state: &mut self.state,
            timers: &mut self.timers,
            timestamp,
        };
        let mut context = OnTimerContext { keyed, domain };
        self.function.on_timer(timer.timestamp, &mut context, &mut Collector::new(out, timestamp))
    }

    /// Fires what is due up to `time`, fetching the state of the timers that come next.
    fn fire_due(&mut self, time: Timestamp, domain: TimeDomain, out: &mut Output<O>) -> FnResult {
        let mut fired = 0_usize;
        let mut hashes = [0; RUN];
        loop {
            let queue = match domain {
                TimeDomain::EventTime => &mut self.timers.event,
                TimeDomain::ProcessingTime => &mut self.timers.processing,
            };
            let Some(timer) = queue.pop_due(time) else { return Ok(()) };
            if fired.is_multiple_of(RUN) {
                let mut count = 0;
                for (slot, hash) in hashes.iter_mut().zip(queue.upcoming_hashes(RUN)) {
                    *slot = hash;
                    count += 1;
                }
                self.state.prefetch(&hashes[..count]);
            }
            fired += 1;
            self.fire(&timer, domain, out)?;
        }
    }
}

impl<F: KeyedProcessFunction<K, I, O>, K: Key, I: Data, O: Data> Operator
    for KeyedProcessOperator<F, K, I, O>
{
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        self.function.open(&mut OpenContext::new(&self.context, &mut self.state))
    }

    fn process(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        self.timers.now = self.task.processing_time();
        self.batch.extract(batch)?;
        let mut out = Collector::new(out, NO_TIMESTAMP);
        let Self { function, batch: keyed, state, timers, .. } = self;
        let Batch { records, timestamps, .. } = batch;
        let keys = keyed.keys().iter().zip(keyed.hashes());
        for (index, (record, (key, &hash))) in records.drain(..).zip(keys).enumerate() {
            if let Some(ahead) = keyed.ahead(index) {
                state.prefetch(ahead);
            }
            let timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            out.set_timestamp(timestamp);
            let mut context = KeyedContext { key, hash, state, timers, timestamp };
            function.process_element(record, &mut context, &mut out)?;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<O>) -> FnResult {
        self.timers.now = self.task.processing_time();
        self.timers.watermark = watermark;
        self.fire_due(watermark, TimeDomain::EventTime, out)
    }

    fn on_processing_time(&mut self, now: Timestamp, out: &mut Output<O>) -> FnResult {
        self.timers.now = now;
        self.fire_due(now, TimeDomain::ProcessingTime, out)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.timers.processing.next_due()
    }

    fn close(&mut self) -> FnResult {
        self.function.close()
    }
}
