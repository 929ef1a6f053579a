//! Two streams as one.

use flott_core::Data;
use serde::{Deserialize, Serialize};

use crate::stream::DataStream;

/// A record of one of two streams (Flink: `TaggedUnion`): what the window assigner, the trigger and the evictor of a
/// window join or co-group get to see, and what its late records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TaggedUnion<A, B> {
    /// Of the left stream.
    One(A),
    /// Of the right stream.
    Two(B),
}

/// The records of both streams.
pub(super) fn union<A: Data, B: Data>(
    left: &DataStream<A>,
    right: &DataStream<B>,
) -> DataStream<TaggedUnion<A, B>> {
    tag(left, TaggedUnion::One).union(&tag(right, TaggedUnion::Two))
}

/// Tags each record where it is: in as many subtasks as the stream comes from, so that it isn't sent for it.
fn tag<A: Data, T: Data>(stream: &DataStream<A>, with: fn(A) -> T) -> DataStream<T> {
    let tagged = stream.map(with);
    let mut builder = stream.env.builder.borrow_mut();
    let mut parallelism = None;
    builder
        .change(stream.at, |node| parallelism = if node.non_parallel { Some(1) } else { node.parallelism });
    builder.change(tagged.at, |node| node.parallelism = parallelism);
    drop(builder);
    tagged
}
