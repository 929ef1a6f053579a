//! Windows that keep an accumulator instead of their records.

use std::marker::PhantomData;

use flott_core::time::Timestamp;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::{OverElements, ProcessWindowFunction, WindowContext, WindowOpenContext, Work};
use crate::function::AggregateFunction;
use crate::operators::Fold;
use crate::window::Window;

/// How records are combined into an accumulator.
pub(crate) trait Aggregation<T>: Clone + Send + 'static {
    type Accumulator: Data;
    type Output: Data;

    /// The accumulator of a first record.
    fn start(&mut self, record: T) -> Self::Accumulator;
    fn add(&mut self, accumulator: &mut Self::Accumulator, record: T);
    fn merge(&mut self, accumulator: &mut Self::Accumulator, later: Self::Accumulator);
    fn result(&mut self, accumulator: &Self::Accumulator) -> Self::Output;
    /// The result of no records, if they have one.
    fn result_of_none(&mut self) -> Option<Self::Output>;
}

/// An aggregate function.
#[derive(Clone)]
pub(crate) struct Aggregate<F>(pub(crate) F);

impl<T, F: AggregateFunction<T>> Aggregation<T> for Aggregate<F> {
    type Accumulator = F::Accumulator;
    type Output = F::Output;

    #[inline]
    fn start(&mut self, record: T) -> F::Accumulator {
        let mut accumulator = self.0.create_accumulator();
        self.0.add(record, &mut accumulator);
        accumulator
    }

    #[inline]
    fn add(&mut self, accumulator: &mut F::Accumulator, record: T) {
        self.0.add(record, accumulator);
    }

    #[inline]
    fn merge(&mut self, accumulator: &mut F::Accumulator, later: F::Accumulator) {
        self.0.merge(accumulator, later);
    }

    #[inline]
    fn result(&mut self, accumulator: &F::Accumulator) -> F::Output {
        self.0.get_result(accumulator)
    }

    fn result_of_none(&mut self) -> Option<F::Output> {
        Some(self.0.get_result(&self.0.create_accumulator()))
    }
}

/// A reduce function: the accumulator is a record.
#[derive(Clone)]
pub(crate) struct Reduce<F>(pub(crate) F);

impl<T: Data, F: Fold<T>> Aggregation<T> for Reduce<F> {
    type Accumulator = T;
    type Output = T;

    #[inline]
    fn start(&mut self, record: T) -> T {
        record
    }

    #[inline]
    fn add(&mut self, accumulator: &mut T, record: T) {
        self.0.fold(accumulator, record);
    }

    #[inline]
    fn merge(&mut self, accumulator: &mut T, later: T) {
        self.0.fold(accumulator, later);
    }

    #[inline]
    fn result(&mut self, accumulator: &T) -> T {
        accumulator.clone()
    }

    fn result_of_none(&mut self) -> Option<T> {
        None
    }
}

/// An aggregation, and what is made of its result.
pub(crate) struct Incremental<G, E, O> {
    aggregation: G,
    emit: E,
    output: PhantomData<fn() -> O>,
}

impl<G, E, O> Incremental<G, E, O> {
    pub(crate) fn new(aggregation: G, emit: E) -> Self {
        Self { aggregation, emit, output: PhantomData }
    }
}

impl<G: Clone, E: Clone, O> Clone for Incremental<G, E, O> {
    fn clone(&self) -> Self {
        Self::new(self.aggregation.clone(), self.emit.clone())
    }
}

impl<K, T, W, G, E, O> Work<K, T, W> for Incremental<G, E, O>
where
    K: Key,
    T: Data,
    W: Window,
    G: Aggregation<T>,
    E: ProcessWindowFunction<K, W, G::Output, O>,
    O: Data,
{
    type Kept = G::Accumulator;
    type Out = O;
    const COMBINES: bool = true;
    const CLEARS: bool = E::CLEARS;

    fn open(&mut self, context: &mut WindowOpenContext<'_, K, W>) -> FnResult {
        self.emit.open(context)
    }

    #[inline]
    fn start(&mut self, record: T, _: Timestamp) -> G::Accumulator {
        self.aggregation.start(record)
    }

    #[inline]
    fn add(&mut self, kept: &mut G::Accumulator, record: T, _: Timestamp) {
        self.aggregation.add(kept, record);
    }

    #[inline]
    fn merge(&mut self, kept: &mut G::Accumulator, later: G::Accumulator) {
        self.aggregation.merge(kept, later);
    }

    #[inline]
    fn emit(
        &mut self,
        kept: &mut G::Accumulator,
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        let result = self.aggregation.result(kept);
        self.emit.process(result, context, out)
    }

    fn clear(&mut self, context: &mut WindowContext<'_, K, W>) -> FnResult {
        self.emit.clear(context)
    }

    fn close(&mut self) -> FnResult {
        self.emit.close()
    }
}

impl<K, T, W, G, E, O> OverElements<K, T, W> for Incremental<G, E, O>
where
    K: Key,
    T: Data,
    W: Window,
    G: Aggregation<T>,
    E: ProcessWindowFunction<K, W, G::Output, O>,
    O: Data,
{
    fn emit_all(
        &mut self,
        elements: &[T],
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        let mut elements = elements.iter().cloned();
        let result = match elements.next() {
            Some(first) => {
                let mut accumulator = self.aggregation.start(first);
                elements.for_each(|element| self.aggregation.add(&mut accumulator, element));
                Some(self.aggregation.result(&accumulator))
            }
            None => self.aggregation.result_of_none(),
        };
        result.map_or(Ok(()), |result| self.emit.process(result, context, out))
    }
}

/// Emits the result itself.
#[derive(Clone, Copy)]
pub(crate) struct EmitResult;

impl<K: Key, W: Window, R: Data> ProcessWindowFunction<K, W, R, R> for EmitResult {
    const CLEARS: bool = false;

    #[inline]
    fn process(
        &mut self,
        result: R,
        _: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, R>,
    ) -> FnResult {
        out.collect(result);
        Ok(())
    }
}
