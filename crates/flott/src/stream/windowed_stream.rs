//! Streams collected into windows.

use std::sync::Arc;
use std::time::Duration;

use flott_core::{Data, Key};
use flott_runtime::operator::{Collector, OutputTag};
use flott_runtime::program::Prototype;

use super::{DataStream, KeyedStream, fold};
use crate::function::AggregateFunction;
use crate::operators::Fold;
use crate::window::{
    Aggregate, Aggregation, AlignedWindowOperator, AllElements, Closure, CountEvictor, CountTrigger,
    EmitResult, Evicting, Evictor, GlobalWindows, Incremental, NoEvictor, OverElements,
    ProcessWindowFunction, PurgingTrigger, Reduce, SessionWindowOperator, Trigger, WindowAssigner,
    WindowOperator, WindowSettings, Work,
};

/// What a window operator is called unless the program says otherwise.
const NAME: &str = "Window";

/// The records of each key, collected into windows (Flink: `WindowedStream`).
///
/// `R` is the trigger and `V` the evictor.
pub struct WindowedStream<
    K,
    T,
    A: WindowAssigner<T>,
    R = <A as WindowAssigner<T>>::DefaultTrigger,
    V = NoEvictor,
> {
    keyed: KeyedStream<K, T>,
    assigner: A,
    trigger: R,
    evictor: V,
    settings: WindowSettings<T>,
    /// What the operator is called, also where a mistake is told, unless the program says otherwise.
    name: &'static str,
    /// Whether the windows are those of all records, in one subtask.
    is_of_all: bool,
}

impl<K: Key, T: Data, A: WindowAssigner<T>> WindowedStream<K, T, A> {
    pub(super) fn new(keyed: KeyedStream<K, T>, assigner: A) -> Self {
        Self::named(NAME, keyed, assigner)
    }

    pub(crate) fn named(name: &'static str, keyed: KeyedStream<K, T>, assigner: A) -> Self {
        if let Err(problem) = assigner.validate() {
            keyed.env.builder.borrow_mut().invalid(name, problem);
        }
        let (trigger, settings) = (assigner.default_trigger(), WindowSettings::default());
        Self { keyed, assigner, trigger, evictor: NoEvictor, settings, name, is_of_all: false }
    }

    pub(super) fn of_all(mut self) -> Self {
        self.is_of_all = true;
        self
    }
}

/// Every n records of a key.
pub(super) type CountWindows<K, T> = WindowedStream<K, T, GlobalWindows, PurgingTrigger<CountTrigger>>;
/// The last records of a key, every few records.
pub(super) type SlidingCountWindows<K, T> = WindowedStream<K, T, GlobalWindows, CountTrigger, CountEvictor>;

impl<K: Key, T: Data> WindowedStream<K, T, GlobalWindows> {
    pub(super) fn every(self, size: u64) -> CountWindows<K, T> {
        self.trigger(PurgingTrigger::of(CountTrigger::of(size)))
    }

    pub(super) fn last(self, size: usize, slide: u64) -> SlidingCountWindows<K, T> {
        self.evictor(CountEvictor::of(size)).trigger(CountTrigger::of(slide))
    }
}

impl<K, T, A, R, V> WindowedStream<K, T, A, R, V>
where
    K: Key,
    T: Data,
    A: WindowAssigner<T>,
    R: Trigger<T, A::Window>,
    V: Evictor<T, A::Window>,
{
    /// Keeps each window for this long after the watermark has passed its end: a late record still counts, and the
    /// window fires again. Default: zero. For windows of event time.
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
    pub fn trigger<Q: Trigger<T, A::Window>>(self, trigger: Q) -> WindowedStream<K, T, A, Q, V> {
        let Self { keyed, assigner, evictor, settings, name, is_of_all, .. } = self;
        let problem = if A::MERGES && !trigger.can_merge() {
            Err("windows that merge, such as sessions, can't have a trigger that does not support merging"
                .to_owned())
        } else {
            trigger.validate()
        };
        if let Err(problem) = problem {
            keyed.env.builder.borrow_mut().invalid(name, problem);
        }
        WindowedStream { keyed, assigner, trigger, evictor, settings, name, is_of_all }
    }

    /// Drops records of a window around its emission, as `evictor` says. All records are kept then, also for `reduce`
    /// and `aggregate`.
    #[must_use]
    pub fn evictor<E: Evictor<T, A::Window>>(self, evictor: E) -> WindowedStream<K, T, A, R, E> {
        let Self { keyed, assigner, trigger, settings, name, is_of_all, .. } = self;
        WindowedStream { keyed, assigner, trigger, evictor, settings, name, is_of_all }
    }

    /// Aggregates the records of each window; only the accumulator is kept.
    pub fn aggregate<F: AggregateFunction<T>>(self, function: F) -> DataStream<F::Output> {
        self.results(Aggregate(function))
    }

    /// As [`WindowedStream::aggregate`], and hands each result with its key and window to `emit`.
    pub fn aggregate_with<F, O, E>(self, function: F, emit: E) -> DataStream<O>
    where
        F: AggregateFunction<T>,
        O: Data,
        E: FnMut(&K, &A::Window, F::Output, &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.incremental(Aggregate(function), Closure(emit))
    }

    /// As [`WindowedStream::aggregate`], and hands each result to a function that knows key, window and time and has
    /// state (Flink: `aggregate(AggregateFunction, ProcessWindowFunction)`).
    pub fn aggregate_and_process<F, O, E>(self, function: F, process: E) -> DataStream<O>
    where
        F: AggregateFunction<T>,
        O: Data,
        E: ProcessWindowFunction<K, A::Window, F::Output, O>,
    {
        self.incremental(Aggregate(function), process)
    }

    /// Combines the records of each window; only the combination is kept.
    pub fn reduce(self, reduce: impl Fn(&T, T) -> T + Clone + Send + 'static) -> DataStream<T> {
        self.fold(fold::reduce(reduce))
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
        self.incremental(Reduce(fold::reduce(reduce)), Closure(emit))
    }

    /// As [`WindowedStream::reduce`], and hands each result to a function that knows key, window and time and has
    /// state (Flink: `reduce(ReduceFunction, ProcessWindowFunction)`).
    pub fn reduce_and_process<O, E>(
        self,
        reduce: impl Fn(&T, T) -> T + Clone + Send + 'static,
        process: E,
    ) -> DataStream<O>
    where
        O: Data,
        E: ProcessWindowFunction<K, A::Window, T, O>,
    {
        self.incremental(Reduce(fold::reduce(reduce)), process)
    }

    /// Keeps all records of each window and hands them to `apply`, with key and window (Flink: `apply`). They are in
    /// the order in which they came. Prefer [`WindowedStream::aggregate`] where one accumulator will do.
    pub fn apply<O, F>(self, apply: F) -> DataStream<O>
    where
        O: Data,
        F: FnMut(&K, &A::Window, &[T], &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.add(AllElements::new(Closure(apply)))
    }

    /// As [`WindowedStream::apply`], with a function that has a life cycle, knows time and has state (Flink:
    /// `process`).
    pub fn process<O, F>(self, function: F) -> DataStream<O>
    where
        O: Data,
        F: for<'e> ProcessWindowFunction<K, A::Window, &'e [T], O>,
    {
        self.add(AllElements::new(function))
    }

    pub(super) fn fold(self, fold: impl Fold<T>) -> DataStream<T> {
        self.results(Reduce(fold))
    }

    /// Emits the results as they are, and nothing to the side but late records.
    fn results<G: Aggregation<T>>(self, aggregation: G) -> DataStream<G::Output> {
        let late = self.settings.late.as_ref().map(|tag| tag.id().to_owned());
        self.incremental(aggregation, EmitResult).emits_only(late)
    }

    fn incremental<G, O, E>(self, aggregation: G, emit: E) -> DataStream<O>
    where
        G: Aggregation<T>,
        O: Data,
        E: ProcessWindowFunction<K, A::Window, G::Output, O>,
    {
        self.add(Incremental::new(aggregation, emit))
    }

    pub(crate) fn add<X: OverElements<K, T, A::Window>>(self, work: X) -> DataStream<X::Out> {
        if V::EVICTS {
            let evicting = Evicting::new(self.evictor.clone(), work);
            return self.add_work(evicting);
        }
        self.add_work(work)
    }

    fn add_work<X: Work<K, T, A::Window>>(self, work: X) -> DataStream<X::Out> {
        let is_of_all = self.is_of_all;
        let stream = self.add_operator(work);
        if is_of_all {
            stream.env.builder.borrow_mut().change(stream.at, |node| node.non_parallel = true);
        }
        stream
    }

    /// Adds the operator that does the least for these windows. What is constant here is decided when the program is
    /// compiled, so that operators that can't be meant are not compiled.
    fn add_operator<X: Work<K, T, A::Window>>(self, work: X) -> DataStream<X::Out> {
        if R::IS_EVENT_TIME {
            if A::TUMBLES {
                return self.add_aligned(work);
            }
            if A::SLIDES && self.shares_panes::<X>() {
                return self.add_aligned(work);
            }
            if A::MERGES && A::OF_EVENT_TIME {
                return self.add_sessions(work);
            }
            if A::MERGES && self.assigner.is_event_time() {
                return self.add_sessions(work);
            }
        }
        self.add_general(work)
    }

    /// Whether each window is one pane, or its panes can be combined ahead and nobody is told when it is over.
    fn shares_panes<X: Work<K, T, A::Window>>(&self) -> bool {
        self.assigner.aligned().is_some_and(|(windows, _)| {
            let clears = X::CLEARS && !self.settings.allowed_lateness.is_zero();
            windows.slide_ms > 0 && (windows.size_ms <= windows.slide_ms || X::COMBINES && !clears)
        })
    }

    fn add_aligned<X: Work<K, T, A::Window>>(self, work: X) -> DataStream<X::Out> {
        let Self { keyed, assigner, settings, name, .. } = self;
        let (KeyedStream { stream, selector }, work) = (keyed, Prototype::new(work));
        let shape = assigner.aligned();
        stream.add(name, move |setup| {
            let shape = shape.ok_or("windows are said to be aligned, but not how")?;
            AlignedWindowOperator::new(shape, work.get(), Arc::clone(&selector), settings.clone(), setup)
        })
    }

    fn add_sessions<X: Work<K, T, A::Window>>(self, work: X) -> DataStream<X::Out> {
        let Self { keyed, assigner, settings, name, .. } = self;
        let (KeyedStream { stream, selector }, prototype) = (keyed, Prototype::new((assigner, work)));
        stream.add(name, move |setup| {
            SessionWindowOperator::new(prototype.get(), Arc::clone(&selector), settings.clone(), setup)
        })
    }

    fn add_general<X: Work<K, T, A::Window>>(self, work: X) -> DataStream<X::Out> {
        let Self { keyed, assigner, trigger, settings, name, .. } = self;
        let (KeyedStream { stream, selector }, prototype) =
            (keyed, Prototype::new((assigner, trigger, work)));
        stream.add(name, move |setup| {
            WindowOperator::new(prototype.get(), Arc::clone(&selector), settings.clone(), setup)
        })
    }
}
