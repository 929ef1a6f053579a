//! Whole jobs in virtual time, with everything drawn from a seed: the program, the order of turns, and what goes wrong.
//!
//! A seed decides a [`program`], and a [`life`]: processes that run it one after the other, each with [`settings`] of its own,
//! until the last one finishes. Tasks die at any turn, user code fails or panics, whole processes vanish, messages get lost
//! or come twice, threads stand still, storage fails halfway or succeeds without saying so ([`faults`]). What is outside, the
//! [`world`], survives and watches: readers see each row once and never too early, no file that a snapshot needs is deleted, and
//! none is left behind ([`oracle`]). What must come out is computed by the [`model`], which uses none of flott.
//!
//! The same seed is the same run, turn by turn. A seed that fails tells the command that replays it ([`seeds`]).
//!
//! For tests only: no production code depends on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "everything here is a test")]

mod build;
mod director;
pub mod faults;
mod functions;
pub mod generate;
pub mod life;
pub mod model;
pub mod oracle;
pub mod program;
pub mod random;
pub mod seeds;
pub mod settings;
mod sinks;
mod source;
pub mod world;
