//! What a function may know and do beside its record.

mod keyed;
mod process;
mod runtime;
mod timers;

pub(crate) use keyed::KeyedHost;
pub use keyed::{KeyedContext, KeyedStateContext, OpenContext};
pub use process::ProcessContext;
pub use runtime::RuntimeContext;
pub use timers::OnTimerContext;
