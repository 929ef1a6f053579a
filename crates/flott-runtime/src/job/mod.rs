//! Running a program in this process: a coordinator that decides, a shell that acts, and the handle for the user.

mod build;
mod coordinator;
mod handle;
mod shell;

pub use handle::{JobHandle, JobResult, JobStatus};
pub use shell::{LaunchOptions, launch};

#[cfg(test)]
mod tests;
