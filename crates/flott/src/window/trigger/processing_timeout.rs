use std::time::Duration;

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::{KeyedStateStore, StateRegistry, ValueState, ValueStateDescriptor};

use super::{Trigger, TriggerContext, TriggerResult};
use crate::window::Window;
use crate::window::assigner::millis;

/// Fires when another trigger does, and also when a time has passed by the clock since a window's first record
/// (Flink: `ProcessingTimeoutTrigger`). It serves no windows that merge.
#[derive(Clone)]
pub struct ProcessingTimeoutTrigger<R> {
    nested: R,
    timeout_ms: i64,
    reset_timer_on_new_record: bool,
    clear_on_timeout: bool,
    timeout: ValueState<Timestamp>,
}

impl<R> ProcessingTimeoutTrigger<R> {
    /// Fires as `nested` does, and `timeout` after the first record of a window, or after the first since a firing.
    pub fn of(nested: R, timeout: Duration) -> Self {
        Self {
            nested,
            timeout_ms: millis(timeout),
            reset_timer_on_new_record: false,
            clear_on_timeout: true,
            timeout: ValueState::default(),
        }
    }

    /// Whether each record starts the timeout anew. Default: no.
    #[must_use]
    pub fn reset_timer_on_new_record(mut self, reset: bool) -> Self {
        self.reset_timer_on_new_record = reset;
        self
    }

    /// Whether the nested trigger forgets its state at a timeout. Default: yes.
    #[must_use]
    pub fn clear_on_timeout(mut self, clear: bool) -> Self {
        self.clear_on_timeout = clear;
        self
    }

    fn start_timeout<W: Window, C: TriggerContext<W>>(&self, context: &mut C) -> FnResult {
        if let Some(at) = self.timeout.value(context)? {
            if !self.reset_timer_on_new_record {
                return Ok(());
            }
            context.delete_processing_time_timer(at);
        }
        let at = context.current_processing_time().saturating_add(self.timeout_ms);
        self.timeout.update(context, at)?;
        context.register_processing_time_timer(at);
        Ok(())
    }

    fn clear_all<T, W: Window, C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult
    where
        R: Trigger<T, W>,
    {
        if let Some(at) = self.timeout.take(context)?
            && at > context.fired_processing_time()
        {
            context.delete_processing_time_timer(at);
        }
        self.nested.clear(window, context)
    }

    fn timed_out<T, W: Window, C: TriggerContext<W>>(
        &mut self,
        nested: TriggerResult,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult>
    where
        R: Trigger<T, W>,
    {
        if self.clear_on_timeout {
            self.clear_all(window, context)?;
        }
        Ok(if nested.purges() { TriggerResult::FireAndPurge } else { TriggerResult::Fire })
    }
}

impl<T, W: Window, R: Trigger<T, W>> Trigger<T, W> for ProcessingTimeoutTrigger<R> {
    fn open<K: Key>(&mut self, state: &mut StateRegistry<'_, K, W>) -> FnResult {
        self.timeout = state.value_state(ValueStateDescriptor::new("trigger-timeout"))?;
        self.nested.open(state)
    }

    fn on_element<C: TriggerContext<W>>(
        &mut self,
        record: &T,
        timestamp: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        let result = self.nested.on_element(record, timestamp, window, context)?;
        if result.fires() {
            self.clear_all(window, context)?;
        } else {
            self.start_timeout(context)?;
        }
        Ok(result)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        let nested = self.nested.on_event_time(time, window, context)?;
        self.timed_out(nested, window, context)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        let nested = self.nested.on_processing_time(time, window, context)?;
        self.timed_out(nested, window, context)
    }

    fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        self.clear_all(window, context)
    }

    fn validate(&self) -> Result<(), String> {
        if self.timeout_ms == 0 {
            return Err("a timeout trigger needs a timeout of at least 1 ms".to_owned());
        }
        self.nested.validate()
    }
}
