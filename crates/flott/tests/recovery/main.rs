//! Jobs that fail and start again from their checkpoints, in virtual time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests are tests too")]

mod evolution;
mod failures;
mod finished;
mod incremental;
mod max_parallelism;
mod notices;
mod pauses;
mod random;
mod regions;
mod rescaling;
mod restarts;
mod savepoints;
mod storage;
mod story;
mod support;
mod unaligned;
