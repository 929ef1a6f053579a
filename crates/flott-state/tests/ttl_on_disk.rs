//! State with time to live that is not all in memory.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::sync::Arc;

use flott_state::{StateBackend, testing::SortedMapStateBackend};

#[path = "ttl/elements.rs"]
mod elements;
#[path = "ttl/kept.rs"]
mod kept;
#[path = "ttl/kinds.rs"]
mod kinds;
#[path = "ttl/model.rs"]
mod model;
#[path = "ttl/rules.rs"]
mod rules;
#[path = "ttl/support.rs"]
mod support;
#[path = "ttl/vectors.rs"]
mod vectors;

/// The backend that the suite runs on.
fn backend() -> Arc<dyn StateBackend> {
    Arc::new(SortedMapStateBackend::default())
}
