//! User functions. A closure serves where nothing is needed but the record; a struct that implements one of these
//! traits has a life cycle and a context as well (Flink: rich functions).
//!
//! Each subtask works on a clone of its own. A function runs on one thread, and no two calls of it overlap.

mod broadcast;
mod co;
mod context;
mod key;
mod keyed_co;
mod keyed_transform;
pub(crate) mod life_cycle;
mod process;
mod transform;

pub(crate) use broadcast::BroadcastProcess;
pub use broadcast::{BroadcastProcessFunction, KeyedBroadcastProcessFunction};
pub(crate) use co::{CoFlatMapClosures, CoFlatMapProcess, CoMapClosures, CoMapProcess};
pub use co::{CoFlatMapFunction, CoMapFunction, CoProcessFunction};
pub use context::{
    FunctionInitializationContext, FunctionSnapshotContext, KeyedBroadcastContext, KeyedContext,
    KeyedReadOnlyContext, KeyedStateContext, OnTimerContext, OnTimerReadOnlyContext, OpenContext,
    ProcessContext, ReadOnly, ReadOnlyContext, ReadWrite, RuntimeContext,
};
pub(crate) use context::{Host, KeyedHost};
pub use flott_state::AggregateFunction;
pub(crate) use key::{ByReference, ByValue, KeySelector};
pub use keyed_co::{KeyedCoFlatMapFunction, KeyedCoMapFunction, KeyedCoProcessFunction};
pub(crate) use keyed_co::{KeyedCoFlatMapProcess, KeyedCoMapProcess};
pub(crate) use keyed_transform::{FilterProcess, FlatMapProcess, MapProcess};
pub use keyed_transform::{KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction};
pub use process::{KeyedProcessFunction, ProcessFunction};
pub(crate) use transform::{FilterClosure, FlatMapClosure, MapClosure, TryMapClosure};
pub use transform::{FilterFunction, FlatMapFunction, MapFunction};
