//! What continuous triggers of both times have in common.

use std::time::Duration;

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::{HasKeyedState, KeyedStateStore, ReducingState, ReducingStateDescriptor, StateRegistry};

use super::OnMergeContext;
use crate::window::Window;
use crate::window::assigner::millis;

/// The interval of a continuous trigger, and for each key and window when it fires next.
#[derive(Clone)]
pub(super) struct Continuous {
    pub(super) interval_ms: i64,
    next: ReducingState<Timestamp>,
}

impl Continuous {
    pub(super) fn of(interval: Duration) -> Self {
        Self { interval_ms: millis(interval), next: ReducingState::default() }
    }

    pub(super) fn open<K: Key, W: Window>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        let earliest = |a: &Timestamp, b: Timestamp| b.min(*a);
        self.next = state.reducing_state(ReducingStateDescriptor::new("trigger-fire-time", earliest))?;
        Ok(())
    }

    /// The last multiple of the interval since the epoch.
    pub(super) const fn begin_of(&self, time: Timestamp) -> Timestamp {
        time - time % self.interval_ms
    }

    pub(super) fn next<C: HasKeyedState>(&self, context: &mut C) -> FnResult<Option<Timestamp>> {
        Ok(self.next.get(context)?.copied())
    }

    pub(super) fn set_next<C: HasKeyedState>(&self, context: &mut C, next: Timestamp) -> FnResult {
        self.next.clear(context)?;
        Ok(self.next.add(context, next)?)
    }

    /// Forgets when the window fires next, and returns it.
    pub(super) fn take_next<C: HasKeyedState>(&self, context: &mut C) -> FnResult<Option<Timestamp>> {
        Ok(self.next.take(context)?)
    }

    /// The earliest time of those of the windows that have merged.
    pub(super) fn merged_next<W: Window, C: OnMergeContext<W>>(
        &self,
        context: &mut C,
    ) -> FnResult<Option<Timestamp>> {
        context.merge_partitioned_state(self.next)?;
        self.next(context)
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        if self.interval_ms == 0 {
            return Err("a continuous trigger needs an interval of at least 1 ms".to_owned());
        }
        Ok(())
    }
}
