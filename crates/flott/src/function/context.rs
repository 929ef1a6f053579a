//! What a function may know and do beside its record.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use flott_core::Key;
use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, TimeDomain, Timestamp};
use flott_runtime::metrics::{Counter, Gauge, OperatorMetrics};
use flott_runtime::operator::OperatorSetup;
use flott_state::{CurrentKey, HasKeyedState, KeyedState, KeyedStateStore, TimerQueue};

/// A function's place in the job (Flink: `RuntimeContext`).
#[derive(Clone)]
pub struct RuntimeContext {
    name: Arc<str>,
    subtask: u32,
    parallelism: u32,
    max_parallelism: u32,
    attempt: u32,
    metrics: Arc<OperatorMetrics>,
}

impl RuntimeContext {
    pub(crate) fn of(setup: &OperatorSetup) -> Self {
        Self {
            name: Arc::clone(&setup.name),
            subtask: setup.subtask,
            parallelism: setup.parallelism,
            max_parallelism: setup.max_parallelism,
            attempt: setup.attempt,
            metrics: Arc::clone(&setup.metrics),
        }
    }

    /// The operator's name.
    pub fn operator_name(&self) -> &str {
        &self.name
    }

    /// The index of this subtask, from 0.
    pub fn index_of_this_subtask(&self) -> u32 {
        self.subtask
    }

    /// How many subtasks the operator has.
    pub fn number_of_parallel_subtasks(&self) -> u32 {
        self.parallelism
    }

    /// How many key groups the operator's keyed state has.
    pub fn max_number_of_parallel_subtasks(&self) -> u32 {
        self.max_parallelism
    }

    /// How often the subtask has been started before.
    pub fn attempt_number(&self) -> u32 {
        self.attempt
    }

    /// A counter of the user's, by name; it starts at 0.
    pub fn counter(&self, name: &str) -> Counter {
        self.metrics.counter(name)
    }

    /// A gauge of the user's, by name; it starts at 0.
    pub fn gauge(&self, name: &str) -> Gauge {
        self.metrics.gauge(name)
    }
}

/// Where a keyed function gets its state, in `open`. No key is current, so the state can't be used yet.
pub struct OpenContext<'a, K> {
    runtime: &'a RuntimeContext,
    state: &'a mut KeyedState<K>,
}

impl<'a, K: Key> OpenContext<'a, K> {
    pub(crate) fn new(runtime: &'a RuntimeContext, state: &'a mut KeyedState<K>) -> Self {
        Self { runtime, state }
    }
}

impl<K: Key> KeyedStateStore for OpenContext<'_, K> {
    type Key = K;
    type Namespace = ();

    fn keyed_state(&mut self) -> &mut KeyedState<K> {
        self.state
    }
}

impl<K> Deref for OpenContext<'_, K> {
    type Target = RuntimeContext;

    fn deref(&self) -> &RuntimeContext {
        self.runtime
    }
}

/// What a [`super::ProcessFunction`] knows beside the record.
#[derive(Clone, Copy, Debug)]
pub struct ProcessContext {
    pub(crate) timestamp: Timestamp,
    pub(crate) watermark: Timestamp,
    pub(crate) now: Timestamp,
}

impl ProcessContext {
    /// The record's timestamp, if it has one.
    pub fn timestamp(&self) -> Option<Timestamp> {
        (self.timestamp != NO_TIMESTAMP).then_some(self.timestamp)
    }

    /// The last watermark, `i64::MIN` before the first.
    pub fn current_watermark(&self) -> Timestamp {
        self.watermark
    }

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    pub fn current_processing_time(&self) -> Timestamp {
        self.now
    }
}

/// The timers of an operator with keyed state, in both time domains.
pub(crate) struct KeyTimers<K> {
    pub(crate) event: TimerQueue<K, ()>,
    pub(crate) processing: TimerQueue<K, ()>,
    pub(crate) watermark: Timestamp,
    pub(crate) now: Timestamp,
}

impl<K: Key> KeyTimers<K> {
    pub(crate) fn new(now: Timestamp) -> Self {
        let (event, processing) = (TimerQueue::default(), TimerQueue::default());
        Self { event, processing, watermark: MIN_WATERMARK, now }
    }
}

/// What a [`super::KeyedProcessFunction`] knows and can do beside the record: the key, its state, its timers.
pub struct KeyedContext<'a, K> {
    pub(crate) key: &'a K,
    pub(crate) hash: u64,
    pub(crate) state: &'a mut KeyedState<K>,
    pub(crate) timers: &'a mut KeyTimers<K>,
    pub(crate) timestamp: Timestamp,
}

impl<K: Key> KeyedContext<'_, K> {
    /// The key of the record or timer.
    pub fn current_key(&self) -> &K {
        self.key
    }

    /// The timestamp of the record, if it has one; of an event-time timer, its time.
    pub fn timestamp(&self) -> Option<Timestamp> {
        (self.timestamp != NO_TIMESTAMP).then_some(self.timestamp)
    }

    /// The last watermark, `i64::MIN` before the first.
    pub fn current_watermark(&self) -> Timestamp {
        self.timers.watermark
    }

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    pub fn current_processing_time(&self) -> Timestamp {
        self.timers.now
    }

    /// Asks for `on_timer` once the watermark reaches `time`. Registering the same time again for the same key changes
    /// nothing. A time that the watermark has passed already fires when it advances next.
    pub fn register_event_time_timer(&mut self, time: Timestamp) {
        self.timers.event.register(time, self.hash, self.key.clone(), ());
    }

    /// Asks for `on_timer` once the clock reaches `time`, milliseconds since the epoch.
    pub fn register_processing_time_timer(&mut self, time: Timestamp) {
        self.timers.processing.register(time, self.hash, self.key.clone(), ());
    }

    /// Takes back an event-time timer of the current key. Nothing happens if there is none.
    pub fn delete_event_time_timer(&mut self, time: Timestamp) {
        self.timers.event.delete(time, self.hash, self.key, &());
    }

    /// Takes back a processing-time timer of the current key. Nothing happens if there is none.
    pub fn delete_processing_time_timer(&mut self, time: Timestamp) {
        self.timers.processing.delete(time, self.hash, self.key, &());
    }
}

impl<K: Key> HasKeyedState for KeyedContext<'_, K> {
    type Key = K;
    type Namespace = ();

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, K> {
        CurrentKey::new(self.state, self.key, self.hash)
    }
}

/// A [`KeyedContext`] while a timer fires.
pub struct OnTimerContext<'a, K> {
    pub(crate) keyed: KeyedContext<'a, K>,
    pub(crate) domain: TimeDomain,
}

impl<K> OnTimerContext<'_, K> {
    /// Which clock the timer has waited for.
    pub fn time_domain(&self) -> TimeDomain {
        self.domain
    }
}

impl<'a, K> Deref for OnTimerContext<'a, K> {
    type Target = KeyedContext<'a, K>;

    fn deref(&self) -> &KeyedContext<'a, K> {
        &self.keyed
    }
}

impl<K> DerefMut for OnTimerContext<'_, K> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.keyed
    }
}

impl<K: Key> HasKeyedState for OnTimerContext<'_, K> {
    type Key = K;
    type Namespace = ();

    fn current(&mut self) -> CurrentKey<'_, K> {
        self.keyed.current()
    }
}
