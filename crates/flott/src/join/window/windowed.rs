//! The windows of two streams.

use std::marker::PhantomData;
use std::time::Duration;

use flott_core::{Data, Key};
use flott_runtime::operator::{Collector, OutputTag};

use super::function::{CoGroupClosure, CoGroupFunction, JoinClosure, JoinFunction, PairByPair};
use super::work::BothSides;
use super::{Grouped, Paired, TaggedUnion};
use crate::stream::{DataStream, WindowedStream};
use crate::window::{Evictor, NoEvictor, Trigger, WindowAssigner};

/// Two streams collected into windows (Flink: `JoinedStreams.WithWindow`, `CoGroupedStreams.WithWindow`).
///
/// `W` is the window assigner, `R` the trigger and `V` the evictor; a record is a [`TaggedUnion`] to them.
pub struct WithWindow<
    M,
    K,
    A,
    B,
    W: WindowAssigner<TaggedUnion<A, B>>,
    R = <W as WindowAssigner<TaggedUnion<A, B>>>::DefaultTrigger,
    V = NoEvictor,
> {
    windowed: WindowedStream<K, TaggedUnion<A, B>, W, R, V>,
    mode: PhantomData<fn() -> M>,
}

impl<M, K, A, B, W, R, V> WithWindow<M, K, A, B, W, R, V>
where
    K: Key,
    A: Data,
    B: Data,
    W: WindowAssigner<TaggedUnion<A, B>>,
    R: Trigger<TaggedUnion<A, B>, W::Window>,
    V: Evictor<TaggedUnion<A, B>, W::Window>,
{
    pub(super) fn new(windowed: WindowedStream<K, TaggedUnion<A, B>, W, R, V>) -> Self {
        Self { windowed, mode: PhantomData }
    }

    /// Decides with `trigger`, instead of the assigner's own, when the function is called.
    #[must_use]
    pub fn trigger<Q>(self, trigger: Q) -> WithWindow<M, K, A, B, W, Q, V>
    where
        Q: Trigger<TaggedUnion<A, B>, W::Window>,
    {
        WithWindow::new(self.windowed.trigger(trigger))
    }

    /// Drops records of a window around its emission, as `evictor` says. It sees those of both sides together, in the
    /// order in which they came.
    #[must_use]
    pub fn evictor<E>(self, evictor: E) -> WithWindow<M, K, A, B, W, R, E>
    where
        E: Evictor<TaggedUnion<A, B>, W::Window>,
    {
        WithWindow::new(self.windowed.evictor(evictor))
    }

    /// Keeps each window for this long after the watermark has passed its end: a late record still counts, and the
    /// window fires again, with all of its records. Default: zero. For windows of event time.
    #[must_use]
    pub fn allowed_lateness(self, lateness: Duration) -> Self {
        Self::new(self.windowed.allowed_lateness(lateness))
    }

    /// Emits records of both sides that are too late for all of their windows to a side output. Without it they are
    /// dropped and counted (`numLateRecordsDropped`).
    #[must_use]
    pub fn side_output_late_data(self, tag: &OutputTag<TaggedUnion<A, B>>) -> Self {
        Self::new(self.windowed.side_output_late_data(tag))
    }

    fn add<O: Data>(self, function: impl CoGroupFunction<A, B, O>) -> DataStream<O> {
        self.windowed.add(BothSides::new(function))
    }
}

impl<K, A, B, W, R, V> WithWindow<Paired, K, A, B, W, R, V>
where
    K: Key,
    A: Data,
    B: Data,
    W: WindowAssigner<TaggedUnion<A, B>>,
    R: Trigger<TaggedUnion<A, B>, W::Window>,
    V: Evictor<TaggedUnion<A, B>, W::Window>,
{
    /// Calls the function for each pair of a left and a right record in a window that fires. What it emits has the last
    /// timestamp of the window.
    pub fn apply<O, F>(self, function: F) -> DataStream<O>
    where
        O: Data,
        F: FnMut(&A, &B, &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.apply_with(JoinClosure(function))
    }

    /// As `apply`, with a function that may fail or has a life cycle.
    pub fn apply_with<O: Data>(self, function: impl JoinFunction<A, B, O>) -> DataStream<O> {
        self.add(PairByPair(function))
    }
}

impl<K, A, B, W, R, V> WithWindow<Grouped, K, A, B, W, R, V>
where
    K: Key,
    A: Data,
    B: Data,
    W: WindowAssigner<TaggedUnion<A, B>>,
    R: Trigger<TaggedUnion<A, B>, W::Window>,
    V: Evictor<TaggedUnion<A, B>, W::Window>,
{
    /// Calls the function for each window that fires, with the left and the right records of it, each in the order in
    /// which they came. What it emits has the last timestamp of the window.
    pub fn apply<O, F>(self, function: F) -> DataStream<O>
    where
        O: Data,
        F: FnMut(&[A], &[B], &mut Collector<'_, O>) + Clone + Send + 'static,
    {
        self.apply_with(CoGroupClosure(function))
    }

    /// As `apply`, with a function that may fail or has a life cycle.
    pub fn apply_with<O: Data>(self, function: impl CoGroupFunction<A, B, O>) -> DataStream<O> {
        self.add(function)
    }
}
