//! All kinds of keyed state, and timers.

use flott::prelude::*;

use crate::model::{digest, span_end};
use crate::program::{Event, FINAL};
use crate::world::Hands;

/// Tells the sum of each span of time when it is over, and at the end what all kinds of state hold of a key.
#[derive(Clone)]
pub(crate) struct Tally {
    width: i64,
    hands: Hands,
    count: ValueState<i64>,
    values: ListState<i64>,
    spans: MapState<i64, i64>,
    greatest: ReducingState<i64>,
    sum: AggregatingState<i64, Sum>,
}

/// Adds up.
#[derive(Clone)]
pub(crate) struct Sum;

impl AggregateFunction<i64> for Sum {
    type Accumulator = i64;
    type Output = i64;

    fn create_accumulator(&self) -> i64 {
        0
    }

    fn add(&self, value: i64, sum: &mut i64) {
        *sum = sum.wrapping_add(value);
    }

    fn get_result(&self, sum: &i64) -> i64 {
        *sum
    }

    fn merge(&self, sum: &mut i64, other: i64) {
        *sum = sum.wrapping_add(other);
    }
}

impl Tally {
    pub(crate) fn new(width: i64, hands: Hands) -> Self {
        Self {
            width,
            hands,
            count: ValueState::default(),
            values: ListState::default(),
            spans: MapState::default(),
            greatest: ReducingState::default(),
            sum: AggregatingState::default(),
        }
    }
}

impl KeyedProcessFunction<u32, Event, Event> for Tally {
    fn open(&mut self, context: &mut OpenContext<'_, u32>) -> FnResult {
        self.count = context.value_state(ValueStateDescriptor::new("count"))?;
        self.values = context.list_state(ListStateDescriptor::new("values"))?;
        self.spans = context.map_state(MapStateDescriptor::new("spans"))?;
        let greatest = ReducingStateDescriptor::new("greatest", |one: &i64, other| other.max(*one));
        self.greatest = context.reducing_state(greatest)?;
        self.sum = context.aggregating_state(AggregatingStateDescriptor::new("sum", Sum))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        event: Event,
        context: &mut KeyedContext<'_, u32>,
        _out: &mut Collector<'_, Event>,
    ) -> FnResult {
        self.hands.tick()?;
        let end = span_end(event.at, self.width);
        *self.count.get_or_insert_with(context, || 0)? += 1;
        self.values.add(context, event.value)?;
        let span = self.spans.get_or_insert_with(context, end, || 0)?;
        *span = span.wrapping_add(event.value);
        self.greatest.add(context, event.value)?;
        self.sum.add(context, event.value)?;
        context.register_event_time_timer(end);
        context.register_event_time_timer(FINAL);
        Ok(())
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
        if time == FINAL {
            let count = self.count.take(context)?.unwrap_or_default();
            let values = self.values.take(context)?;
            let greatest = self.greatest.take(context)?.unwrap_or_default();
            let sum = self.sum.get(context)?.unwrap_or_default();
            self.sum.clear(context)?;
            out.collect(Event { key, value: digest(count, values, greatest, sum), at: FINAL });
        }
        Ok(())
    }
}
