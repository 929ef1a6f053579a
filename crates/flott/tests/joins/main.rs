//! Joins of two streams, by window and by interval.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "the helpers of tests are tests too"
)]

mod interval;
#[path = "../support/mod.rs"]
mod support;
mod window;
