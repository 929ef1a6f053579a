//! What a user of the API can rely on, by theme. One binary, so that the engine is linked once.

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
mod interval_join;
mod keyed_process;
mod keyed_state;
mod keyed_state_restored;
mod life_cycle;
mod mid_stream_watermarks;
mod model;
mod operator_state;
mod partitioning;
mod process_time;
mod rolling;
mod side_outputs;
mod sources;
mod state_ttl;
mod support;
mod transformations;
mod virtual_time;
mod window_failures;
mod window_functions;
mod window_join;
mod window_restored;
mod window_sessions;
mod window_triggers;
mod window_vectors;
mod windows;
