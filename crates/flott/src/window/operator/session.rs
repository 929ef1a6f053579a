//! The window operator for windows of event time that merge, with the default trigger.
//!
//! What a key has is a short list of sessions, each with its contents. A record mostly extends a session, which changes
//! nothing else: the timer of a session is that of its first end, and when it fires for a session that has grown since,
//! it is registered again for the present end.

use std::rc::Rc;
use std::sync::Arc;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Operator, OperatorSetup, Output};
use flott_runtime::task::TaskShared;
use flott_state::{
    KeyedState, OperatorSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink, Timer, TimerQueue,
};
use smallvec::SmallVec;

use of_key::{OfKey, Session};

use super::contents::Contents;
use super::entries::Restored;
use super::fired::Fired;
use super::key_table::{Entry, KeyTable};
use super::late::Lateness;
use super::{WindowSettings, no_timestamp};
use crate::function::{KeySelector, RuntimeContext};
use crate::operators::{KeyedBatch, RUN};
use crate::window::function::Times;
use crate::window::{Window, WindowAssigner, WindowAssignerContext, WindowContext, WindowOpenContext, Work};

mod of_key;

/// The name of the sessions in snapshots.
const SESSIONS: &str = "window-sessions";

/// Windows that merge, of event time, on a keyed stream.
pub(crate) struct SessionWindowOperator<K: Key, T: Data, A: WindowAssigner<T>, X: Work<K, T, A::Window>> {
    assigner: A,
    context: RuntimeContext,
    task: Rc<TaskShared>,
    batch: KeyedBatch<T, K>,
    assigned: Vec<A::Window>,
    /// The sessions of each key, of which no two merge; spans of time in their order.
    keys: Sessions<K, A::Window, X::Kept>,
    timers: TimerQueue<K, ()>,
    work: X,
    state: KeyedState<K>,
    times: Times,
    fired: Fired,
    late: Lateness<T>,
    max_parallelism: u32,
    /// The snapshot that is being written.
    frozen: Option<Contents>,
}

/// The sessions of each key.
type Sessions<K, W, V> = KeyTable<K, OfKey<W, V>>;

impl<K: Key, T: Data, A: WindowAssigner<T>, X: Work<K, T, A::Window>> SessionWindowOperator<K, T, A, X> {
    pub(crate) fn new(
        (assigner, work): (A, X),
        selector: Arc<dyn KeySelector<T, K>>,
        settings: WindowSettings<T>,
        setup: &OperatorSetup,
    ) -> FnResult<Self> {
        let mut restored = Restored::of(setup, SESSIONS)?;
        let late = Lateness::new(settings, true, setup);
        let (mut keys, mut timers) = (KeyTable::default(), TimerQueue::default());
        let (watermark, fired) = (restored.watermark, restored.fired.clone());
        restored.for_each(setup, |hash, key: K, window: A::Window, kept| {
            let end = window.max_timestamp();
            let watermark = fired.of_key(hash, watermark);
            if late.is_past(end, watermark) {
                // Less lateness is allowed than before: what has fired must not fire again.
                return Ok(());
            }
            let timer = if end > watermark { end } else { late.cleanup_time(end) };
            timers.register(timer, hash, key.clone(), ());
            let session = Session { window, kept, timer };
            match keys.find(hash, &key) {
                Some(at) => sessions(&mut keys, at).insert(session),
                None => keys.insert(hash, key, OfKey::of(session)),
            };
            Ok(())
        })?;
        Ok(Self {
            assigner,
            context: RuntimeContext::of(setup),
            task: Rc::clone(&setup.task),
            batch: KeyedBatch::new(selector),
            assigned: Vec::new(),
            keys,
            timers,
            work,
            state: restored.state,
            times: Times { watermark, now: setup.task.processing_time() },
            fired,
            late,
            max_parallelism: setup.max_parallelism,
            frozen: None,
        })
    }

    /// Adds a record to the windows in `self.assigned`: mostly one, which gets the record itself.
    #[inline]
    fn add_to_assigned(
        &mut self,
        index: usize,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<X::Out>,
    ) -> FnResult {
        let mut taken = false;
        while self.assigned.len() > 1
            && let Some(window) = self.assigned.pop()
        {
            taken |= self.add(index, window, record.clone(), timestamp, out)?.is_none();
        }
        let not_taken = match self.assigned.pop() {
            Some(window) => self.add(index, window, record, timestamp, out)?,
            None => Some(record),
        };
        if let Some(record) = not_taken.filter(|_| !taken) {
            let watermark = self.fired.of_key(self.batch.hashes()[index], self.times.watermark);
            self.late.not_taken(record, timestamp, watermark, out);
        }
        Ok(())
    }

    /// Adds a record to the session that its window is part of then; gives it back if that is past.
    #[inline]
    fn add(
        &mut self,
        index: usize,
        window: A::Window,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<X::Out>,
    ) -> FnResult<Option<T>> {
        let (key, hash) = (&self.batch.keys()[index], self.batch.hashes()[index]);
        let watermark = self.fired.of_key(hash, self.times.watermark);
        let Some(at) = self.keys.find(hash, key) else {
            return self.start(index, None, window, record, timestamp, out);
        };
        self.save(at);
        let (key, hash) = (&self.batch.keys()[index], self.batch.hashes()[index]);
        let of_key = sessions(&mut self.keys, at);
        let Some((mut of, merged)) = of_key.meet(&window) else {
            return self.start(index, Some(at), window, record, timestamp, out);
        };
        if of_key[of].window != merged {
            let may_join = !of_key.is_last_and_starts_as(of, &merged);
            of_key[of].window = merged;
            while may_join && let Some(joined) = join_next(of_key, of, &mut self.work) {
                of = joined;
            }
            let session = &mut of_key[of];
            let end = session.window.max_timestamp();
            if self.late.is_past(end, watermark) {
                return Err(ends_too_early(end, watermark));
            }
            // One that has fired waits for its removal, but as it has grown it may fire before that.
            if end > watermark && session.timer > end {
                session.timer = end;
                self.timers.register(end, hash, key.clone(), ());
            }
        }
        self.work.add(&mut of_key[of].kept, record, timestamp);
        if of_key[of].window.max_timestamp() <= watermark {
            self.emit(at, of, out)?;
        }
        Ok(None)
    }

    /// A record that meets no session begins one.
    fn start(
        &mut self,
        index: usize,
        at: Option<usize>,
        window: A::Window,
        record: T,
        timestamp: Timestamp,
        out: &mut Output<X::Out>,
    ) -> FnResult<Option<T>> {
        let end = window.max_timestamp();
        let (key, hash) = (&self.batch.keys()[index], self.batch.hashes()[index]);
        let watermark = self.fired.of_key(hash, self.times.watermark);
        if self.late.is_past(end, watermark) {
            return Ok(Some(record));
        }
        let has_ended = end <= watermark;
        let timer = if has_ended { self.late.cleanup_time(end) } else { end };
        self.timers.register(timer, hash, key.clone(), ());
        let session = Session { window, kept: self.work.start(record, timestamp), timer };
        let (at, of) = match at {
            Some(at) => (at, sessions(&mut self.keys, at).insert(session)),
            None => (self.keys.insert(hash, key.clone(), OfKey::of(session)), 0),
        };
        if has_ended {
            self.emit(at, of, out)?;
        }
        Ok(None)
    }

    /// Emits the result of a session of the key at this place in the table.
    fn emit(&mut self, at: usize, of: usize, out: &mut Output<X::Out>) -> FnResult {
        if X::EVICTS {
            self.save(at);
        }
        let Self { keys, work, state, times, .. } = self;
        let entry = &mut keys.entries_mut()[at];
        let Session { window, kept, .. } = &mut entry.value[of];
        let mut out = Collector::new(out, window.max_timestamp());
        let (key, hash) = (&entry.key, entry.hash);
        work.emit(
            kept,
            &mut WindowContext { key, hash, window, state, times: *times, merges: true },
            &mut out,
        )
    }

    /// A timer has fired: sessions end, or are removed, or have grown and end later.
    fn on_timer(&mut self, timer: &Timer<K, ()>, out: &mut Output<X::Out>) -> FnResult {
        let Some(at) = self.keys.find(timer.hash, &timer.key) else { return Ok(()) };
        // Where each session is removed when it ends, the timers of a key stand in the order of its sessions.
        let in_order = A::Window::IS_SPAN && self.late.allowed_ms == 0;
        let mut of = 0;
        while let Some(session) = sessions(&mut self.keys, at).get(of) {
            let end = session.window.max_timestamp();
            if session.timer != timer.timestamp {
                if in_order && session.timer > timer.timestamp {
                    break;
                }
                of += 1;
                continue;
            }
            if end == timer.timestamp {
                self.emit(at, of, out)?;
            }
            let next = if end > timer.timestamp { end } else { self.late.cleanup_time(end) };
            if next <= timer.timestamp {
                if !self.remove(at, of)? {
                    break;
                }
                continue;
            }
            sessions(&mut self.keys, at)[of].timer = next;
            self.timers.register(next, timer.hash, timer.key.clone(), ());
            of += 1;
        }
        Ok(())
    }

    /// Forgets a session that can no longer change; returns whether the key has others.
    fn remove(&mut self, at: usize, of: usize) -> FnResult<bool> {
        self.save(at);
        // It may take the place of this one.
        self.save(self.keys.entries().len() - 1);
        let Self { keys, work, state, times, .. } = self;
        let mut clear = |key: &K, hash, window: &A::Window| {
            work.clear(&mut WindowContext { key, hash, window, state, times: *times, merges: true })
        };
        let entry = &mut keys.entries_mut()[at];
        if let Some(session) = entry.value.remove(of) {
            clear(&entry.key, entry.hash, &session.window)?;
            return Ok(true);
        }
        let Entry { key, hash, value } = keys.swap_remove(at);
        clear(&key, hash, &value.newest().window)?;
        Ok(false)
    }

    /// Called before the sessions of the key at a place change: a snapshot that is owed them gets them as they are.
    #[inline]
    fn save(&mut self, at: usize) {
        if let (Some(owed), Some(frozen)) = (self.keys.owed_at(at), &mut self.frozen) {
            write(frozen, owed);
        }
    }

    fn set_processing_time(&mut self, now: Timestamp) {
        self.times.now = now;
        self.state.set_processing_time(now);
    }
}

/// Writes the sessions of a key.
fn write<K: Key, W: Window, V: Data>(contents: &mut Contents, of: &Entry<K, OfKey<W, V>>) {
    for session in of.value.iter() {
        contents.add(of.hash, &of.key, &session.window, &session.kept);
    }
}

#[inline]
fn sessions<K: Eq, W, V>(keys: &mut Sessions<K, W, V>, at: usize) -> &mut OfKey<W, V> {
    &mut keys.entries_mut()[at].value
}

/// Makes one of session `of` and another that it meets since it has grown; returns where the one is then.
#[inline]
fn join_next<K: Key, T: Data, W: Window, X: Work<K, T, W>>(
    of_key: &mut OfKey<W, X::Kept>,
    of: usize,
    work: &mut X,
) -> Option<usize> {
    let (other, merged) = of_key.next_to(of)?;
    let (first, second) = (of.min(other), of.max(other));
    let later = of_key.remove(second)?;
    let session = &mut of_key[first];
    work.merge(&mut session.kept, later.kept);
    session.window = merged;
    Some(first)
}

#[cold]
fn ends_too_early(end: Timestamp, watermark: Timestamp) -> flott_runtime::error::BoxError {
    format!(
        "windows have merged into one that ends at {end}, which the watermark {watermark} has passed by more than the \
         allowed lateness: a merged window must not end before the windows that it is made of"
    )
    .into()
}

impl<K: Key, T: Data, A: WindowAssigner<T>, X: Work<K, T, A::Window>> Operator
    for SessionWindowOperator<K, T, A, X>
{
    type In = T;
    type Out = X::Out;

    fn open(&mut self) -> FnResult {
        self.work.open(&mut WindowOpenContext::new(&self.context, &mut self.state))
    }

    fn process(&mut self, batch: &mut Batch<T>, out: &mut Output<X::Out>) -> FnResult {
        self.set_processing_time(self.task.processing_time());
        let context = WindowAssignerContext::at(self.times.now);
        self.batch.extract(batch)?;
        self.state.records_processed(batch.len());
        let Batch { records, timestamps, .. } = batch;
        for (index, record) in records.drain(..).enumerate() {
            let timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            if timestamp == NO_TIMESTAMP {
                return Err(no_timestamp());
            }
            if let Some(ahead) = self.batch.ahead(index) {
                self.keys.prefetch_with(ahead, OfKey::touch);
            }
            self.assigner.assign(&record, timestamp, &context, &mut self.assigned)?;
            self.add_to_assigned(index, record, timestamp, out)?;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<X::Out>) -> FnResult {
        self.set_processing_time(self.task.processing_time());
        self.times.watermark = watermark.max(self.times.watermark);
        let mut fired = 0_usize;
        while let Some(timer) = self.timers.pop_due(watermark) {
            if fired.is_multiple_of(RUN) {
                let upcoming: SmallVec<[u64; RUN]> = self.timers.upcoming_hashes(RUN).collect();
                self.keys.prefetch_with(&upcoming, OfKey::touch_first);
            }
            fired += 1;
            self.on_timer(&timer, out)?;
        }
        self.fired.advance(watermark);
        Ok(())
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        self.state.begin_snapshot(request)?;
        self.keys.freeze();
        self.frozen = Some(Contents::new::<K, A::Window, X::Kept>(SESSIONS, self.max_parallelism));
        let fired = self.fired.snapshot(self.times.watermark)?;
        Ok(OperatorSnapshot { keyed: Vec::new(), operator: vec![fired], ..OperatorSnapshot::default() })
    }

    fn drain_snapshot(&mut self, budget: &mut SnapshotBudget, sink: &mut dyn SnapshotSink) -> FnResult<bool> {
        if !self.state.drain_snapshot(budget, sink)? {
            return Ok(false);
        }
        let Some(contents) = &mut self.frozen else { return Ok(true) };
        while self.keys.is_frozen() {
            let mut written = 0;
            while written < RUN
                && let Some(of_key) = self.keys.take_owed()
            {
                write(contents, of_key);
                written += 1;
            }
            if !contents.hand_on_much(written, budget, sink)? {
                return Ok(false);
            }
        }
        let is_done = contents.finish(budget, sink)?;
        if is_done {
            self.frozen = None;
        }
        Ok(is_done)
    }

    fn abort_snapshot(&mut self) {
        self.state.abort_snapshot();
        self.keys.thaw();
        self.frozen = None;
    }

    fn close(&mut self) -> FnResult {
        self.work.close()
    }
}
