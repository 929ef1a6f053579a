//! What a user of the API can rely on, by theme; state, windows and joins are in binaries of their own, so that one theme is
//! built in little time.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests are tests too"
)]

mod async_io;
mod broadcast;
mod connected;
mod environment;
mod errors;
mod harness;
mod life_cycle;
mod mid_stream_watermarks;
mod partitioning;
mod printing;
mod rolling;
mod side_outputs;
mod sources;
#[path = "../support/mod.rs"]
mod support;
mod transformations;
mod virtual_time;
