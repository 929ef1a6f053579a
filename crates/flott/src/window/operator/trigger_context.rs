//! What a trigger is given: the state and timers of one key and window.

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::{CurrentKey, HasKeyedState, KeyedState, MergingState, TimerQueue};

use crate::window::function::Times;
use crate::window::{OnMergeContext, TriggerContext, Window};

/// The timers of all windows, and the times that they wait for.
pub(super) struct WindowTimers<K, W> {
    pub(super) event: TimerQueue<K, W>,
    pub(super) processing: TimerQueue<K, W>,
    pub(super) times: Times,
    /// Up to which times timers have fired.
    pub(super) fired: Times,
}

impl<K: Key, W: Window> WindowTimers<K, W> {
    pub(super) fn new(watermark: Timestamp, now: Timestamp) -> Self {
        let times = Times { watermark, now };
        let fired = Times { watermark: Timestamp::MIN, now: Timestamp::MIN };
        Self { event: TimerQueue::default(), processing: TimerQueue::default(), times, fired }
    }
}

pub(super) struct CurrentWindow<'a, K, W> {
    pub(super) state: &'a mut KeyedState<K>,
    pub(super) timers: &'a mut WindowTimers<K, W>,
    pub(super) key: &'a K,
    pub(super) hash: u64,
    pub(super) window: &'a W,
    /// Whether timers that an earlier record has registered may be missing.
    pub(super) may_lack_timers: bool,
    /// The windows that have merged into this one.
    pub(super) sources: &'a [W],
}

impl<K: Key, W: Window> HasKeyedState for CurrentWindow<'_, K, W> {
    type Key = K;
    type Namespace = W;

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, K, W> {
        CurrentKey { state: self.state, key: self.key, hash: self.hash, namespace: self.window }
    }
}

impl<K: Key, W: Window> TriggerContext<W> for CurrentWindow<'_, K, W> {
    #[inline]
    fn current_watermark(&self) -> Timestamp {
        self.timers.times.watermark
    }

    #[inline]
    fn current_processing_time(&self) -> Timestamp {
        self.timers.times.now
    }

    #[inline]
    fn may_lack_timers(&self) -> bool {
        self.may_lack_timers
    }

    #[inline]
    fn register_event_time_timer(&mut self, time: Timestamp) {
        self.timers.event.register(time, self.hash, self.key.clone(), self.window.clone());
    }

    #[inline]
    fn register_processing_time_timer(&mut self, time: Timestamp) {
        self.timers.processing.register(time, self.hash, self.key.clone(), self.window.clone());
    }

    fn delete_event_time_timer(&mut self, time: Timestamp) {
        self.timers.event.delete(time, self.hash, self.key, self.window);
    }

    fn delete_processing_time_timer(&mut self, time: Timestamp) {
        self.timers.processing.delete(time, self.hash, self.key, self.window);
    }

    fn fired_event_time(&self) -> Timestamp {
        self.timers.fired.watermark
    }

    fn fired_processing_time(&self) -> Timestamp {
        self.timers.fired.now
    }
}

impl<K: Key, W: Window> OnMergeContext<W> for CurrentWindow<'_, K, W> {
    fn merge_partitioned_state<S: MergingState<K, W>>(&mut self, state: S) -> FnResult {
        Ok(state.merge_namespaces(self.state, self.key, self.hash, self.window, self.sources)?)
    }
}
