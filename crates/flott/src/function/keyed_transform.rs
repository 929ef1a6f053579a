//! Map, flat map and filter on keyed streams: with state for each key, without time or timers.

use flott_core::Key;
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::life_cycle::{delegate_life_cycle, life_cycle};
use super::{
    FilterFunction, FlatMapFunction, FunctionInitializationContext, FunctionSnapshotContext, KeyedContext,
    KeyedProcessFunction, KeyedStateContext, MapFunction, OpenContext,
};

/// Turns each record of a keyed stream into another, with state for each key (Flink: `RichMapFunction` on a
/// `KeyedStream`). Every [`MapFunction`] is one that uses no state.
pub trait KeyedMapFunction<K: Key, I, O>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>));

    /// Makes the new record. It keeps the timestamp of the old one.
    ///
    /// # Errors
    /// An error fails the job.
    fn map(&mut self, record: I, context: &mut KeyedStateContext<'_, '_, K>) -> FnResult<O>;
}

/// Turns each record of a keyed stream into any number of others, with state for each key (Flink: `RichFlatMapFunction`
/// on a `KeyedStream`). Every [`FlatMapFunction`] is one that uses no state.
pub trait KeyedFlatMapFunction<K: Key, I, O>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>), finish(O));

    /// Emits what the record becomes. All of it keeps the record's timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn flat_map(
        &mut self,
        record: I,
        context: &mut KeyedStateContext<'_, '_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;
}

/// Keeps some records of a keyed stream and drops the others, with state for each key (Flink: `RichFilterFunction` on a
/// `KeyedStream`). Every [`FilterFunction`] is one that uses no state.
pub trait KeyedFilterFunction<K: Key, T>: Clone + Send + 'static {
    life_cycle!(open(&mut OpenContext<'_, K>));

    /// Whether to keep the record.
    ///
    /// # Errors
    /// An error fails the job.
    fn filter(&mut self, record: &T, context: &mut KeyedStateContext<'_, '_, K>) -> FnResult<bool>;
}

impl<K: Key, I, O, F: MapFunction<I, O>> KeyedMapFunction<K, I, O> for F {
    delegate_life_cycle!(|this| this; F as MapFunction<I, O>, open(&mut OpenContext<'_, K>));

    #[inline]
    fn map(&mut self, record: I, _: &mut KeyedStateContext<'_, '_, K>) -> FnResult<O> {
        MapFunction::map(self, record)
    }
}

impl<K: Key, I, O, F: FlatMapFunction<I, O>> KeyedFlatMapFunction<K, I, O> for F {
    delegate_life_cycle!(|this| this; F as FlatMapFunction<I, O>, open(&mut OpenContext<'_, K>), finish(O));

    #[inline]
    fn flat_map(
        &mut self,
        record: I,
        _: &mut KeyedStateContext<'_, '_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        FlatMapFunction::flat_map(self, record, out)
    }
}

impl<K: Key, T, F: FilterFunction<T>> KeyedFilterFunction<K, T> for F {
    delegate_life_cycle!(|this| this; F as FilterFunction<T>, open(&mut OpenContext<'_, K>));

    #[inline]
    fn filter(&mut self, record: &T, _: &mut KeyedStateContext<'_, '_, K>) -> FnResult<bool> {
        FilterFunction::filter(self, record)
    }
}

/// A keyed map as what the engine runs on keyed streams.
#[derive(Clone)]
pub(crate) struct MapProcess<F>(pub(crate) F);

impl<K: Key, I, O: Clone + 'static, F: KeyedMapFunction<K, I, O>> KeyedProcessFunction<K, I, O>
    for MapProcess<F>
{
    delegate_life_cycle!(|this| &mut this.0; F as KeyedMapFunction<K, I, O>, open(&mut OpenContext<'_, K>));

    #[inline]
    fn process_element(
        &mut self,
        record: I,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        out.collect(self.0.map(record, &mut KeyedStateContext::new(context))?);
        Ok(())
    }
}

/// A keyed flat map as what the engine runs on keyed streams.
#[derive(Clone)]
pub(crate) struct FlatMapProcess<F>(pub(crate) F);

impl<K: Key, I, O, F: KeyedFlatMapFunction<K, I, O>> KeyedProcessFunction<K, I, O> for FlatMapProcess<F> {
    delegate_life_cycle!(
        |this| &mut this.0; F as KeyedFlatMapFunction<K, I, O>, open(&mut OpenContext<'_, K>), finish(O)
    );

    #[inline]
    fn process_element(
        &mut self,
        record: I,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.0.flat_map(record, &mut KeyedStateContext::new(context), out)
    }
}

/// A keyed filter as what the engine runs on keyed streams.
#[derive(Clone)]
pub(crate) struct FilterProcess<F>(pub(crate) F);

impl<K: Key, T: Clone + 'static, F: KeyedFilterFunction<K, T>> KeyedProcessFunction<K, T, T>
    for FilterProcess<F>
{
    delegate_life_cycle!(|this| &mut this.0; F as KeyedFilterFunction<K, T>, open(&mut OpenContext<'_, K>));

    #[inline]
    fn process_element(
        &mut self,
        record: T,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, T>,
    ) -> FnResult {
        if self.0.filter(&record, &mut KeyedStateContext::new(context))? {
            out.collect(record);
        }
        Ok(())
    }
}
