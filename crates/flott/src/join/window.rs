//! The window join and the co-group: what a program writes. Both streams become one, of records that tell which side they
//! are of (`tagged`); it is keyed and collected into windows (`windowed`); what a window keeps is both sides (`work`),
//! which the user's function gets when it fires (`function`).

mod function;
mod tagged;
mod windowed;
mod work;

use std::marker::PhantomData;

use flott_core::{Data, Key};

use crate::stream::{DataStream, KeyedStream, WindowedStream};
use crate::window::WindowAssigner;
pub use function::{CoGroupFunction, JoinFunction};
pub use tagged::TaggedUnion;
pub use windowed::WithWindow;

/// Marks streams of which a function gets each pair: an inner join.
#[derive(Clone, Copy, Debug)]
pub enum Paired {}

/// What a function gets of two streams: [`Paired`] or [`Grouped`].
pub trait PairMode {
    /// What the operator is called unless the program says otherwise.
    #[doc(hidden)]
    const NAME: &'static str;
}

impl PairMode for Paired {
    const NAME: &'static str = "Join";
}

impl PairMode for Grouped {
    const NAME: &'static str = "CoGroup";
}

/// Marks streams of which a function gets each window's records, those of both sides apart.
#[derive(Clone, Copy, Debug)]
pub enum Grouped {}

/// Two streams to be joined in windows (Flink: `JoinedStreams`).
pub type JoinedStreams<A, B> = StreamPair<Paired, A, B>;
/// Two streams to be co-grouped in windows (Flink: `CoGroupedStreams`).
pub type CoGroupedStreams<A, B> = StreamPair<Grouped, A, B>;

/// Two streams of one window operator. `M` says what its function gets: [`Paired`] or [`Grouped`].
pub struct StreamPair<M, A, B> {
    left: DataStream<A>,
    right: DataStream<B>,
    mode: PhantomData<fn() -> M>,
}

impl<A: Data> DataStream<A> {
    /// Joins with another stream: in each window, each record of this stream, the left one, with each of the other that
    /// has the same key. A record without partner in its window is in no pair.
    ///
    /// ```
    /// use flott::prelude::*;
    ///
    /// let env = StreamExecutionEnvironment::new();
    /// let by_time = || WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|r: &(u32, i64), _| r.1);
    /// let clicks = env.from_elements([(1, 100), (2, 400), (1, 1_200)]).assign_timestamps_and_watermarks(by_time());
    /// let views = env.from_elements([(1, 50), (1, 1_100), (2, 1_900)]).assign_timestamps_and_watermarks(by_time());
    /// let after_ms = clicks
    ///     .join(&views)
    ///     .where_key(|click| click.0)
    ///     .equal_to(|view| view.0)
    ///     .window(TumblingEventTimeWindows::of(Duration::from_secs(1)))
    ///     .apply(|click, view, out| out.collect((click.0, click.1 - view.1)));
    /// assert_eq!(after_ms.execute_and_collect()?, [(1, 50), (1, 100)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join<B: Data>(&self, right: &DataStream<B>) -> JoinedStreams<A, B> {
        StreamPair::new(self, right)
    }

    /// Groups with another stream: a function gets the records of each key and window, those of this stream, the left
    /// one, and those of the other. It is called also when one side has none, so it can make outer joins.
    ///
    /// ```
    /// use flott::prelude::*;
    ///
    /// let env = StreamExecutionEnvironment::new();
    /// let by_time = || WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|r: &(u32, i64), _| r.1);
    /// let orders = env.from_elements([(1, 100), (2, 400)]).assign_timestamps_and_watermarks(by_time());
    /// let payments = env.from_elements([(1, 200), (1, 300)]).assign_timestamps_and_watermarks(by_time());
    /// let unpaid = orders
    ///     .co_group(&payments)
    ///     .where_key(|order| order.0)
    ///     .equal_to(|payment| payment.0)
    ///     .window(TumblingEventTimeWindows::of(Duration::from_secs(1)))
    ///     .apply(|orders, payments, out| {
    ///         if payments.is_empty() {
    ///             orders.iter().for_each(|order| out.collect(order.0));
    ///         }
    ///     });
    /// assert_eq!(unpaid.execute_and_collect()?, [2]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn co_group<B: Data>(&self, right: &DataStream<B>) -> CoGroupedStreams<A, B> {
        StreamPair::new(self, right)
    }
}

impl<M, A: Data, B: Data> StreamPair<M, A, B> {
    fn new(left: &DataStream<A>, right: &DataStream<B>) -> Self {
        Self { left: left.clone(), right: right.clone(), mode: PhantomData }
    }

    /// The key of a left record.
    pub fn where_key<K, F>(self, select: F) -> Where<M, A, B, F>
    where
        K: Key,
        F: Fn(&A) -> K + Send + Sync + 'static,
    {
        Where { streams: self, select }
    }

    /// The key of a left record, pointed to inside it, so that none is cloned on the way.
    pub fn where_key_ref<K, F>(self, select: F) -> WhereRef<M, A, B, F>
    where
        K: Key,
        F: Fn(&A) -> &K + Send + Sync + 'static,
    {
        WhereRef { streams: self, select }
    }
}

/// Two streams with the key of the left one (Flink: `JoinedStreams.Where`).
pub struct Where<M, A, B, F> {
    streams: StreamPair<M, A, B>,
    select: F,
}

impl<M, A: Data, B: Data, F> Where<M, A, B, F> {
    /// The key of a right record, of the same type as that of a left one.
    pub fn equal_to<K, G>(self, select: G) -> EqualTo<M, K, A, B>
    where
        K: Key,
        F: Fn(&A) -> K + Send + Sync + 'static,
        G: Fn(&B) -> K + Send + Sync + 'static,
    {
        let (of_left, of_right) = (self.select, select);
        let keyed =
            tagged::union(&self.streams.left, &self.streams.right).key_by(move |record| match record {
                TaggedUnion::One(left) => of_left(left),
                TaggedUnion::Two(right) => of_right(right),
            });
        EqualTo { keyed, mode: PhantomData }
    }
}

/// Two streams with the key of the left one, pointed to.
pub struct WhereRef<M, A, B, F> {
    streams: StreamPair<M, A, B>,
    select: F,
}

impl<M, A: Data, B: Data, F> WhereRef<M, A, B, F> {
    /// The key of a right record, pointed to as well, of the same type as that of a left one.
    pub fn equal_to_ref<K, G>(self, select: G) -> EqualTo<M, K, A, B>
    where
        K: Key,
        F: Fn(&A) -> &K + Send + Sync + 'static,
        G: Fn(&B) -> &K + Send + Sync + 'static,
    {
        let (of_left, of_right) = (self.select, select);
        let tagged = tagged::union(&self.streams.left, &self.streams.right);
        let keyed = tagged.key_by_ref(move |record| match record {
            TaggedUnion::One(left) => of_left(left),
            TaggedUnion::Two(right) => of_right(right),
        });
        EqualTo { keyed, mode: PhantomData }
    }
}

/// Two streams with their keys (Flink: `JoinedStreams.Where.EqualTo`).
pub struct EqualTo<M, K, A, B> {
    keyed: KeyedStream<K, TaggedUnion<A, B>>,
    mode: PhantomData<fn() -> M>,
}

impl<M: PairMode, K: Key, A: Data, B: Data> EqualTo<M, K, A, B> {
    /// Collects the records of each key into windows, those of both sides into the same. An assigner that looks at the
    /// record gets a [`TaggedUnion`].
    pub fn window<W: WindowAssigner<TaggedUnion<A, B>>>(self, assigner: W) -> WithWindow<M, K, A, B, W> {
        WithWindow::new(WindowedStream::named(M::NAME, self.keyed, assigner))
    }
}
