use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Fires when the watermark passes the end of the window, and again for each late record that is still allowed (Flink:
/// `EventTimeTrigger`). The default for event-time windows.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventTimeTrigger;

impl<T, W: Window> Trigger<T, W> for EventTimeTrigger {
    const KEEPS_TIMERS: bool = true;
    const IS_EVENT_TIME: bool = true;

    #[inline]
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &T,
        _: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if window.max_timestamp() <= context.current_watermark() {
            return Ok(TriggerResult::Fire);
        }
        if context.may_lack_timers() {
            context.register_event_time_timer(window.max_timestamp());
        }
        Ok(TriggerResult::Continue)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        Ok(if time == window.max_timestamp() { TriggerResult::Fire } else { TriggerResult::Continue })
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

    fn on_merge<C: OnMergeContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        // Otherwise the record that merged the windows fires.
        if window.max_timestamp() > context.current_watermark() {
            context.register_event_time_timer(window.max_timestamp());
        }
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        if window.max_timestamp() > context.fired_event_time() {
            context.delete_event_time_timer(window.max_timestamp());
        }
        Ok(())
    }
}
