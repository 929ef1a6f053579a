//! The coordinator alone, and whole small jobs.

mod alignment;
mod coordinator;
mod failures;
mod life;
mod numbers;
mod runs;
mod sinks;
mod support;
mod two_inputs;
