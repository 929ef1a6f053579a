//! Windows: what is in them, when they fire, what is late, and what is restored.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests are tests too"
)]

mod event_time;
mod failures;
mod functions;
mod model;
mod restored;
mod sessions;
#[path = "../support/mod.rs"]
mod support;
mod triggers;
mod vectors;
