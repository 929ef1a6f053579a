//! State with time to live, as user code sees it; every vector of Flink's own tests runs for all kinds of state, plainly
//! and with a snapshot and restore between all steps.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::sync::Arc;

use flott_state::{HashMapStateBackend, StateBackend};

mod elements;
mod heap;
mod kept;
mod kinds;
mod model;
mod rules;
mod support;
mod vectors;

/// The backend that the suite runs on; `ttl_on_disk.rs` runs it on another.
fn backend() -> Arc<dyn StateBackend> {
    Arc::new(HashMapStateBackend)
}
