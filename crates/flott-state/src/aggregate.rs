//! Incremental aggregation: how values are folded into an accumulator.

/// Folds records into an accumulator, one by one, and makes a result of it (Flink: `AggregateFunction`).
///
/// Only the accumulator is kept, never the records.
pub trait AggregateFunction<I>: Clone + Send + 'static {
    /// What is kept.
    type Accumulator: flott_core::Data;
    /// What comes out.
    type Output: flott_core::Data;

    /// The accumulator of no records.
    fn create_accumulator(&self) -> Self::Accumulator;

    /// Adds a record.
    fn add(&self, record: I, accumulator: &mut Self::Accumulator);

    /// The result of what has been added.
    fn get_result(&self, accumulator: &Self::Accumulator) -> Self::Output;

    /// Adds everything that `other` holds to `accumulator`. Called where windows merge or share panes.
    fn merge(&self, accumulator: &mut Self::Accumulator, other: Self::Accumulator);
}
