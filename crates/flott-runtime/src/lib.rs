//! The engine of flott in one process. It knows dataflow and tasks; it parses no JSON, serves no HTTP, and its task
//! threads never await.
//!
//! The path of a record, as modules in order:
//!
//! * [`source`] — a reader polls a split and emits a batch; timestamps and watermarks are assigned;
//! * [`operator`] — the chain: batch in, batch out;
//! * [`exchange`] — router, channel, gate;
//! * [`sink`] — the writer, and its committer.
//!
//! Around it: [`graph`] (the program as plain data, and its chains), [`program`] (the code that belongs to it),
//! [`task`] (the thread and its mailbox), [`snapshot`] (the state of a task at one instant), [`checkpoint`] (what decides
//! about checkpoints and restarts), [`job`] (the coordinator, its shell, and the handle), [`metrics`], [`seam`] (clock,
//! threads, waiting), [`testing`] (running a program on one thread, step by step) and [`error`].

pub mod checkpoint;
pub mod error;
pub mod exchange;
pub mod graph;
pub mod job;
pub mod metrics;
pub mod operator;
pub mod program;
pub mod seam;
pub mod sink;
pub mod snapshot;
pub mod source;
pub mod task;
pub mod testing;

#[cfg(test)]
mod test_support;
