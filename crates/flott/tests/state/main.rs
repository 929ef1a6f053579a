//! Keyed state, operator state and timers, as a user's functions have them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests are tests too"
)]

mod keyed_process;
mod keyed_state;
mod keyed_state_restored;
mod operator_state;
mod process_time;
mod state_ttl;
#[path = "../support/mod.rs"]
mod support;
