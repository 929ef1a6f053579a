//! The operators behind the API: a user's function inside a loop over a batch.

mod co_process;
mod filter;
mod flat_map;
mod keyed;
mod keyed_broadcast_process;
mod keyed_co_process;
mod keyed_process;
mod map;
mod process;
mod reduce;
mod watermarks;

pub(crate) use co_process::CoProcessOperator;
pub(crate) use filter::FilterOperator;
pub(crate) use flat_map::FlatMapOperator;
pub(crate) use keyed::{KeyedBatch, RUN};
pub(crate) use keyed_broadcast_process::KeyedBroadcastProcessOperator;
pub(crate) use keyed_co_process::KeyedCoProcessOperator;
pub(crate) use keyed_process::KeyedProcessOperator;
pub(crate) use map::MapOperator;
pub(crate) use process::ProcessOperator;
pub(crate) use reduce::{Fold, ReduceOperator};
pub(crate) use watermarks::TimestampsAndWatermarksOperator;
