use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::{KeyedStateStore, ReducingState, ReducingStateDescriptor, StateRegistry};

use super::{OnMergeContext, Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Fires with every n-th record of a window (Flink: `CountTrigger`).
#[derive(Clone, Default)]
pub struct CountTrigger {
    every: u64,
    count: ReducingState<u64>,
}

impl CountTrigger {
    /// Fires with every `count`-th record, at least 1.
    pub fn of(count: u64) -> Self {
        Self { every: count, count: ReducingState::default() }
    }
}

impl<T, W: Window> Trigger<T, W> for CountTrigger {
    const KEEPS_TIMERS: bool = true;

    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        self.count = state.reducing_state(ReducingStateDescriptor::new("trigger-count", |a, b| a + b))?;
        Ok(())
    }

    #[inline]
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &T,
        _: Timestamp,
        _: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.count.add(context, 1)?;
        if self.count.get(context)?.is_some_and(|count| *count >= self.every) {
            self.count.clear(context)?;
            return Ok(TriggerResult::Fire);
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
        Ok(TriggerResult::Continue)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        context.merge_partitioned_state(self.count)
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        Ok(self.count.clear(context)?)
    }

    fn validate(&self) -> Result<(), String> {
        if self.every == 0 { Err("a count trigger needs a count of at least 1".to_owned()) } else { Ok(()) }
    }
}
