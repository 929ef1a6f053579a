use std::time::Duration;

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::{KeyedStateStore, ReducingState, ReducingStateDescriptor, StateRegistry};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;
use crate::window::assigner::millis;

/// Fires every interval of the clock as long as a window has contents, and at its end (Flink:
/// `ContinuousProcessingTimeTrigger`).
#[derive(Clone)]
pub struct ContinuousProcessingTimeTrigger {
    interval_ms: i64,
    next: ReducingState<Timestamp>,
}

impl ContinuousProcessingTimeTrigger {
    /// Fires every `interval`, at least 1 ms.
    pub fn of(interval: Duration) -> Self {
        Self { interval_ms: millis(interval), next: ReducingState::default() }
    }

    fn register_next<W: Window, C: TriggerContext<W>>(
        &self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult {
        let next = time.saturating_add(self.interval_ms).min(window.max_timestamp());
        self.next.add(context, next)?;
        context.register_processing_time_timer(next);
        Ok(())
    }
}

impl<T, W: Window> Trigger<T, W> for ContinuousProcessingTimeTrigger {
    const DELETES_TIMERS: bool = false;

    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        let earliest = |a: &Timestamp, b: Timestamp| b.min(*a);
        self.next = state.reducing_state(ReducingStateDescriptor::new("trigger-fire-time", earliest))?;
        Ok(())
    }

    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &T,
        _: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if self.next.get(context)?.is_none() {
            let now = context.current_processing_time();
            self.register_next(now - now % self.interval_ms, window, context)?;
        }
        Ok(TriggerResult::Continue)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        Ok(TriggerResult::Continue)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if self.next.get(context)?.is_none_or(|next| *next != time) {
            return Ok(TriggerResult::Continue);
        }
        self.next.clear(context)?;
        // At its end the window is cleaned up, and would only be fired again at once.
        if time < window.max_timestamp() {
            self.register_next(time, window, context)?;
        }
        Ok(TriggerResult::Fire)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        context.merge_partitioned_state(self.next)?;
        if let Some(next) = self.next.get(context)?.copied() {
            context.register_processing_time_timer(next);
        }
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        if let Some(next) = self.next.get(context)?.copied() {
            context.delete_processing_time_timer(next);
            self.next.clear(context)?;
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), String> {
        if self.interval_ms == 0 {
            return Err("a continuous trigger needs an interval of at least 1 ms".to_owned());
        }
        Ok(())
    }
}
