//! Snapshots of state that is not all in memory.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::sync::Arc;

use flott_state::{StateBackend, testing::SortedMapStateBackend};

#[path = "snapshot/exchange.rs"]
mod exchange;
#[path = "snapshot/interleaved.rs"]
mod interleaved;
#[path = "snapshot/keyed.rs"]
mod keyed;
#[path = "snapshot/support.rs"]
mod support;

/// The backend that the suite runs on.
fn backend() -> Arc<dyn StateBackend> {
    Arc::new(SortedMapStateBackend::default())
}
