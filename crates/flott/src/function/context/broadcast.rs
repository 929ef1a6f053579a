//! The contexts of functions with a broadcast input.

use std::ops::Deref;

use flott_core::Key;
use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_runtime::error::FnResult;
use flott_state::{CurrentKey, HasOperatorState, HasReadOnlyOperatorState, OperatorState, StateHandle};

use super::{KeyedHost, ProcessContext};

/// What a [`BroadcastProcessFunction`](crate::function::BroadcastProcessFunction) knows beside a record of the side that is
/// not broadcast: all of [`ProcessContext`], but it may only read the broadcast state. What writes does not compile.
pub struct ReadOnlyContext<'a>(&'a ProcessContext);

impl<'a> ReadOnlyContext<'a> {
    #[inline]
    pub(crate) fn new(context: &'a ProcessContext) -> Self {
        Self(context)
    }
}

impl Deref for ReadOnlyContext<'_> {
    type Target = ProcessContext;

    fn deref(&self) -> &ProcessContext {
        self.0
    }
}

impl HasReadOnlyOperatorState for ReadOnlyContext<'_> {
    #[inline]
    fn operator_state(&self) -> &OperatorState {
        self.0.operator_state()
    }
}

/// What a [`KeyedBroadcastProcessFunction`](crate::function::KeyedBroadcastProcessFunction) knows and can do beside a
/// broadcast record: it may write the broadcast state and visit the state of all keys. No key is current, so there are
/// no timers.
pub struct KeyedBroadcastContext<'a, K> {
    host: &'a mut KeyedHost<K>,
    timestamp: Timestamp,
}

impl<'a, K: Key> KeyedBroadcastContext<'a, K> {
    pub(crate) fn new(host: &'a mut KeyedHost<K>, timestamp: Timestamp) -> Self {
        Self { host, timestamp }
    }

    /// The record's timestamp, if it has one.
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

    /// Calls `visit` for each key of this subtask that has something in the state of `handle`, in no particular order. It
    /// may read, change and clear all state of that key (Flink: `applyToKeyedState`).
    ///
    /// # Errors
    /// When the handle is bound to no state of this operator, or `visit` fails.
    pub fn apply_to_keyed_state(
        &mut self,
        handle: impl StateHandle<K, ()>,
        mut visit: impl FnMut(&K, &mut CurrentKey<'_, K>) -> FnResult,
    ) -> FnResult {
        self.host.state.for_each_key(handle, |mut current| {
            let key = current.key;
            visit(key, &mut current)
        })
    }
}

impl<K> HasReadOnlyOperatorState for KeyedBroadcastContext<'_, K> {
    #[inline]
    fn operator_state(&self) -> &OperatorState {
        &self.host.host.operator_state
    }
}

impl<K> HasOperatorState for KeyedBroadcastContext<'_, K> {
    #[inline]
    fn operator_state_mut(&mut self) -> &mut OperatorState {
        &mut self.host.host.operator_state
    }
}
