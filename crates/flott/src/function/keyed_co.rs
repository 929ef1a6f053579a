//! Functions on two connected streams with keys: both inputs share the state and the timers of a key.

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::life_cycle::{delegate_life_cycle, life_cycle};
use super::{
    CoFlatMapFunction, CoMapFunction, FunctionInitializationContext, FunctionSnapshotContext, KeyedContext,
    KeyedStateContext, OnTimerContext, OpenContext,
};

/// Turns each record of two keyed streams into one of a third, with state for each key that both share (Flink:
/// `RichCoMapFunction` on connected keyed streams). Every [`CoMapFunction`] is one that uses no state.
pub trait KeyedCoMapFunction<K: Key, A, B, O>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>));

    /// Makes the new record of one of the first stream. It keeps the timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn map1(&mut self, record: A, context: &mut KeyedStateContext<'_, '_, K>) -> FnResult<O>;

    /// Makes the new record of one of the second stream. It keeps the timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn map2(&mut self, record: B, context: &mut KeyedStateContext<'_, '_, K>) -> FnResult<O>;
}

/// Turns each record of two keyed streams into any number of a third, with state for each key that both share (Flink:
/// `RichCoFlatMapFunction` on connected keyed streams). Every [`CoFlatMapFunction`] is one that uses no state.
pub trait KeyedCoFlatMapFunction<K: Key, A, B, O>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>), finish(O));

    /// Emits what a record of the first stream becomes. All of it keeps the record's timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn flat_map1(
        &mut self,
        record: A,
        context: &mut KeyedStateContext<'_, '_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// Emits what a record of the second stream becomes. All of it keeps the record's timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn flat_map2(
        &mut self,
        record: B,
        context: &mut KeyedStateContext<'_, '_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;
}

/// Processes the records of two keyed streams, with state and timers for each key that both share (Flink:
/// `KeyedCoProcessFunction`).
///
/// ```
/// use flott::prelude::*;
///
/// /// Lets through the numbers of those keys whose switch is on.
/// #[derive(Clone, Default)]
/// struct Switch {
///     is_on: ValueState<bool>,
/// }
///
/// impl KeyedCoProcessFunction<u32, (u32, bool), (u32, i64), i64> for Switch {
///     fn open(&mut self, context: &mut OpenContext<'_, u32>) -> FnResult {
///         self.is_on = context.value_state(ValueStateDescriptor::new("is-on"))?;
///         Ok(())
///     }
///
///     fn process_element1(
///         &mut self,
///         (_, is_on): (u32, bool),
///         context: &mut KeyedContext<'_, u32>,
///         _: &mut Collector<'_, i64>,
///     ) -> FnResult {
///         Ok(self.is_on.update(context, is_on)?)
///     }
///
///     fn process_element2(
///         &mut self,
///         (_, number): (u32, i64),
///         context: &mut KeyedContext<'_, u32>,
///         out: &mut Collector<'_, i64>,
///     ) -> FnResult {
///         if self.is_on.value(context)?.unwrap_or(true) {
///             out.collect(number);
///         }
///         Ok(())
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// let switches = env.from_elements([(1, true)]).key_by(|(key, _)| *key);
/// let numbers = env.from_elements([(1, 10), (2, 20)]).key_by(|(key, _)| *key);
/// let mut passed = switches.connect(&numbers).process(Switch::default()).execute_and_collect()?;
/// passed.sort();
/// assert_eq!(passed, [10, 20]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait KeyedCoProcessFunction<K: Key, A, B, O>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>), finish(O));

    /// Processes a record of the first stream. Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element1(
        &mut self,
        record: A,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// Processes a record of the second stream. Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element2(
        &mut self,
        record: B,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// A timer of the key has fired, whichever input has registered it; as
    /// [`KeyedProcessFunction::on_timer`](super::KeyedProcessFunction::on_timer).
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

impl<K: Key, A, B, O, F: CoMapFunction<A, B, O>> KeyedCoMapFunction<K, A, B, O> for F {
    delegate_life_cycle!(|this| this; F as CoMapFunction<A, B, O>, open(&mut OpenContext<'_, K>));

    #[inline]
    fn map1(&mut self, record: A, _: &mut KeyedStateContext<'_, '_, K>) -> FnResult<O> {
        CoMapFunction::map1(self, record)
    }

    #[inline]
    fn map2(&mut self, record: B, _: &mut KeyedStateContext<'_, '_, K>) -> FnResult<O> {
        CoMapFunction::map2(self, record)
    }
}

impl<K: Key, A, B, O, F: CoFlatMapFunction<A, B, O>> KeyedCoFlatMapFunction<K, A, B, O> for F {
    delegate_life_cycle!(
        |this| this;
        F as CoFlatMapFunction<A, B, O>, open(&mut OpenContext<'_, K>), finish(O)
    );

    #[inline]
    fn flat_map1(
        &mut self,
        record: A,
        _: &mut KeyedStateContext<'_, '_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        CoFlatMapFunction::flat_map1(self, record, out)
    }

    #[inline]
    fn flat_map2(
        &mut self,
        record: B,
        _: &mut KeyedStateContext<'_, '_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        CoFlatMapFunction::flat_map2(self, record, out)
    }
}

/// A keyed co-map as what the engine runs on connected keyed streams.
#[derive(Clone)]
pub(crate) struct KeyedCoMapProcess<F>(pub(crate) F);

impl<K: Key, A, B, O: Clone + 'static, F: KeyedCoMapFunction<K, A, B, O>> KeyedCoProcessFunction<K, A, B, O>
    for KeyedCoMapProcess<F>
{
    delegate_life_cycle!(
        |this| &mut this.0;
        F as KeyedCoMapFunction<K, A, B, O>, open(&mut OpenContext<'_, K>)
    );

    #[inline]
    fn process_element1(
        &mut self,
        record: A,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        out.collect(self.0.map1(record, &mut KeyedStateContext::new(context))?);
        Ok(())
    }

    #[inline]
    fn process_element2(
        &mut self,
        record: B,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        out.collect(self.0.map2(record, &mut KeyedStateContext::new(context))?);
        Ok(())
    }
}

/// A keyed co-flat-map as what the engine runs on connected keyed streams.
#[derive(Clone)]
pub(crate) struct KeyedCoFlatMapProcess<F>(pub(crate) F);

impl<K: Key, A, B, O, F: KeyedCoFlatMapFunction<K, A, B, O>> KeyedCoProcessFunction<K, A, B, O>
    for KeyedCoFlatMapProcess<F>
{
    delegate_life_cycle!(
        |this| &mut this.0;
        F as KeyedCoFlatMapFunction<K, A, B, O>, open(&mut OpenContext<'_, K>), finish(O)
    );

    #[inline]
    fn process_element1(
        &mut self,
        record: A,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.0.flat_map1(record, &mut KeyedStateContext::new(context), out)
    }

    #[inline]
    fn process_element2(
        &mut self,
        record: B,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.0.flat_map2(record, &mut KeyedStateContext::new(context), out)
    }
}
