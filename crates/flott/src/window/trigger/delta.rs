use flott_core::time::Timestamp;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_state::{KeyedStateStore, StateRegistry, ValueState, ValueStateDescriptor};

use super::{Trigger, TriggerContext, TriggerResult};
use crate::window::Window;

/// Fires when a record differs from the one that fired last, or else the first, by more than a threshold (Flink:
/// `DeltaTrigger`). It serves no windows that merge.
pub struct DeltaTrigger<T, F> {
    threshold: f64,
    delta: F,
    last: ValueState<T>,
}

impl<T, F: Clone> Clone for DeltaTrigger<T, F> {
    fn clone(&self) -> Self {
        Self { threshold: self.threshold, delta: self.delta.clone(), last: self.last }
    }
}

impl<T, F: Fn(&T, &T) -> f64> DeltaTrigger<T, F> {
    /// Fires when `delta(last, record) > threshold`.
    pub fn of(threshold: f64, delta: F) -> Self {
        Self { threshold, delta, last: ValueState::default() }
    }
}

impl<T, W, F> Trigger<T, W> for DeltaTrigger<T, F>
where
    T: Data,
    W: Window,
    F: Fn(&T, &T) -> f64 + Clone + Send + 'static,
{
    const KEEPS_TIMERS: bool = true;

    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        self.last = state.value_state(ValueStateDescriptor::new("trigger-last-element"))?;
        Ok(())
    }

    fn on_element<C: TriggerContext<W>>(
        &mut self,
        record: &T,
        _: Timestamp,
        _: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        let Some(last) = self.last.get_mut(context)? else {
            self.last.update(context, record.clone())?;
            return Ok(TriggerResult::Continue);
        };
        if (self.delta)(last, record) > self.threshold {
            *last = record.clone();
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

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, context: &mut C) -> FnResult {
        Ok(self.last.clear(context)?)
    }

    fn validate(&self) -> Result<(), String> {
        if self.threshold.is_nan() {
            return Err("a delta trigger needs a threshold that is a number".to_owned());
        }
        Ok(())
    }
}
