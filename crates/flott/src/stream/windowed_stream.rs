//! Streams collected into windows.

use std::sync::Arc;
use std::time::Duration;

use flott_core::{Data, Key};
use flott_runtime::operator::{Collector, OutputTag};
use flott_runtime::program::Prototype;

use super::{DataStream, KeyedStream};
use crate::function::AggregateFunction;
use crate::window::{
    Emit, EmitResult, Trigger, WindowAggregate, WindowAssigner, WindowOperator, WindowSettings, WithFunction,
};

/// The records of each key, collected into windows (Flink: `WindowedStream`).
pub struct WindowedStream<K, T, A: WindowAssigner<T>, R = <A as WindowAssigner<T>>::DefaultTrigger> {
    keyed: KeyedStream<K, T>,
    assigner: A,
    trigger: R,
    settings: WindowSettings<T>,
}

impl<K: Key, T: Data, A: WindowAssigner<T>> WindowedStream<K, T, A> {
    pub(super) fn new(keyed: KeyedStream<K, T>, assigner: A) -> Self {
        if let Err(problem) = assigner.validate() {
            keyed.env.builder.borrow_mut().invalid("Window", problem);
        }
        let trigger = assigner.default_trigger();
        Self { keyed, assigner, trigger, settings: WindowSettings::default() }
    }
}

impl<K: Key, T: Data, A: WindowAssigner<T>, R: Trigger<T, A::Window>> WindowedStream<K, T, A, R> {
    /// Keeps each window for this long after the watermark has passed its end: a late record still counts, and the
    /// window fires again. Default: zero.
    #[must_use]
    pub fn allowed_lateness(mut self, lateness: Duration) -> Self {
        self.settings.allowed_lateness = lateness;
        self
    }

    /// Emits records that are too late for all of their windows to a side output. Without it they are dropped and
    /// counted (`numLateRecordsDropped`).
    #[must_use]
    pub fn side_output_late_data(mut self, tag: &OutputTag<T>) -> Self {
        self.settings.late = Some(tag.clone());
        self
    }

    /// Decides with `trigger`, instead of the assigner's own, when a window's result is emitted.
    #[must_use]
    pub fn trigger<Q: Trigger<T, A::Window>>(self, trigger: Q) -> WindowedStream<K, T, A, Q> {
        let Self { keyed, assigner, settings, .. } = self;
        WindowedStream { keyed, assigner, trigger, settings }
    }

    /// Aggregates the records of each window; only the accumulator is kept.
    pub fn aggregate<F: AggregateFunction<T>>(self, function: F) -> DataStream<F::Output> {
        self.add(Incremental(function), EmitResult)
    }

    /// As [`WindowedStream::aggregate`], and hands each result with its key and window to `emit`.
    pub fn aggregate_with<F, O, E>(self, function: F, emit: E) -> DataStream<O>
    where
        F: AggregateFunction<T>,
        O: Data,
        E: FnMut(&K, &A::Window, F::Output, &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.add(Incremental(function), WithFunction(emit))
    }

    /// Combines the records of each window; only the combination is kept.
    pub fn reduce(self, reduce: impl Fn(&T, T) -> T + Clone + Send + 'static) -> DataStream<T> {
        self.add(Reducing(reduce), EmitResult)
    }

    /// As [`WindowedStream::reduce`], and hands each result with its key and window to `emit`.
    pub fn reduce_with<O, E>(
        self,
        reduce: impl Fn(&T, T) -> T + Clone + Send + 'static,
        emit: E,
    ) -> DataStream<O>
    where
        O: Data,
        E: FnMut(&K, &A::Window, T, &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.add(Reducing(reduce), WithFunction(emit))
    }

    fn add<G, O, E>(self, aggregate: G, emit: E) -> DataStream<O>
    where
        G: WindowAggregate<T>,
        O: Data,
        E: Emit<K, A::Window, G::Output, O>,
    {
        let prototype = Prototype::new((self.assigner, self.trigger, aggregate, emit));
        let (selector, settings) = (Arc::clone(&self.keyed.selector), self.settings);
        self.keyed.stream.add("Window", move |setup| {
            let (assigner, trigger, aggregate, emit) = prototype.get();
            let parts = (assigner, trigger, aggregate, emit);
            Ok(WindowOperator::new(parts, Arc::clone(&selector), settings.clone(), setup)?)
        })
    }
}

/// An aggregate function over the records of a window.
#[derive(Clone)]
struct Incremental<F>(F);

impl<T, F: AggregateFunction<T>> WindowAggregate<T> for Incremental<F> {
    type Accumulator = F::Accumulator;
    type Output = F::Output;

    #[inline]
    fn start(&self, record: T) -> F::Accumulator {
        let mut accumulator = self.0.create_accumulator();
        self.0.add(record, &mut accumulator);
        accumulator
    }

    #[inline]
    fn add(&self, accumulator: &mut F::Accumulator, record: T) {
        self.0.add(record, accumulator);
    }

    fn result(&self, accumulator: &F::Accumulator) -> F::Output {
        self.0.get_result(accumulator)
    }
}

/// A reduce function over the records of a window.
#[derive(Clone)]
struct Reducing<F>(F);

impl<T: Data, F: Fn(&T, T) -> T + Clone + Send + 'static> WindowAggregate<T> for Reducing<F> {
    type Accumulator = T;
    type Output = T;

    #[inline]
    fn start(&self, record: T) -> T {
        record
    }

    #[inline]
    fn add(&self, accumulator: &mut T, record: T) {
        *accumulator = (self.0)(accumulator, record);
    }

    fn result(&self, accumulator: &T) -> T {
        accumulator.clone()
    }
}
