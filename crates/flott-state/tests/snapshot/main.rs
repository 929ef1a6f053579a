//! Snapshots that are written while the state goes on changing hold what the state was when they began.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::sync::Arc;

use flott_state::{HashMapStateBackend, StateBackend};

mod failing;
mod incremental;
mod interleaved;
mod keyed;
mod support;

/// The backend that the suite runs on; `snapshot_on_disk.rs` runs it on another.
fn backend() -> Arc<dyn StateBackend> {
    Arc::new(HashMapStateBackend)
}
