//! Running a program in this process: a coordinator that decides, a shell that acts, and the handle for the user.

mod alignment;
mod assigned;
mod bases;
mod build;
mod checkpoints;
mod coordinator;
mod handle;
mod in_flight;
mod inbox;
mod message;
mod restorable;
mod shell;
mod sources;
mod start;
mod statistics;
mod storage;
mod store_uploads;
mod stored;
mod undecided;

pub(crate) use assigned::Assigned;
pub(crate) use build::{JobPlan, TaskBuilder, TaskEnds};
pub use coordinator::TaskId;
pub use handle::{JobHandle, JobResult, JobStatus};
pub use restorable::{RestoreReport, check_restore};
pub use shell::{LaunchOptions, Restore, SnapshotStorage, launch};
pub(crate) use start::{connect, signals, task_metrics};
pub use statistics::{CheckpointFigures, CheckpointStatistics, SubtaskCheckpoint};
pub use stored::RestorePoint;

#[cfg(test)]
mod tests;
