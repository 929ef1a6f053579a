use std::time::Duration;

use flott_core::Key;
use flott_core::time::{MAX_WATERMARK, NO_TIMESTAMP, Timestamp};
use flott_runtime::error::FnResult;
use flott_state::{KeyedStateStore, ReducingState, ReducingStateDescriptor, StateRegistry};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;
use crate::window::assigner::millis;

/// Fires every interval of event time as long as a window has contents, and at its end (Flink:
/// `ContinuousEventTimeTrigger`).
///
/// Firings are at multiples of the interval since the epoch, the first after the timestamp of the window's first
/// record. A window without end fires twice more at the end of the input, where Flink goes on for ever.
#[derive(Clone)]
pub struct ContinuousEventTimeTrigger {
    interval_ms: i64,
    next: ReducingState<Timestamp>,
}

impl ContinuousEventTimeTrigger {
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
        // At the end of all input, a window without end would be fired for all of the time that is left.
        let is_end = context.current_watermark() == MAX_WATERMARK && window.max_timestamp() == Timestamp::MAX;
        let next = if is_end { Timestamp::MAX } else { time.saturating_add(self.interval_ms) };
        let next = next.min(window.max_timestamp());
        self.next.add(context, next)?;
        context.register_event_time_timer(next);
        Ok(())
    }
}

impl<T, W: Window> Trigger<T, W> for ContinuousEventTimeTrigger {
    const DELETES_TIMERS: bool = false;

    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        let earliest = |a: &Timestamp, b: Timestamp| b.min(*a);
        self.next = state.reducing_state(ReducingStateDescriptor::new("trigger-fire-time", earliest))?;
        Ok(())
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
        if self.next.get(context)?.is_none() {
            self.register_next(timestamp - timestamp % self.interval_ms, window, context)?;
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
        if self.next.get(context)?.is_none_or(|next| *next != time) {
            return Ok(TriggerResult::Continue);
        }
        self.next.clear(context)?;
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
        context.merge_partitioned_state(self.next)?;
        if let Some(next) = self.next.get(context)?.copied() {
            context.register_event_time_timer(next);
        }
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        if let Some(next) = self.next.get(context)?.copied() {
            context.delete_event_time_timer(next);
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
