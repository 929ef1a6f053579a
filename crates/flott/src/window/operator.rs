//! The window operator: one accumulator for each key and window.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::metrics::OperatorMetrics;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output, OutputTag};
use flott_state::{
    CurrentKey, KeyedState, KeyedStateStore, StateError, StateRegistry, Timer, TimerQueue, ValueState,
    ValueStateDescriptor,
};

use super::trigger::WindowTimers;
use super::{Trigger, TriggerResult, Window, WindowAssigner};
use crate::function::KeySelector;
use crate::operators::KeyedBatch;
use crate::state::keyed_state;

/// What is kept of the records of a window.
pub(crate) trait WindowAggregate<T>: Clone + Send + 'static {
    type Accumulator: Data;
    type Output: Data;

    /// The accumulator of a first record.
    fn start(&self, record: T) -> Self::Accumulator;
    fn add(&self, accumulator: &mut Self::Accumulator, record: T);
    fn result(&self, accumulator: &Self::Accumulator) -> Self::Output;
}

/// What is emitted for the result of a window.
pub(crate) trait Emit<K, W, R, O>: Clone + Send + 'static {
    fn emit(&mut self, key: &K, window: &W, result: R, out: &mut Collector<'_, O>);
}

/// The result itself.
#[derive(Clone, Copy)]
pub(crate) struct EmitResult;

impl<K, W, R: Data> Emit<K, W, R, R> for EmitResult {
    fn emit(&mut self, _: &K, _: &W, result: R, out: &mut Collector<'_, R>) {
        out.collect(result);
    }
}

/// What a function makes of key, window and result.
#[derive(Clone)]
pub(crate) struct WithFunction<F>(pub(crate) F);

impl<K, W, R, O, F> Emit<K, W, R, O> for WithFunction<F>
where
    F: FnMut(&K, &W, R, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    fn emit(&mut self, key: &K, window: &W, result: R, out: &mut Collector<'_, O>) {
        (self.0)(key, window, result, out);
    }
}

/// What a program can set on windows of any kind.
pub(crate) struct WindowSettings<T> {
    pub(crate) allowed_lateness: Duration,
    pub(crate) late: Option<OutputTag<T>>,
}

impl<T> Default for WindowSettings<T> {
    fn default() -> Self {
        Self { allowed_lateness: Duration::ZERO, late: None }
    }
}

impl<T> Clone for WindowSettings<T> {
    fn clone(&self) -> Self {
        Self { allowed_lateness: self.allowed_lateness, late: self.late.clone() }
    }
}

/// Windows on a keyed stream.
pub(crate) struct WindowOperator<K, T, O, A: WindowAssigner<T>, R, G: WindowAggregate<T>, E> {
    assigner: A,
    trigger: R,
    aggregate: G,
    emit: E,
    batch: KeyedBatch<T, K>,
    windows: Windows<K, A::Window, G::Accumulator>,
    assigned: Vec<A::Window>,
    late: Option<OutputTag<T>>,
    metrics: Arc<OperatorMetrics>,
    output: PhantomData<fn() -> O>,
}

#[inline]
fn at<'a, K, W>(state: &'a mut KeyedState<K>, hash: u64, key: &'a K, window: &'a W) -> CurrentKey<'a, K, W> {
    CurrentKey { state, key, hash, namespace: window }
}

/// The contents and timers of all windows.
struct Windows<K, W: Window, C> {
    state: KeyedState<K>,
    contents: ValueState<C>,
    event: TimerQueue<K, W>,
    processing: TimerQueue<K, W>,
    watermark: Timestamp,
    allowed_lateness_ms: i64,
}

impl<K: Key, W: Window, C: Data> Windows<K, W, C> {
    /// When a window can no longer change.
    fn cleanup_time(&self, window: &W) -> Timestamp {
        window.max_timestamp().saturating_add(self.allowed_lateness_ms)
    }

    fn is_late(&self, window: &W) -> bool {
        self.cleanup_time(window) <= self.watermark
    }

    fn timers<'a>(&'a mut self, key: &'a K, hash: u64, window: &'a W, first: bool) -> WindowTimers<'a, K, W> {
        WindowTimers {
            key,
            hash,
            window,
            watermark: self.watermark,
            first,
            event: &mut self.event,
            processing: &mut self.processing,
        }
    }
}

impl<K, T, O, A, R, G, E> WindowOperator<K, T, O, A, R, G, E>
where
    K: Key,
    T: Data,
    O: Data,
    A: WindowAssigner<T>,
    R: Trigger<T, A::Window>,
    G: WindowAggregate<T>,
    E: Emit<K, A::Window, G::Output, O>,
{
    pub(crate) fn new(
        (assigner, trigger, aggregate, emit): (A, R, G, E),
        selector: Arc<dyn KeySelector<T, K>>,
        settings: WindowSettings<T>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        let mut state = keyed_state(setup)?;
        let contents = StateRegistry::<K, A::Window>::new(&mut state)
            .value_state(ValueStateDescriptor::new("window-contents"))?;
        let allowed_lateness_ms = i64::try_from(settings.allowed_lateness.as_millis()).unwrap_or(i64::MAX);
        let windows = Windows {
            state,
            contents,
            event: TimerQueue::default(),
            processing: TimerQueue::default(),
            watermark: MIN_WATERMARK,
            allowed_lateness_ms,
        };
        Ok(Self {
            assigner,
            trigger,
            aggregate,
            emit,
            batch: KeyedBatch::new(selector),
            windows,
            assigned: Vec::new(),
            late: settings.late,
            metrics: Arc::clone(&setup.metrics),
            output: PhantomData,
        })
    }

    /// Adds a record to the windows in `self.assigned`.
    #[inline]
    fn add(&mut self, index: usize, record: T, timestamp: Timestamp, out: &mut Output<O>) -> FnResult {
        let assigned = std::mem::take(&mut self.assigned);
        // A single window gets the record itself, each of several a clone.
        let result = match assigned.as_slice() {
            [] => {
                let is_late =
                    timestamp.saturating_add(self.windows.allowed_lateness_ms) <= self.windows.watermark;
                self.count_late(is_late.then_some(record), timestamp, out);
                Ok(())
            }
            [only] => self
                .add_to(only, index, record, timestamp, out)
                .map(|late| self.count_late(late, timestamp, out)),
            many => self.add_to_many(many, index, record, timestamp, out),
        };
        self.assigned = assigned;
        result
    }

    fn add_to_many(
        &mut self,
        windows: &[A::Window],
        index: usize,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<O>,
    ) -> FnResult {
        let mut taken = false;
        let mut last_late = None;
        for window in windows {
            match self.add_to(window, index, record.clone(), timestamp, out)? {
                None => taken = true,
                late => last_late = late,
            }
        }
        if !taken {
            self.count_late(last_late, timestamp, out);
        }
        Ok(())
    }

    /// A record that no window took.
    fn count_late(&mut self, late: Option<T>, timestamp: Timestamp, out: &mut Output<O>) {
        let Some(record) = late else { return };
        match &self.late {
            Some(tag) => out.side().emit(tag, record, timestamp),
            None => self.metrics.late_records_dropped.add(1),
        }
    }

    /// Adds a record to one window; gives it back if the window is past.
    #[inline]
    fn add_to(
        &mut self,
        window: &A::Window,
        index: usize,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<O>,
    ) -> FnResult<Option<T>> {
        if self.windows.is_late(window) {
            return Ok(Some(record));
        }
        let (key, hash) = (&self.batch.keys()[index], self.batch.hashes()[index]);
        let Windows { state, contents, .. } = &mut self.windows;
        let first = match contents.get_mut(&mut at(state, hash, key, window))? {
            Some(accumulator) => {
                self.aggregate.add(accumulator, record);
                false
            }
            None => {
                contents.update(&mut at(state, hash, key, window), self.aggregate.start(record))?;
                true
            }
        };
        if first {
            let cleanup = self.windows.cleanup_time(window);
            // A window of no lateness is cleaned up by the timer at its end, which the default trigger registers too.
            if cleanup < Timestamp::MAX {
                self.windows.event.register(cleanup, hash, key.clone(), window.clone());
            }
        }
        let mut timers = self.windows.timers(key, hash, window, first);
        let result = self.trigger.on_element(timestamp, window, &mut timers);
        if result != TriggerResult::Continue {
            let (key, window) = (key.clone(), window.clone());
            self.act(result, &key, hash, &window, out)?;
        }
        Ok(None)
    }

    /// Emits or drops the contents of a window, as the trigger has decided.
    fn act(
        &mut self,
        result: TriggerResult,
        key: &K,
        hash: u64,
        window: &A::Window,
        out: &mut Output<O>,
    ) -> FnResult {
        let Windows { state, contents, .. } = &mut self.windows;
        if result.fires()
            && let Some(accumulator) = contents.get(&mut at(state, hash, key, window))?
        {
            let result = self.aggregate.result(accumulator);
            let mut out = Collector::new(out, window.max_timestamp());
            self.emit.emit(key, window, result, &mut out);
        }
        if result.purges() {
            contents.clear(&mut at(state, hash, key, window))?;
        }
        Ok(())
    }

    fn on_event_timer(&mut self, timer: &Timer<K, A::Window>, out: &mut Output<O>) -> FnResult {
        let Timer { timestamp, hash, key, namespace: window } = timer;
        let mut timers = self.windows.timers(key, *hash, window, false);
        let result = self.trigger.on_event_time(*timestamp, window, &mut timers);
        self.act(result, key, *hash, window, out)?;
        if *timestamp == self.windows.cleanup_time(window) {
            self.remove(key, *hash, window)?;
        }
        Ok(())
    }

    /// Forgets a window that can no longer change.
    fn remove(&mut self, key: &K, hash: u64, window: &A::Window) -> FnResult {
        let Windows { state, contents, .. } = &mut self.windows;
        contents.clear(&mut at(state, hash, key, window))?;
        let mut timers = self.windows.timers(key, hash, window, false);
        self.trigger.clear(window, &mut timers);
        Ok(())
    }

    #[cold]
    fn no_timestamp() -> flott_runtime::error::BoxError {
        "a record has no timestamp, which event-time windows need: give the source a WatermarkStrategy with a \
         timestamp assigner, or call assign_timestamps_and_watermarks"
            .into()
    }
}

impl<K, T, O, A, R, G, E> Operator for WindowOperator<K, T, O, A, R, G, E>
where
    K: Key,
    T: Data,
    O: Data,
    A: WindowAssigner<T>,
    R: Trigger<T, A::Window>,
    G: WindowAggregate<T>,
    E: Emit<K, A::Window, G::Output, O>,
{
    type In = T;
    type Out = O;

    fn process(&mut self, batch: &mut Batch<T>, out: &mut Output<O>) -> FnResult {
        self.batch.extract(batch)?;
        let event_time = self.assigner.is_event_time();
        let timestamps = &batch.timestamps;
        for (index, record) in batch.records.drain(..).enumerate() {
            let timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            if event_time && timestamp == NO_TIMESTAMP {
                return Err(Self::no_timestamp());
            }
            self.assigner.assign(&record, timestamp, &mut self.assigned);
            if let (Some(ahead), Some(window)) = (self.batch.ahead(index), self.assigned.last()) {
                // The records ahead are most likely in the window of this one.
                let Windows { state, contents, .. } = &mut self.windows;
                contents.prefetch(state, ahead, window);
            }
            self.add(index, record, timestamp, out)?;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<O>) -> FnResult {
        self.windows.watermark = watermark;
        while let Some(timer) = self.windows.event.pop_due(watermark) {
            self.on_event_timer(&timer, out)?;
        }
        Ok(())
    }

    fn on_processing_time(&mut self, now: Timestamp, out: &mut Output<O>) -> FnResult {
        while let Some(Timer { timestamp, hash, key, namespace }) = self.windows.processing.pop_due(now) {
            let mut timers = self.windows.timers(&key, hash, &namespace, false);
            let result = self.trigger.on_processing_time(timestamp, &namespace, &mut timers);
            self.act(result, &key, hash, &namespace, out)?;
        }
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.windows.processing.next_due()
    }
}
