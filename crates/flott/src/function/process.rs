//! Process functions: the most general ones, with time, side outputs and, on keyed streams, state and timers.

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::life_cycle::life_cycle;
use super::{
    FunctionInitializationContext, FunctionSnapshotContext, KeyedContext, OnTimerContext, OpenContext,
    ProcessContext, RuntimeContext,
};

/// A function on a stream without keys (Flink: `ProcessFunction`). It has no timers and no keyed state: a keyed
/// stream and a [`KeyedProcessFunction`] do.
pub trait ProcessFunction<I, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext), finish(O));

    /// Processes a record. Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element(
        &mut self,
        record: I,
        context: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult;
}

/// A function on a keyed stream, with state and timers for each key (Flink: `KeyedProcessFunction`).
///
/// ```
/// use flott::prelude::*;
///
/// /// Emits, for each record, the sum of its key so far.
/// #[derive(Clone, Default)]
/// struct RunningSum {
///     sum: ValueState<i64>,
/// }
///
/// impl KeyedProcessFunction<String, (String, i64), (String, i64)> for RunningSum {
///     fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
///         self.sum = context.value_state(ValueStateDescriptor::new("sum"))?;
///         Ok(())
///     }
///
///     fn process_element(
///         &mut self,
///         (word, count): (String, i64),
///         context: &mut KeyedContext<'_, String>,
///         out: &mut Collector<'_, (String, i64)>,
///     ) -> FnResult {
///         let sum = self.sum.get_or_insert_with(context, || 0)?;
///         *sum += count;
///         out.collect((word, *sum));
///         Ok(())
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// let words = env.from_elements([("a".to_owned(), 1), ("b".to_owned(), 1), ("a".to_owned(), 1)]);
/// let sums = words.key_by_ref(|(word, _)| word).process(RunningSum::default()).execute_and_collect()?;
/// assert!(sums.contains(&("a".to_owned(), 2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait KeyedProcessFunction<K: Key, I, O>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>), finish(O));

    /// Processes a record. Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element(
        &mut self,
        record: I,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// A timer of the key has fired. Records emitted for an event-time timer have its time as their timestamp, those
    /// for a processing-time timer have none.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_timer(
        &mut self,
        _time: Timestamp,
        _context: &mut OnTimerContext<'_, K>,
        _out: &mut Collector<'_, O>,
    ) -> FnResult {
        Ok(())
    }
}
