//! Running a program in this process: a coordinator that decides, a shell that acts, and the handle for the user.

mod alignment;
mod build;
mod coordinator;
mod handle;
mod inbox;
mod shell;

pub(crate) use build::{JobPlan, TaskBuilder, TaskEnds};
pub use coordinator::TaskId;
pub use handle::{JobHandle, JobResult, JobStatus};
pub use shell::{LaunchOptions, launch};
pub(crate) use shell::{connect, signals, task_metrics};

#[cfg(test)]
mod tests;
