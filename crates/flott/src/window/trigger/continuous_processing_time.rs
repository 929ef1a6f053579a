use std::time::Duration;

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::StateRegistry;

use super::continuous::Continuous;
use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Fires every interval of the clock as long as a window has contents, and at its end (Flink:
/// `ContinuousProcessingTimeTrigger`).
#[derive(Clone)]
pub struct ContinuousProcessingTimeTrigger(Continuous);

impl ContinuousProcessingTimeTrigger {
    /// Fires every `interval`, at least 1 ms.
    pub fn of(interval: Duration) -> Self {
        Self(Continuous::of(interval))
    }

    fn register_next<W: Window, C: TriggerContext<W>>(
        &self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult {
        let next = time.saturating_add(self.0.interval_ms).min(window.max_timestamp());
        self.0.set_next(context, next)?;
        context.register_processing_time_timer(next);
        Ok(())
    }
}

impl<T, W: Window> Trigger<T, W> for ContinuousProcessingTimeTrigger {
    const KEEPS_TIMERS: bool = true;

    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        self.0.open(state)
    }

    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &T,
        _: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if self.0.next(context)?.is_none() {
            let now = context.current_processing_time();
            self.register_next(self.0.begin_of(now), window, context)?;
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
        if self.0.next(context)? != Some(time) {
            return Ok(TriggerResult::Continue);
        }
        // At its end the window is cleaned up, and would only be fired again at once.
        if time < window.max_timestamp() {
            self.register_next(time, window, context)?;
        } else {
            self.0.take_next(context)?;
        }
        Ok(TriggerResult::Fire)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        if let Some(next) = self.0.merged_next(context)? {
            context.register_processing_time_timer(next);
        }
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        if let Some(next) = self.0.take_next(context)? {
            context.delete_processing_time_timer(next);
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), String> {
        self.0.validate()
    }
}
