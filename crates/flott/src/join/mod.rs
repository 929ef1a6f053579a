//! Joins: records of two streams that have a key in common, and times that fit.
//!
//! * `window` — [`DataStream::join`](crate::stream::DataStream::join) and
//!   [`DataStream::co_group`](crate::stream::DataStream::co_group): the records of both streams that are in the same window;
//! * `interval` — [`KeyedStream::interval_join`](crate::stream::KeyedStream::interval_join): each record of the one stream
//!   with those of the other whose timestamps are within bounds of its own.

mod interval;
mod window;

pub use interval::{IntervalJoin, IntervalJoined, JoinContext, ProcessJoinFunction};
pub use window::{
    CoGroupFunction, CoGroupedStreams, EqualTo, Grouped, JoinFunction, JoinedStreams, PairMode, Paired,
    StreamPair, TaggedUnion, Where, WhereRef, WithWindow,
};
