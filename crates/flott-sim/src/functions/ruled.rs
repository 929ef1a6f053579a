//! A broadcast stream of rules beside a keyed one.

use flott::prelude::*;

use crate::model::{ruled, span_end};
use crate::program::Event;
use crate::world::Hands;

/// Tells the sum of each span of time, multiplied by the rules until then.
#[derive(Clone)]
pub(crate) struct Ruled {
    width: i64,
    hands: Hands,
    spans: MapState<i64, i64>,
    /// How often each rule was told.
    rules: BroadcastState<Event, i64>,
}

impl Ruled {
    pub(crate) fn new(width: i64, hands: Hands) -> Self {
        Self { width, hands, spans: MapState::default(), rules: BroadcastState::default() }
    }

    pub(crate) fn rules() -> MapStateDescriptor<Event, i64> {
        MapStateDescriptor::new("rules")
    }
}

impl KeyedBroadcastProcessFunction<u32, Event, Event, Event> for Ruled {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.rules = context.broadcast_state(Self::rules())?;
        Ok(())
    }

    fn open(&mut self, context: &mut OpenContext<'_, u32>) -> FnResult {
        self.spans = context.map_state(MapStateDescriptor::new("spans"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        event: Event,
        context: &mut KeyedReadOnlyContext<'_, u32>,
        _out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.hands.tick()?;
        let end = span_end(event.at, self.width);
        let span = self.spans.get_or_insert_with(context, end, || 0)?;
        *span = span.wrapping_add(event.value);
        context.register_event_time_timer(end);
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        rule: Event,
        context: &mut KeyedBroadcastContext<'_, u32>,
        _out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.hands.tick()?;
        let told = self.rules.get(context, &rule)?.copied().unwrap_or(0);
        Ok(self.rules.put(context, rule, told + 1)?)
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerReadOnlyContext<'_, u32>,
        out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.hands.tick()?;
        let key = *context.current_key();
        let Some(sum) = self.spans.take(context, &time)? else { return Ok(()) };
        let rules = self.rules.iter(context)?.filter(|(rule, _)| rule.at <= time);
        let value = ruled(sum, rules.map(|(rule, told)| rule.value.wrapping_mul(*told)));
        out.collect(Event { key, value, at: time });
        Ok(())
    }
}
