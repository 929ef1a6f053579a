//! The contexts of functions on keyed streams.

use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;

use flott_core::Key;
use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, TimeDomain, Timestamp};
use flott_runtime::error::FnResult;
use flott_runtime::operator::OperatorSetup;
use flott_runtime::task::TaskShared;
use flott_state::{
    CurrentKey, HasKeyedState, HasOperatorState, HasReadOnlyOperatorState, KeyedState, KeyedStateStore,
    OperatorSnapshot, OperatorState, SnapshotBudget, SnapshotRequest, SnapshotSink, StateError, TimerQueue,
};

use super::{FunctionSnapshotContext, Host, RuntimeContext};
use crate::state::keyed_state;

/// What snapshots call the timers that functions register.
const USER_TIMERS: &str = "user-timers";

/// What an operator on keyed streams keeps for its function: state and timers of all keys of the subtask, and the time.
pub(crate) struct KeyedHost<K> {
    pub(crate) host: Host,
    pub(crate) state: KeyedState<K>,
    pub(super) event_timers: TimerQueue<K, ()>,
    pub(super) processing_timers: TimerQueue<K, ()>,
    pub(super) watermark: Timestamp,
    pub(super) now: Timestamp,
    task: Rc<TaskShared>,
}

impl<K: Key> KeyedHost<K> {
    pub(crate) fn new(setup: &OperatorSetup) -> Result<Self, StateError> {
        let mut state = keyed_state(setup)?;
        Ok(Self {
            host: Host::new(setup),
            event_timers: state.restore_timers(USER_TIMERS, TimeDomain::EventTime)?,
            processing_timers: state.restore_timers(USER_TIMERS, TimeDomain::ProcessingTime)?,
            state,
            watermark: MIN_WATERMARK,
            now: setup.task.processing_time(),
            task: Rc::clone(&setup.task),
        })
    }

    /// Takes the time for the next batch.
    pub(crate) fn start_batch(&mut self) {
        self.set_now(self.task.processing_time());
    }

    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = now;
        self.state.set_processing_time(now);
    }

    /// The context of a record with this key and timestamp.
    #[inline]
    pub(crate) fn context<'a, A>(
        &'a mut self,
        key: &'a K,
        hash: u64,
        timestamp: Timestamp,
    ) -> KeyedContext<'a, K, A> {
        KeyedContext { key, hash, timestamp, host: self, access: PhantomData }
    }

    pub(crate) fn open_context(&mut self) -> OpenContext<'_, K> {
        OpenContext { runtime: &self.host.runtime, state: &mut self.state }
    }

    /// The operator state, after the function has had its say, and the beginning of a snapshot of keyed state and timers.
    pub(crate) fn snapshot(
        &mut self,
        request: SnapshotRequest,
        snapshot_state: impl FnOnce(&mut FunctionSnapshotContext<'_>) -> FnResult,
    ) -> FnResult<OperatorSnapshot> {
        let snapshot = self.host.snapshot(request.checkpoint, snapshot_state)?;
        let groups = self.host.runtime.max_number_of_parallel_subtasks();
        self.state.begin_snapshot(request)?;
        self.event_timers.begin_snapshot(USER_TIMERS, TimeDomain::EventTime, groups)?;
        self.processing_timers.begin_snapshot(USER_TIMERS, TimeDomain::ProcessingTime, groups)?;
        Ok(snapshot)
    }

    /// Goes on writing keyed state and timers.
    pub(crate) fn drain_snapshot(
        &mut self,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> FnResult<bool> {
        Ok(self.state.drain_snapshot(budget, sink)?
            && self.event_timers.drain_snapshot(budget, sink)?
            && self.processing_timers.drain_snapshot(budget, sink)?)
    }

    pub(crate) fn abort_snapshot(&mut self) {
        self.state.abort_snapshot();
        self.event_timers.abort_snapshot();
        self.processing_timers.abort_snapshot();
    }
}

/// Where a keyed function gets its state, in `open`. No key is current, so the state can't be used yet.
pub struct OpenContext<'a, K> {
    runtime: &'a RuntimeContext,
    state: &'a mut KeyedState<K>,
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

/// Marks contexts that may read and write operator state.
#[derive(Debug)]
pub enum ReadWrite {}

/// Marks contexts that may only read operator state: what writes it does not compile with them.
#[derive(Debug)]
pub enum ReadOnly {}

/// What a [`KeyedProcessFunction`](crate::function::KeyedProcessFunction) knows and can do beside the record: the key, its
/// state, its timers, the operator state. `A` says whether it may write the latter.
pub struct KeyedContext<'a, K, A = ReadWrite> {
    key: &'a K,
    hash: u64,
    timestamp: Timestamp,
    host: &'a mut KeyedHost<K>,
    access: PhantomData<A>,
}

/// The [`KeyedContext`] of the side of a broadcast function that may only read the broadcast state.
pub type KeyedReadOnlyContext<'a, K> = KeyedContext<'a, K, ReadOnly>;

impl<K: Key, A> KeyedContext<'_, K, A> {
    /// The key of the record or timer.
    pub fn current_key(&self) -> &K {
        self.key
    }

    /// The timestamp of the record, if it has one; the time of the timer.
    pub fn timestamp(&self) -> Option<Timestamp> {
        (self.timestamp != NO_TIMESTAMP).then_some(self.timestamp)
    }

    /// The last watermark, `i64::MIN` before the first.
    pub fn current_watermark(&self) -> Timestamp {
        self.host.watermark
    }

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    pub fn current_processing_time(&self) -> Timestamp {
        self.host.now
    }

    /// Asks for `on_timer` once the watermark reaches `time`. Registering the same time again for the same key changes
    /// nothing. A time that the watermark has passed already fires when it advances next.
    pub fn register_event_time_timer(&mut self, time: Timestamp) {
        self.host.event_timers.register(time, self.hash, self.key.clone(), ());
    }

    /// Asks for `on_timer` once the clock reaches `time`, milliseconds since the epoch.
    pub fn register_processing_time_timer(&mut self, time: Timestamp) {
        self.host.processing_timers.register(time, self.hash, self.key.clone(), ());
    }

    /// Takes back an event-time timer of the current key. Nothing happens if there is none.
    pub fn delete_event_time_timer(&mut self, time: Timestamp) {
        self.host.event_timers.delete(time, self.hash, self.key, &());
    }

    /// Takes back a processing-time timer of the current key. Nothing happens if there is none.
    pub fn delete_processing_time_timer(&mut self, time: Timestamp) {
        self.host.processing_timers.delete(time, self.hash, self.key, &());
    }
}

impl<K, A> HasReadOnlyOperatorState for KeyedContext<'_, K, A> {
    #[inline]
    fn operator_state(&self) -> &OperatorState {
        &self.host.host.operator_state
    }
}

impl<K> HasOperatorState for KeyedContext<'_, K> {
    #[inline]
    fn operator_state_mut(&mut self) -> &mut OperatorState {
        &mut self.host.host.operator_state
    }
}

impl<K: Key, A> HasKeyedState for KeyedContext<'_, K, A> {
    type Key = K;
    type Namespace = ();

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, K> {
        CurrentKey::new(&mut self.host.state, self.key, self.hash)
    }
}

/// What a function on a keyed stream knows that has state for each key, but neither time nor timers, such as a
/// [`KeyedMapFunction`](crate::function::KeyedMapFunction).
pub struct KeyedStateContext<'a, 'b, K>(&'a mut KeyedContext<'b, K>);

impl<'a, 'b, K: Key> KeyedStateContext<'a, 'b, K> {
    #[inline]
    pub(crate) fn new(keyed: &'a mut KeyedContext<'b, K>) -> Self {
        Self(keyed)
    }

    /// The key of the record.
    pub fn current_key(&self) -> &K {
        self.0.key
    }
}

impl<K: Key> HasKeyedState for KeyedStateContext<'_, '_, K> {
    type Key = K;
    type Namespace = ();

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, K> {
        self.0.current()
    }
}
