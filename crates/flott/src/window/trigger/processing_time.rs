use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Fires when the clock passes the end of the window (Flink: `ProcessingTimeTrigger`). The default for
/// processing-time windows.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessingTimeTrigger;

impl<T, W: Window> Trigger<T, W> for ProcessingTimeTrigger {
    const KEEPS_TIMERS: bool = true;

    #[inline]
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &T,
        _: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        // Windows of event time outlive a timer that has fired.
        let end = window.max_timestamp();
        if context.may_lack_timers() || end <= context.current_processing_time() {
            context.register_processing_time_timer(end);
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
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        Ok(TriggerResult::Fire)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        if window.max_timestamp() > context.current_processing_time() {
            context.register_processing_time_timer(window.max_timestamp());
        }
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        if window.max_timestamp() > context.fired_processing_time() {
            context.delete_processing_time_timer(window.max_timestamp());
        }
        Ok(())
    }
}
