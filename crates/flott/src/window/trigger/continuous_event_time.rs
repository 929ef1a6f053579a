use std::time::Duration;

use flott_core::Key;
use flott_core::time::{MAX_WATERMARK, NO_TIMESTAMP, Timestamp};
use flott_runtime::error::FnResult;
use flott_state::StateRegistry;

use super::continuous::Continuous;
use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Fires every interval of event time as long as a window has contents, and at its end (Flink:
/// `ContinuousEventTimeTrigger`).
///
/// Firings are at multiples of the interval since the epoch, the first after the timestamp of the window's first
/// record. A window without end fires twice more at the end of the input, where Flink goes on for ever.
#[derive(Clone)]
pub struct ContinuousEventTimeTrigger(Continuous);

impl ContinuousEventTimeTrigger {
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
        // At the end of all input, a window without end would be fired for all of the time that is left.
        let is_end = context.current_watermark() == MAX_WATERMARK && window.max_timestamp() == Timestamp::MAX;
        let next = if is_end { Timestamp::MAX } else { time.saturating_add(self.0.interval_ms) };
        let next = next.min(window.max_timestamp());
        self.0.set_next(context, next)?;
        context.register_event_time_timer(next);
        Ok(())
    }
}

impl<T, W: Window> Trigger<T, W> for ContinuousEventTimeTrigger {
    const KEEPS_TIMERS: bool = true;

    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        self.0.open(state)
    }

    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &T,
        timestamp: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if window.max_timestamp() <= context.current_watermark() {
            return Ok(TriggerResult::Fire);
        }
        context.register_event_time_timer(window.max_timestamp());
        if timestamp == NO_TIMESTAMP {
            // It would be fired for all of the time that has ever been.
            return Err("a record has no timestamp, which a continuous trigger of event time needs: give the source a \
                        WatermarkStrategy with a timestamp assigner, or call assign_timestamps_and_watermarks"
                .into());
        }
        if self.0.next(context)?.is_none() {
            self.register_next(self.0.begin_of(timestamp), window, context)?;
        }
        Ok(TriggerResult::Continue)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if time == window.max_timestamp() {
            return Ok(TriggerResult::Fire);
        }
        if self.0.next(context)? != Some(time) {
            return Ok(TriggerResult::Continue);
        }
        self.register_next(time, window, context)?;
        Ok(TriggerResult::Fire)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        Ok(TriggerResult::Continue)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        if let Some(next) = self.0.merged_next(context)? {
            context.register_event_time_timer(next);
        }
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        if let Some(next) = self.0.take_next(context)? {
            context.delete_event_time_timer(next);
        }
        Ok(())
    }

    fn validate(&self) -> Result<(), String> {
        self.0.validate()
    }
}
