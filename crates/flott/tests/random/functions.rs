//! What programs make of their windows.

use flott::prelude::*;

use crate::program::{Event, Firing};

/// Sum and count of the values.
#[derive(Clone)]
pub(crate) struct SumAndCount;

impl AggregateFunction<Event> for SumAndCount {
    type Accumulator = (i64, i64);
    type Output = Vec<i64>;

    fn create_accumulator(&self) -> (i64, i64) {
        (0, 0)
    }

    fn add(&self, event: Event, (sum, count): &mut (i64, i64)) {
        *sum += event.value;
        *count += 1;
    }

    fn get_result(&self, (sum, count): &(i64, i64)) -> Vec<i64> {
        vec![*sum, *count]
    }

    fn merge(&self, (sum, count): &mut (i64, i64), other: (i64, i64)) {
        *sum += other.0;
        *count += other.1;
    }
}

/// The side output of a key and how often its windows have fired.
pub(crate) fn firings() -> OutputTag<(u8, u32)> {
    OutputTag::new("firings")
}

/// Tells each firing, and counts the firings of the window and of the key in states of both.
#[derive(Clone)]
pub(crate) struct Tell {
    merges: bool,
    of_window: ValueState<u32>,
    of_key: ValueState<u32>,
}

impl Tell {
    pub(crate) fn new(merges: bool) -> Self {
        Self { merges, of_window: ValueState::default(), of_key: ValueState::default() }
    }

    fn tell<W: Window + Spanned>(
        &self,
        values: Vec<i64>,
        context: &mut WindowContext<'_, u8, W>,
        out: &mut Collector<'_, Firing>,
    ) -> FnResult {
        let firing = if self.merges {
            0
        } else {
            let mut of_window = context.window_state()?;
            let firing = self.of_window.value(&mut of_window)?.unwrap_or(0) + 1;
            self.of_window.update(&mut of_window, firing)?;
            firing
        };
        let key = *context.key();
        let mut of_key = context.global_state();
        let firings_of_key = self.of_key.value(&mut of_key)?.unwrap_or(0) + 1;
        self.of_key.update(&mut of_key, firings_of_key)?;
        out.output(&firings(), (key, firings_of_key));
        out.collect(Firing { key, window: context.window().span(), firing, values });
        Ok(())
    }
}

/// What a window shows of itself.
pub(crate) trait Spanned {
    fn span(&self) -> Option<(Timestamp, Timestamp)>;
}

impl Spanned for TimeWindow {
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.start, self.end))
    }
}

impl Spanned for GlobalWindow {
    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}

/// What a window function gets of its window, as values.
pub(crate) trait Values {
    fn values(self, merges: bool) -> Vec<i64>;
}

impl Values for Vec<i64> {
    fn values(self, _: bool) -> Vec<i64> {
        self
    }
}

impl Values for &[Event] {
    fn values(self, merges: bool) -> Vec<i64> {
        let mut values: Vec<i64> = self.iter().map(|event| event.value).collect();
        if merges {
            values.sort_unstable();
        }
        values
    }
}

impl<W: Window + Spanned, I: Values> ProcessWindowFunction<u8, W, I, Firing> for Tell {
    fn open(&mut self, context: &mut WindowOpenContext<'_, u8, W>) -> FnResult {
        if !self.merges {
            self.of_window = context.window_state().value_state(ValueStateDescriptor::new("firings"))?;
        }
        self.of_key = context.global_state().value_state(ValueStateDescriptor::new("firings-of-key"))?;
        Ok(())
    }

    fn process(
        &mut self,
        elements: I,
        context: &mut WindowContext<'_, u8, W>,
        out: &mut Collector<'_, Firing>,
    ) -> FnResult {
        self.tell(elements.values(self.merges), context, out)
    }

    fn clear(&mut self, context: &mut WindowContext<'_, u8, W>) -> FnResult {
        if !self.merges {
            self.of_window.clear(&mut context.window_state()?)?;
        }
        Ok(())
    }
}
