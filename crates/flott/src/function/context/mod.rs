//! What a function may know and do beside its record.

mod broadcast;
mod host;
mod keyed;
mod process;
mod runtime;
mod timers;

pub use broadcast::{KeyedBroadcastContext, ReadOnlyContext};
pub(crate) use host::Host;
pub use host::{FunctionInitializationContext, FunctionSnapshotContext};
pub(crate) use keyed::KeyedHost;
pub use keyed::{KeyedContext, KeyedReadOnlyContext, KeyedStateContext, OpenContext, ReadOnly, ReadWrite};
pub use process::ProcessContext;
pub use runtime::RuntimeContext;
pub use timers::{OnTimerContext, OnTimerReadOnlyContext};
