use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Never fires (Flink: `NeverTrigger`). The default for global windows.
#[derive(Clone, Copy, Debug, Default)]
pub struct NeverTrigger;

impl<T, W: Window> Trigger<T, W> for NeverTrigger {
    const KEEPS_TIMERS: bool = true;

    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &T,
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
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
        Ok(TriggerResult::Continue)
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, _: &mut C) -> FnResult {
        Ok(())
    }
}
