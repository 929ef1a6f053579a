//! The window operator for tumbling and sliding windows of event time with their default trigger.
//!
//! All keys have the same windows, and these fire in the order of time. So contents are kept in a table for each pane,
//! no key has a timer, and a pane that no window needs any more is dropped as a whole.

use std::rc::Rc;
use std::sync::Arc;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output};
use flott_runtime::task::TaskShared;
use flott_state::{KeyedState, OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink};

use super::contents::Contents;
use super::entries::Restored;
use super::fired::Fired;
use super::late::Lateness;
use super::panes::{Pane, Panes};
use super::running::Running;
use super::{WindowSettings, no_timestamp};
use crate::function::{KeySelector, RuntimeContext};
use crate::operators::{KeyedBatch, RUN};
use crate::window::function::Times;
use crate::window::{
    AlignedShape, AlignedWindows, TimeWindow, Window, WindowContext, WindowOpenContext, Work,
};

/// The name of the contents in snapshots.
const PANES: &str = "window-panes";

/// Tumbling or sliding windows of event time on a keyed stream.
pub(crate) struct AlignedWindowOperator<K: Key, T: Data, W: Window, X: Work<K, T, W>> {
    windows: AlignedWindows,
    /// What the user's function knows a window as.
    shown: fn(TimeWindow) -> W,
    context: RuntimeContext,
    task: Rc<TaskShared>,
    batch: KeyedBatch<T, K>,
    panes: Panes<K, X::Kept>,
    running: Running<K, X::Kept, X, T, W>,
    firing: Firing<K, X>,
    fired: Fired,
    late: Lateness<T>,
    assigned: Vec<TimeWindow>,
    max_parallelism: u32,
    /// The snapshot that is being written.
    frozen: Option<Frozen<K, X::Kept>>,
}

/// A snapshot that is being written.
struct Frozen<K, V> {
    contents: Contents,
    /// Panes that were dropped before they were written.
    dropped: Vec<Pane<K, V>>,
}

/// What firing a window takes.
struct Firing<K, X> {
    work: X,
    state: KeyedState<K>,
    times: Times,
}

impl<K: Key, T: Data, W: Window, X: Work<K, T, W>> AlignedWindowOperator<K, T, W, X> {
    pub(crate) fn new(
        (windows, shown): AlignedShape<W>,
        work: X,
        selector: Arc<dyn KeySelector<T, K>>,
        settings: WindowSettings<T>,
        setup: &OperatorSetup,
    ) -> FnResult<Self> {
        let mut restored = Restored::of(setup, PANES)?;
        let mut panes = Panes::new(windows);
        restored.for_each(setup, |hash, key, span: TimeWindow, kept| match panes.at(span.start) {
            Some(pane) if pane.span == span => {
                pane.table.insert(hash, key, kept);
                Ok(())
            }
            _ => Err(format!(
                "records from {} to {} fit no window: restore with windows as before",
                span.start, span.end
            )),
        })?;
        let times = Times { watermark: restored.watermark, now: setup.task.processing_time() };
        Ok(Self {
            windows,
            shown,
            context: RuntimeContext::of(setup),
            task: Rc::clone(&setup.task),
            batch: KeyedBatch::new(selector),
            panes,
            running: Running::default(),
            firing: Firing { work, state: restored.state, times },
            fired: restored.fired,
            late: Lateness::new(settings, true, setup),
            assigned: Vec::new(),
            max_parallelism: setup.max_parallelism,
            frozen: None,
        })
    }

    /// Adds a record whose time the watermark of its key may have passed: windows may be over, or fire again.
    #[cold]
    fn add_late(
        &mut self,
        index: usize,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<X::Out>,
    ) -> FnResult {
        let hash = self.batch.hashes()[index];
        let watermark = self.fired.of_key(hash, self.firing.times.watermark);
        let mut assigned = std::mem::take(&mut self.assigned);
        self.windows.assign(timestamp, &mut assigned);
        assigned.retain(|window| !self.late.is_past(window.max_timestamp(), watermark));
        if assigned.is_empty() {
            self.late.not_taken(record, timestamp, watermark, out);
        } else {
            self.add(index, record, timestamp);
            let (key, hash) = (&self.batch.keys()[index], self.batch.hashes()[index]);
            if !self.panes.are_windows() {
                self.running.mark_stale(hash, key, self.panes.slides());
            }
            for window in assigned.iter().filter(|window| window.max_timestamp() <= watermark) {
                let shown = (self.shown)(*window);
                if self.panes.are_windows() {
                    // In place, for an evictor may drop records for good.
                    for pane in self.panes.of_mut(*window) {
                        let Some(kept) = pane.table.get_mut(hash, key) else { continue };
                        self.firing.emit((key, hash), &shown, kept, out)?;
                    }
                    continue;
                }
                let panes = self.panes.of(*window);
                let mut kept = panes.filter_map(|pane| pane.table.get(hash, key).cloned());
                let Some(mut all) = kept.next() else { continue };
                kept.for_each(|later| self.firing.work.merge(&mut all, later));
                self.firing.emit((key, hash), &shown, &mut all, out)?;
            }
        }
        self.assigned = assigned;
        Ok(())
    }

    /// Adds a record to its pane; gives it back in a gap between windows.
    #[inline]
    fn add(&mut self, index: usize, record: T, timestamp: Timestamp) -> Option<T> {
        let Some(Pane { table, span }) = self.panes.at(timestamp) else { return Some(record) };
        let (key, hash) = (&self.batch.keys()[index], self.batch.hashes()[index]);
        if let Some(at) = table.find(hash, key) {
            if let (Some(owed), Some(frozen)) = (table.owed_at(at), &mut self.frozen) {
                frozen.contents.add(owed.hash, &owed.key, span, &owed.value);
            }
            self.firing.work.add(&mut table.entries_mut()[at].value, record, timestamp);
        } else {
            table.insert(hash, key.clone(), self.firing.work.start(record, timestamp));
        }
        None
    }

    /// Fires one window for all keys.
    fn fire(&mut self, window: TimeWindow, out: &mut Output<X::Out>) -> FnResult {
        let shown = (self.shown)(window);
        let end = window.max_timestamp();
        let Self { panes, running, firing, frozen, fired, .. } = self;
        if panes.are_windows() {
            for Pane { table, span } in panes.of_mut(window) {
                if X::EVICTS
                    && let Some(frozen) = frozen
                {
                    // A snapshot gets all that it is owed of the pane before any of it is changed.
                    while let Some(owed) = table.take_owed() {
                        frozen.contents.add(owed.hash, &owed.key, span, &owed.value);
                    }
                }
                for entry in table.entries_mut().iter_mut().filter(|entry| !fired.had_fired(entry.hash, end))
                {
                    firing.emit((&entry.key, entry.hash), &shown, &mut entry.value, out)?;
                }
            }
            return Ok(());
        }
        let Firing { work, state, times } = firing;
        let mut out = Collector::new(out, shown.max_timestamp());
        running.fire(window, panes, work, |work, hash, key, kept| {
            if fired.had_fired(hash, end) {
                return Ok(());
            }
            let mut context =
                WindowContext { key, hash, window: &shown, state: &mut *state, times: *times, merges: false };
            work.emit(kept, &mut context, &mut out)?;
            // Only a stream without lateness comes here with a function that clears.
            if X::CLEARS { work.clear(&mut context) } else { Ok(()) }
        })
    }

    /// Drops the panes whose last window can no longer change at `time`.
    fn drop_past(&mut self, time: Timestamp) -> FnResult {
        while let Some(window) = self.panes.last_window_of_first() {
            if !self.late.is_past(window.max_timestamp(), time) {
                return Ok(());
            }
            let Some(pane) = self.panes.remove_first() else { return Ok(()) };
            if X::CLEARS && self.panes.are_windows() {
                let shown = (self.shown)(window);
                for entry in pane.table.entries() {
                    self.firing.clear((&entry.key, entry.hash), &shown)?;
                }
            }
            match &mut self.frozen {
                Some(frozen) if pane.table.is_frozen() => frozen.dropped.push(pane),
                _ => self.panes.recycle(pane.table),
            }
        }
        Ok(())
    }
}

impl<K: Key, X> Firing<K, X> {
    #[inline]
    fn emit<T: Data, W: Window>(
        &mut self,
        (key, hash): (&K, u64),
        window: &W,
        kept: &mut X::Kept,
        out: &mut Output<X::Out>,
    ) -> FnResult
    where
        X: Work<K, T, W>,
    {
        let Self { work, state, times } = self;
        let mut context = WindowContext { key, hash, window, state, times: *times, merges: false };
        work.emit(kept, &mut context, &mut Collector::new(out, window.max_timestamp()))
    }

    fn clear<T: Data, W: Window>(&mut self, (key, hash): (&K, u64), window: &W) -> FnResult
    where
        X: Work<K, T, W>,
    {
        let Self { work, state, times } = self;
        work.clear(&mut WindowContext { key, hash, window, state, times: *times, merges: false })
    }
}

impl<K: Key, T: Data, W: Window, X: Work<K, T, W>> Operator for AlignedWindowOperator<K, T, W, X> {
    type In = T;
    type Out = X::Out;

    fn open(&mut self) -> FnResult {
        self.firing.work.open(&mut WindowOpenContext::new(&self.context, &mut self.firing.state))
    }

    fn process(&mut self, batch: &mut Batch<T>, out: &mut Output<X::Out>) -> FnResult {
        self.firing.set_processing_time(self.task.processing_time());
        self.batch.extract(batch)?;
        self.firing.state.records_processed(batch.len());
        let watermark = self.fired.furthest(self.firing.times.watermark);
        let Batch { records, timestamps, .. } = batch;
        for (index, record) in records.drain(..).enumerate() {
            let timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            if timestamp > watermark {
                if let (Some(ahead), Some(pane)) = (self.batch.ahead(index), self.panes.at(timestamp)) {
                    // The records ahead are most likely in the pane of this one.
                    pane.table.prefetch(ahead);
                }
                if let Some(record) = self.add(index, record, timestamp) {
                    self.late.not_taken(record, timestamp, watermark, out);
                }
            } else if timestamp == NO_TIMESTAMP {
                return Err(no_timestamp());
            } else {
                self.add_late(index, record, timestamp, out)?;
            }
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<X::Out>) -> FnResult {
        self.firing.set_processing_time(self.task.processing_time());
        let before = self.firing.times.watermark;
        self.firing.times.watermark = watermark.max(before);
        let mut from = Timestamp::MIN;
        while let Some(window) = self.panes.next_window(from, before) {
            let end = window.max_timestamp();
            if end > watermark {
                break;
            }
            self.drop_past(end.saturating_sub(1))?;
            self.fire(window, out)?;
            if window.start == Timestamp::MAX {
                break;
            }
            from = window.start + 1;
        }
        self.fired.advance(watermark);
        self.drop_past(watermark)
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        self.firing.state.begin_snapshot(request)?;
        self.panes.iter_mut().for_each(|pane| pane.table.freeze());
        let contents = Contents::new::<K, TimeWindow, X::Kept>(PANES, self.max_parallelism);
        self.frozen = Some(Frozen { contents, dropped: Vec::new() });
        let fired = self.fired.snapshot(self.firing.times.watermark)?;
        Ok(OperatorSnapshot { keyed: Vec::new(), operator: vec![fired], ..OperatorSnapshot::default() })
    }

    fn drain_snapshot(&mut self, budget: &mut SnapshotBudget, sink: &mut dyn SnapshotSink) -> FnResult<bool> {
        if !self.firing.state.drain_snapshot(budget, sink)? {
            return Ok(false);
        }
        let Some(frozen) = &mut self.frozen else { return Ok(true) };
        let is_done = frozen.drain(&mut self.panes, budget, sink)?;
        if is_done {
            self.frozen = None;
        }
        Ok(is_done)
    }

    fn abort_snapshot(&mut self) {
        self.firing.state.abort_snapshot();
        self.panes.iter_mut().for_each(|pane| pane.table.thaw());
        self.frozen = None;
    }

    fn close(&mut self) -> FnResult {
        self.firing.work.close()
    }
}

impl<K: Key, V: Data> Frozen<K, V> {
    /// Goes on writing; `true` when nothing is left.
    fn drain(
        &mut self,
        panes: &mut Panes<K, V>,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> FnResult<bool> {
        let Self { contents, dropped } = self;
        for Pane { table, span } in dropped.iter_mut().chain(panes.iter_mut()) {
            while table.is_frozen() {
                let mut written = 0;
                while written < RUN
                    && let Some(entry) = table.take_owed()
                {
                    contents.add(entry.hash, &entry.key, span, &entry.value);
                    written += 1;
                }
                if !contents.hand_on_much(written, budget, sink)? {
                    return Ok(false);
                }
            }
        }
        dropped.clear();
        contents.finish(budget, sink)
    }
}

impl<K: Key, X> Firing<K, X> {
    fn set_processing_time(&mut self, now: Timestamp) {
        self.times.now = now;
        self.state.set_processing_time(now);
    }
}
