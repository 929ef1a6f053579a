//! Joins: records of two streams that have a key in common, and times that fit.
//!
//! * `interval` — [`KeyedStream::interval_join`](crate::stream::KeyedStream::interval_join): each record of the one stream
//!   with those of the other whose timestamps are within bounds of its own.

mod interval;

pub use interval::{IntervalJoin, IntervalJoined, JoinContext, ProcessJoinFunction};
