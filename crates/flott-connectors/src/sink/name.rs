//! The names of parts.

use std::fmt;

/// What files are called as long as they are hidden.
const IN_PROGRESS: &str = ".inprogress";

/// Digits of a run in a name.
const RUN_DIGITS: usize = 12;

/// Digits of a number in a name, if it has no more: names then sort in the order in which a subtask has written.
const NUMBER_DIGITS: usize = 6;

/// Names a part within its directory: `part-<run>-<subtask>-<number>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartName {
    /// Tells the parts of a job, its restarts and resumptions included, from those of all others.
    pub(super) run: u64,
    pub(super) subtask: u32,
    pub(super) number: u64,
}

impl PartName {
    /// A run of which there is no other.
    pub(super) fn new_run() -> u64 {
        flott_runtime::seam::random() >> (64 - 4 * RUN_DIGITS)
    }

    /// What the part is called while it is hidden.
    pub(super) fn hidden(self) -> String {
        format!(".{self}{IN_PROGRESS}")
    }

    /// The part that a file is, hidden or not; `None` if it is none.
    pub(super) fn of(file: &str) -> Option<Self> {
        let name = file.strip_prefix('.').unwrap_or(file).strip_prefix("part-")?;
        let (run, rest) = name.split_once('-')?;
        let (subtask, rest) = rest.split_once('-')?;
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let run = u64::from_str_radix(run, 16).ok().filter(|_| run.len() == RUN_DIGITS)?;
        Some(Self { run, subtask: subtask.parse().ok()?, number: rest[..digits].parse().ok()? })
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { run, subtask, number } = self;
        write!(f, "part-{run:0RUN_DIGITS$x}-{subtask}-{number:0NUMBER_DIGITS$}")
    }
}

#[cfg(test)]
mod tests;
