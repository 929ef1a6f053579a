use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::StateRegistry;

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Fires as another trigger does, and drops the contents each time (Flink: `PurgingTrigger`).
#[derive(Clone, Copy, Debug, Default)]
pub struct PurgingTrigger<R>(R);

impl<R> PurgingTrigger<R> {
    /// Purges whenever `trigger` fires.
    pub const fn of(trigger: R) -> Self {
        Self(trigger)
    }
}

const fn purging(result: TriggerResult) -> TriggerResult {
    if result.fires() { TriggerResult::FireAndPurge } else { result }
}

impl<T, W: Window, R: Trigger<T, W>> Trigger<T, W> for PurgingTrigger<R> {
    const KEEPS_TIMERS: bool = R::KEEPS_TIMERS;

    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        self.0.open(state)
    }

    #[inline]
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        record: &T,
        timestamp: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.0.on_element(record, timestamp, window, context).map(purging)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.0.on_event_time(time, window, context).map(purging)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.0.on_processing_time(time, window, context).map(purging)
    }

    fn can_merge(&self) -> bool {
        self.0.can_merge()
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        self.0.on_merge(window, context)
    }

    fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        self.0.clear(window, context)
    }

    fn validate(&self) -> Result<(), String> {
        self.0.validate()
    }
}
