//! The interval join: what a program writes. `bounds` has the rule of times, `operator` keeps the records and finds the
//! pairs, `function` is the user's.

mod bounds;
mod function;
mod operator;

use std::sync::Arc;

use flott_core::{Data, Key};
use flott_runtime::operator::OutputTag;
use flott_runtime::program::Prototype;

use crate::stream::{DataStream, KeyedStream};
use bounds::IntervalBounds;
pub use function::{JoinContext, ProcessJoinFunction};
use operator::{IntervalJoinOperator, LateTags};

/// The name of the operator.
const NAME: &str = "Interval Join";

/// Two keyed streams to be joined by intervals of event time (Flink: `KeyedStream.IntervalJoin`).
pub struct IntervalJoin<K, L, R> {
    left: KeyedStream<K, L>,
    right: KeyedStream<K, R>,
}

impl<K: Key, L: Data> KeyedStream<K, L> {
    /// Joins with another stream, by key and by time: each record of this stream, the left one, with every record of the
    /// other whose timestamp is within bounds of its own.
    ///
    /// ```
    /// use flott::prelude::*;
    ///
    /// let env = StreamExecutionEnvironment::new();
    /// let by_time = || WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|r: &(u32, i64), _| r.1);
    /// let orders = env.from_elements([(1, 1_000), (2, 2_000)]).assign_timestamps_and_watermarks(by_time());
    /// let payments = env.from_elements([(1, 1_500), (2, 9_000)]).assign_timestamps_and_watermarks(by_time());
    /// let paid = orders
    ///     .key_by(|(id, _)| *id)
    ///     .interval_join(&payments.key_by(|(id, _)| *id))
    ///     .between(0, 5_000)
    ///     .process(|order: &(u32, i64), payment: &(u32, i64), out: &mut Collector<'_, (u32, i64)>| {
    ///         out.collect((order.0, payment.1 - order.1));
    ///     });
    /// assert_eq!(paid.execute_and_collect()?, [(1, 500)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn interval_join<R: Data>(&self, right: &KeyedStream<K, R>) -> IntervalJoin<K, L, R> {
        IntervalJoin { left: self.clone(), right: right.clone() }
    }
}

impl<K: Key, L: Data, R: Data> IntervalJoin<K, L, R> {
    /// Joins a left record at time `t` with the right records from `t + lower_ms` to `t + upper_ms`, both included.
    /// Milliseconds; either may be negative, but the lower one must not be greater.
    pub fn between(self, lower_ms: i64, upper_ms: i64) -> IntervalJoined<K, L, R> {
        if lower_ms > upper_ms {
            let problem =
                format!("its lower bound, {lower_ms} ms, is greater than its upper bound, {upper_ms} ms");
            self.left.env.builder.borrow_mut().invalid(NAME, problem);
        }
        let bounds = IntervalBounds::new(lower_ms, upper_ms);
        IntervalJoined { streams: self, bounds, late: LateTags::default() }
    }
}

/// An interval join with its bounds (Flink: `KeyedStream.IntervalJoined`).
///
/// A record older than the watermark is late: it is dropped and counted (`numLateRecordsDropped`), or goes to a side
/// output. A record is kept until the watermark shows that nothing can match it any more.
pub struct IntervalJoined<K, L, R> {
    streams: IntervalJoin<K, L, R>,
    bounds: IntervalBounds,
    late: LateTags<L, R>,
}

impl<K: Key, L: Data, R: Data> IntervalJoined<K, L, R> {
    /// Leaves out the lower bound itself.
    #[must_use]
    pub fn lower_bound_exclusive(mut self) -> Self {
        self.bounds.lower_exclusive = true;
        self
    }

    /// Leaves out the upper bound itself.
    #[must_use]
    pub fn upper_bound_exclusive(mut self) -> Self {
        self.bounds.upper_exclusive = true;
        self
    }

    /// Emits late records of the left stream to a side output instead of dropping them.
    #[must_use]
    pub fn side_output_left_late_data(mut self, tag: &OutputTag<L>) -> Self {
        self.late.left = Some(tag.clone());
        self
    }

    /// Emits late records of the right stream to a side output instead of dropping them.
    #[must_use]
    pub fn side_output_right_late_data(mut self, tag: &OutputTag<R>) -> Self {
        self.late.right = Some(tag.clone());
        self
    }

    /// Calls the function for each pair. What it emits has the greater timestamp of the two.
    pub fn process<O: Data>(self, function: impl ProcessJoinFunction<L, R, O>) -> DataStream<O> {
        let Self { streams: IntervalJoin { left, right }, bounds, late } = self;
        let function = Prototype::new(function);
        let selectors = (Arc::clone(&left.selector), Arc::clone(&right.selector));
        left.stream.add_with(&right.stream, NAME, move |setup| {
            Ok(IntervalJoinOperator::new(function.get(), bounds, selectors.clone(), late.clone(), setup)?)
        })
    }
}
