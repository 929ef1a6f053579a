//! Timers of processing time.

use flott::prelude::*;

use crate::program::{Event, FINAL};
use crate::world::Hands;

/// Lets values wait for a timer before they count; what waits at the end counts, too.
#[derive(Clone)]
pub(crate) struct Patience {
    wait_ms: i64,
    hands: Hands,
    waiting: ReducingState<i64>,
    done: ValueState<i64>,
}

impl Patience {
    pub(crate) fn new(wait_ms: i64, hands: Hands) -> Self {
        Self { wait_ms, hands, waiting: ReducingState::default(), done: ValueState::default() }
    }
}

impl KeyedProcessFunction<u32, Event, Event> for Patience {
    fn open(&mut self, context: &mut OpenContext<'_, u32>) -> FnResult {
        let waiting =
            ReducingStateDescriptor::new("waiting", |one: &i64, other: i64| other.wrapping_add(*one));
        self.waiting = context.reducing_state(waiting)?;
        self.done = context.value_state(ValueStateDescriptor::new("done"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        event: Event,
        context: &mut KeyedContext<'_, u32>,
        _out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.hands.tick()?;
        self.waiting.add(context, event.value)?;
        let due = context.current_processing_time() + self.wait_ms;
        context.register_processing_time_timer(due);
        context.register_event_time_timer(FINAL);
        Ok(())
    }

    fn on_timer(
        &mut self,
        _time: Timestamp,
        context: &mut OnTimerContext<'_, u32>,
        out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.hands.tick()?;
        let waited = self.waiting.take(context)?.unwrap_or(0);
        let done = self.done.get_or_insert_with(context, || 0)?;
        *done = done.wrapping_add(waited);
        let value = *done;
        if context.time_domain() == TimeDomain::EventTime {
            out.collect(Event { key: *context.current_key(), value, at: FINAL });
        }
        Ok(())
    }
}
