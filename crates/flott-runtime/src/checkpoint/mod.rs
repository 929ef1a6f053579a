//! What decides about checkpoints and restarts: pure state machines, events in and actions out. No clock, thread, I/O or
//! randomness; times and random numbers come in as arguments.
//!
//! * [`settings`] — how a job takes checkpoints;
//! * [`topology`] — the tasks of a job and who sends to whom;
//! * [`coordinator`] — when a checkpoint begins, is complete, has failed, and is deleted;
//! * [`options`] and [`barriers`] — what a barrier says, and what a task does from the first to the last of them;
//! * [`restart`] and [`regions`] — whether, when and what starts again after a failure;
//! * [`two_phase`] — what a sink has prepared and must commit.

pub mod barriers;
pub mod coordinator;
pub mod options;
pub mod regions;
pub mod restart;
pub mod settings;
pub mod topology;
pub mod two_phase;

pub use topology::Topology;
