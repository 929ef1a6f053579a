//! Two connected streams.

use flott::prelude::*;

use crate::model::{SECOND, span_end};
use crate::program::Event;
use crate::world::Hands;

/// Tells the sum of both streams for each span of time; the second weighs more.
#[derive(Clone)]
pub(crate) struct Couple {
    width: i64,
    hands: Hands,
    spans: MapState<i64, i64>,
}

impl Couple {
    pub(crate) fn new(width: i64, hands: Hands) -> Self {
        Self { width, hands, spans: MapState::default() }
    }

    fn add(&self, at: i64, value: i64, context: &mut KeyedContext<'_, u32>) -> FnResult {
        self.hands.tick()?;
        let end = span_end(at, self.width);
        let span = self.spans.get_or_insert_with(context, end, || 0)?;
        *span = span.wrapping_add(value);
        context.register_event_time_timer(end);
        Ok(())
    }
}

impl KeyedCoProcessFunction<u32, Event, Event, Event> for Couple {
    fn open(&mut self, context: &mut OpenContext<'_, u32>) -> FnResult {
        self.spans = context.map_state(MapStateDescriptor::new("spans"))?;
        Ok(())
    }

    fn process_element1(
        &mut self,
        event: Event,
        context: &mut KeyedContext<'_, u32>,
        _out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.add(event.at, event.value, context)
    }

    fn process_element2(
        &mut self,
        event: Event,
        context: &mut KeyedContext<'_, u32>,
        _out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.add(event.at, event.value.wrapping_mul(SECOND), context)
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, u32>,
        out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.hands.tick()?;
        let key = *context.current_key();
        if let Some(value) = self.spans.take(context, &time)? {
            out.collect(Event { key, value, at: time });
        }
        Ok(())
    }
}
