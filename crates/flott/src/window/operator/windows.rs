//! All windows of a subtask: their contents, and what trigger and function do with them.

use flott_core::time::{TimeDomain, Timestamp};
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, OperatorSetup, Output};
use flott_state::{
    CurrentKey, KeyedState, KeyedStateStore, OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink,
    StateRegistry, Timer, ValueState, ValueStateDescriptor,
};

use super::WindowSettings;
use super::entries::check_kept_as;
use super::fired::Fired;
use super::late::Lateness;
use super::merging::{Merge, MergingWindowSet};
use super::trigger_context::{CurrentWindow, WindowTimers};
use crate::state::keyed_state;
use crate::window::{Trigger, TriggerResult, Window, WindowContext, Work};

const TIMERS: &str = "window-timers";
const CONTENTS: &str = "window-contents";

pub(super) struct Windows<K: Key, T: Data, W: Window, R, X: Work<K, T, W>> {
    pub(super) trigger: R,
    pub(super) work: X,
    pub(super) state: KeyedState<K>,
    pub(super) timers: WindowTimers<K, W>,
    pub(super) late: Lateness<T>,
    /// By window, or by state window where windows merge.
    contents: ValueState<X::Kept>,
    /// Where windows merge, those of each key.
    merging: ValueState<MergingWindowSet<W>>,
    is_event_time: bool,
    merges: bool,
    max_parallelism: u32,
    fired: Fired,
}

/// What contents and timers are addressed by: the key with its hash.
type KeyAt<'a, K> = (&'a K, u64);

#[inline]
fn at<'a, K, W>(
    state: &'a mut KeyedState<K>,
    (key, hash): KeyAt<'a, K>,
    window: &'a W,
) -> CurrentKey<'a, K, W> {
    CurrentKey { state, key, hash, namespace: window }
}

impl<K: Key, T: Data, W: Window, R: Trigger<T, W>, X: Work<K, T, W>> Windows<K, T, W, R, X> {
    pub(super) fn new(
        (trigger, work): (R, X),
        (is_event_time, merges): (bool, bool),
        settings: WindowSettings<T>,
        setup: &OperatorSetup,
    ) -> FnResult<Self> {
        check_kept_as(setup, CONTENTS)?;
        let mut state = keyed_state(setup)?;
        let contents =
            StateRegistry::<K, W>::new(&mut state).value_state(ValueStateDescriptor::new(CONTENTS))?;
        let merging = if merges {
            state.value_state(ValueStateDescriptor::new("merging-window-set"))?
        } else {
            ValueState::default()
        };
        let (fired, watermark) = Fired::of(setup)?;
        let mut timers = WindowTimers::new(watermark, setup.task.processing_time());
        timers.event = state.restore_timers(TIMERS, TimeDomain::EventTime)?;
        timers.processing = state.restore_timers(TIMERS, TimeDomain::ProcessingTime)?;
        let late = Lateness::new(settings, is_event_time, setup);
        let max_parallelism = setup.max_parallelism;
        Ok(Self {
            trigger,
            work,
            state,
            timers,
            late,
            contents,
            merging,
            is_event_time,
            merges,
            max_parallelism,
            fired,
        })
    }

    /// Event time has come to here.
    pub(super) fn advance(&mut self, watermark: Timestamp) {
        self.timers.times.watermark = watermark;
        self.fired.advance(watermark);
    }

    pub(super) fn set_processing_time(&mut self, now: Timestamp) {
        self.timers.times.now = now;
        self.state.set_processing_time(now);
    }

    /// Begins a snapshot, and returns the part of it that is written at once.
    pub(super) fn begin_snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        self.state.begin_snapshot(request)?;
        let WindowTimers { event, processing, times, .. } = &mut self.timers;
        event.begin_snapshot(TIMERS, TimeDomain::EventTime, self.max_parallelism)?;
        processing.begin_snapshot(TIMERS, TimeDomain::ProcessingTime, self.max_parallelism)?;
        let fired = self.fired.snapshot(times.watermark)?;
        Ok(OperatorSnapshot { keyed: Vec::new(), operator: vec![fired], ..OperatorSnapshot::default() })
    }

    pub(super) fn drain_snapshot(
        &mut self,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> FnResult<bool> {
        let WindowTimers { event, processing, .. } = &mut self.timers;
        Ok(self.state.drain_snapshot(budget, sink)?
            && event.drain_snapshot(budget, sink)?
            && processing.drain_snapshot(budget, sink)?)
    }

    pub(super) fn abort_snapshot(&mut self) {
        self.state.abort_snapshot();
        self.timers.event.abort_snapshot();
        self.timers.processing.abort_snapshot();
    }

    /// Fetches what these keys have in the window, and where windows merge what they have at all, if state is on disk.
    #[inline]
    pub(super) fn load(&mut self, keys: &[K], hashes: &[u64], window: &W) -> FnResult {
        if self.merges {
            return Ok(self.state.load(keys, hashes)?);
        }
        Ok(self.contents.load(&mut self.state, keys, hashes, window)?)
    }

    /// Loads what the keys with these hashes have in the window.
    #[inline]
    pub(super) fn prefetch(&mut self, hashes: &[u64], window: &W) {
        if !self.merges {
            self.contents.prefetch(&mut self.state, hashes, window);
        }
    }

    /// When a window can no longer change.
    fn cleanup_time(&self, window: &W) -> Timestamp {
        self.late.cleanup_time(window.max_timestamp())
    }

    /// Adds a record to one window; gives it back if the window is past.
    #[inline]
    pub(super) fn add(
        &mut self,
        key: KeyAt<'_, K>,
        window: &W,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<X::Out>,
    ) -> FnResult<Option<T>> {
        if self.merges {
            return self.add_merging(key, window, record, timestamp, out);
        }
        if self.late.is_past(window.max_timestamp(), self.timers.times.watermark) {
            return Ok(Some(record));
        }
        self.add_to(key, (window, window), record, timestamp, out)?;
        Ok(None)
    }

    fn add_merging(
        &mut self,
        key: KeyAt<'_, K>,
        window: &W,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<X::Out>,
    ) -> FnResult<Option<T>> {
        let mut set = self.merging.take(&mut at(&mut self.state, key, &()))?.unwrap_or_default();
        let (window, merge) = set.add(window.clone());
        if let Some(merge) = merge {
            self.check_merge(&merge)?;
            if let Some(state_window) = set.state_window(&merge.result) {
                self.merge(key, &merge, state_window)?;
            }
        }
        let is_late = self.late.is_past(window.max_timestamp(), self.timers.times.watermark);
        if is_late {
            set.retire(&window);
        }
        let state_window = set.state_window(&window).cloned();
        if !set.is_empty() {
            self.merging.update(&mut at(&mut self.state, key, &()), set)?;
        }
        let Some(state_window) = state_window else { return Ok(Some(record)) };
        self.add_to(key, (&window, &state_window), record, timestamp, out)?;
        Ok(None)
    }

    /// Adds a record to a window whose contents are at a state window.
    #[inline]
    fn add_to(
        &mut self,
        key: KeyAt<'_, K>,
        (window, state_window): (&W, &W),
        record: T,
        timestamp: Timestamp,
        out: &mut Output<X::Out>,
    ) -> FnResult {
        let is_first = self.contents.get(&mut at(&mut self.state, key, state_window))?.is_none();
        let may_lack_timers = is_first || !R::KEEPS_TIMERS;
        let Self { trigger, state, timers, .. } = self;
        let (of_key, hash) = key;
        let mut current =
            CurrentWindow { state, timers, key: of_key, hash, window, may_lack_timers, sources: &[] };
        let result = trigger.on_element(&record, timestamp, window, &mut current)?;

        let mut contents = at(&mut self.state, key, state_window);
        match self.contents.get_mut(&mut contents)? {
            Some(kept) => self.work.add(kept, record, timestamp),
            None => self.contents.update(&mut contents, self.work.start(record, timestamp))?,
        }
        if may_lack_timers || self.merges {
            self.register_cleanup(key, window);
        }
        self.act(result, key, (window, state_window), out)
    }

    fn register_cleanup(&mut self, (key, hash): KeyAt<'_, K>, window: &W) {
        let cleanup = self.cleanup_time(window);
        if cleanup == Timestamp::MAX {
            // There is nothing to clean up after the end of time.
            return;
        }
        let WindowTimers { event, processing, .. } = &mut self.timers;
        let queue = if self.is_event_time { event } else { processing };
        queue.register(cleanup, hash, key.clone(), window.clone());
    }

    /// Emits or drops the contents of a window, as the trigger has decided.
    #[inline]
    fn act(
        &mut self,
        result: TriggerResult,
        key: KeyAt<'_, K>,
        (window, state_window): (&W, &W),
        out: &mut Output<X::Out>,
    ) -> FnResult {
        if result.fires() {
            self.emit(key, (window, state_window), result.purges(), out)
        } else if result.purges() {
            Ok(self.contents.clear(&mut at(&mut self.state, key, state_window))?)
        } else {
            Ok(())
        }
    }

    fn emit(
        &mut self,
        key: KeyAt<'_, K>,
        (window, state_window): (&W, &W),
        purge: bool,
        out: &mut Output<X::Out>,
    ) -> FnResult {
        // Taken out, for the function may use the state meanwhile.
        let taken = self.contents.take(&mut at(&mut self.state, key, state_window))?;
        let Some(mut kept) = taken else { return Ok(()) };
        let mut out = Collector::new(out, window.max_timestamp());
        let (times, merges) = (self.timers.times, self.merges);
        let Self { work, state, .. } = self;
        let mut context = WindowContext { key: key.0, hash: key.1, window, state, times, merges };
        work.emit(&mut kept, &mut context, &mut out)?;
        if !purge && !X::is_empty(&kept) {
            self.contents.update(&mut at(&mut self.state, key, state_window), kept)?;
        }
        Ok(())
    }

    pub(super) fn on_timer(
        &mut self,
        timer: &Timer<K, W>,
        domain: TimeDomain,
        out: &mut Output<X::Out>,
    ) -> FnResult {
        let Timer { timestamp, hash, key, namespace: window } = timer;
        let at_key = (key, *hash);
        let Some(state_window) = self.state_window_of(at_key, window)? else {
            // The window has merged into another or is gone; a trigger has left this timer behind.
            return Ok(());
        };
        let Self { trigger, state, timers, .. } = self;
        let mut current =
            CurrentWindow { state, timers, key, hash: *hash, window, may_lack_timers: false, sources: &[] };
        let result = match domain {
            TimeDomain::EventTime => trigger.on_event_time(*timestamp, window, &mut current)?,
            TimeDomain::ProcessingTime => trigger.on_processing_time(*timestamp, window, &mut current)?,
        };
        let waits_for_event_time = domain == TimeDomain::EventTime;
        let is_over = waits_for_event_time == self.is_event_time && *timestamp == self.cleanup_time(window);
        if is_over && result.fires() {
            // What would be dropped next need not be put back.
            self.act(TriggerResult::FireAndPurge, at_key, (window, &state_window), out)?;
        } else {
            self.act(result, at_key, (window, &state_window), out)?;
        }
        if is_over {
            self.remove(at_key, (window, &state_window))?;
        }
        Ok(())
    }

    fn state_window_of(&mut self, key: KeyAt<'_, K>, window: &W) -> FnResult<Option<W>> {
        if !self.merges {
            return Ok(Some(window.clone()));
        }
        let mut of_key = at(&mut self.state, key, &());
        let set = self.merging.get(&mut of_key)?;
        Ok(set.and_then(|set| set.state_window(window)).cloned())
    }

    /// Forgets a window that can no longer change.
    fn remove(&mut self, key: KeyAt<'_, K>, (window, state_window): (&W, &W)) -> FnResult {
        self.contents.clear(&mut at(&mut self.state, key, state_window))?;
        self.clear_trigger(key, window)?;
        let (times, merges) = (self.timers.times, self.merges);
        let Self { work, state, .. } = self;
        work.clear(&mut WindowContext { key: key.0, hash: key.1, window, state, times, merges })?;
        if self.merges {
            let mut current = at(&mut self.state, key, &());
            if let Some(set) = self.merging.get_mut(&mut current)? {
                set.retire(window);
                if set.is_empty() {
                    self.merging.clear(&mut current)?;
                }
            }
        }
        Ok(())
    }

    fn clear_trigger(&mut self, (key, hash): KeyAt<'_, K>, window: &W) -> FnResult {
        let Self { trigger, state, timers, .. } = self;
        let mut current =
            CurrentWindow { state, timers, key, hash, window, may_lack_timers: false, sources: &[] };
        trigger.clear(window, &mut current)
    }

    /// Merging may move the end of a window, but never to a time that has passed.
    fn check_merge(&self, merge: &Merge<W>) -> FnResult {
        let (end, times) = (merge.result.max_timestamp(), self.timers.times);
        if self.late.is_past(end, times.watermark) {
            return Err(format!(
                "windows have merged into one that ends at {end}, which the watermark {} has passed by more than \
                 the allowed lateness: a merged window must not end before the windows that it is made of",
                times.watermark
            )
            .into());
        }
        if !self.is_event_time && end <= times.now {
            return Err(format!(
                "windows have merged into one that ends at {end}, but the clock shows {}: a merged window must not \
                 end before the windows that it is made of",
                times.now
            )
            .into());
        }
        Ok(())
    }

    /// Brings together what the windows have that became one, and forgets them.
    fn merge(&mut self, key: KeyAt<'_, K>, merge: &Merge<W>, state_window: &W) -> FnResult {
        let Merge { result, sources, state_sources } = merge;
        let Self { trigger, state, timers, .. } = self;
        let (of_key, hash) = key;
        let mut current = CurrentWindow {
            state,
            timers,
            key: of_key,
            hash,
            window: result,
            may_lack_timers: false,
            sources,
        };
        trigger.on_merge(result, &mut current)?;
        for source in sources {
            self.clear_trigger(key, source)?;
            self.delete_cleanup(key, source);
        }
        for source in state_sources {
            let Some(kept) = self.contents.take(&mut at(&mut self.state, key, source))? else { continue };
            let mut target = at(&mut self.state, key, state_window);
            match self.contents.get_mut(&mut target)? {
                Some(all) => self.work.merge(all, kept),
                None => self.contents.update(&mut target, kept)?,
            }
        }
        Ok(())
    }

    fn delete_cleanup(&mut self, (key, hash): KeyAt<'_, K>, window: &W) {
        let cleanup = self.cleanup_time(window);
        let WindowTimers { event, processing, fired, .. } = &mut self.timers;
        // A timer that has fired is gone, and a tombstone for it would only stay behind.
        if self.is_event_time && cleanup > fired.watermark {
            event.delete(cleanup, hash, key, window);
        } else if !self.is_event_time && cleanup > fired.now {
            processing.delete(cleanup, hash, key, window);
        }
    }
}
