//! Testing a piece of a program, step by step (Flink: `OneInputStreamOperatorTestHarness` and its like).
//!
//! A harness runs what its closure writes behind a stream that the test drives. Operators, exchanges and state are
//! those of a job, in as many subtasks as asked for, all on the test's own thread and with a clock that only the test
//! moves. After each step everything that follows from it has happened, and what came out can be looked at.
//!
//! * [`OneInputHarness`], [`TwoInputHarness`] — the harnesses, and their steps;
//! * [`Harness`] — what both can do: time, output, side outputs, snapshots;
//! * [`HarnessOptions`] — parallelism, and whether everything is rebuilt from a snapshot between any two steps;
//! * [`in_both_modes`] — runs a test with and without that.

mod harness;
mod one_input;
mod options;
mod two_input;

pub use flott_runtime::testing::{JobSnapshot as HarnessSnapshot, StreamElement};

pub use harness::Harness;
pub use one_input::OneInputHarness;
pub use options::{HarnessOptions, in_both_modes};

pub use two_input::TwoInputHarness;
