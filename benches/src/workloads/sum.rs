//! The aggregate of the window workloads.

use flott::prelude::AggregateFunction;

use crate::event::Event;

/// Adds up the values.
#[derive(Clone)]
pub(super) struct Sum;

impl AggregateFunction<Event> for Sum {
    type Accumulator = i64;
    type Output = i64;

    fn create_accumulator(&self) -> i64 {
        0
    }

    fn add(&self, event: Event, sum: &mut i64) {
        *sum = sum.wrapping_add(event.value);
    }

    fn get_result(&self, sum: &i64) -> i64 {
        *sum
    }

    fn merge(&self, sum: &mut i64, other: i64) {
        *sum = sum.wrapping_add(other);
    }
}
