//! Which parts a subtask writes, and which ones of its directory a restored job takes back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use flott_core::time::Timestamp;
use flott_runtime::sink::SinkContext;
use serde::{Deserialize, Serialize};

use super::directory::Directory;
use super::error::FileSinkError;
use super::name::PartName;
use super::part::Part;

/// Which parts of one subtask of a run are part of a checkpoint: those whose numbers are below `next`. What is in the
/// directory beyond them was written after the checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWriterState {
    run: u64,
    subtask: u32,
    next: u64,
}

/// The directory, and the names of a subtask's parts.
#[derive(Debug)]
pub(super) struct Parts {
    directory: Directory,
    suffix: String,
    /// The part to be begun next.
    next: PartName,
    /// What was written by subtasks or runs that write no more, of which this subtask keeps the books.
    retired: Vec<FileWriterState>,
}

impl Parts {
    /// For a fresh start: a run of its own, so that nothing that is in the directory is touched.
    pub(super) fn create(path: &Path, subtask: u32, suffix: &str) -> Result<Self, FileSinkError> {
        let directory = Directory::prepare(path)?;
        let next = PartName { run: PartName::new_run(), subtask, number: 0 };
        let parts = Self { directory, suffix: suffix.to_owned(), next, retired: Vec::new() };
        parts.probe()?;
        Ok(parts)
    }

    /// For a restored job, from the states of all its writers: goes on behind the checkpoint, and removes what its runs have
    /// written after it, committed or not. Each file is looked after by one subtask, which also writes under its name.
    pub(super) fn restore(
        path: &Path,
        context: &SinkContext,
        suffix: &str,
        states: &[FileWriterState],
    ) -> Result<Self, FileSinkError> {
        let runs: BTreeSet<u64> = states.iter().map(|state| state.run).collect();
        let Some(&run) = runs.first() else { return Self::create(path, context.subtask(), suffix) };
        let mut kept: BTreeMap<(u64, u32), u64> =
            states.iter().map(|state| ((state.run, state.subtask), state.next)).collect();
        let is_own = |subtask: u32| subtask % context.parallelism() == context.subtask();
        let directory = Directory::prepare(path)?;
        let is_later = |part: PartName| {
            let next = kept.get(&(part.run, part.subtask)).copied().unwrap_or(0);
            runs.contains(&part.run) && is_own(part.subtask) && part.number >= next
        };
        remove(&directory, is_later)?;
        let number = kept.remove(&(run, context.subtask())).unwrap_or(0);
        let retired = kept.into_iter().filter(|((_, subtask), _)| is_own(*subtask));
        let retired = retired.map(|((run, subtask), next)| FileWriterState { run, subtask, next }).collect();
        let next = PartName { run, subtask: context.subtask(), number };
        let parts = Self { directory, suffix: suffix.to_owned(), next, retired };
        parts.probe()?;
        Ok(parts)
    }

    /// Finds a directory that can't be written before any record is read.
    fn probe(&self) -> Result<(), FileSinkError> {
        self.part(0)?.discard()
    }

    /// Begins the next part.
    pub(super) fn begin(&mut self, now_ms: Timestamp) -> Result<Part, FileSinkError> {
        let part = self.part(now_ms)?;
        self.next.number += 1;
        Ok(part)
    }

    fn part(&self, now_ms: Timestamp) -> Result<Part, FileSinkError> {
        let target = self.directory.join(&format!("{}{}", self.next, self.suffix));
        Part::begin(self.directory.join(&self.next.hidden()), target, now_ms)
    }

    /// Makes the hidden names of parts durable: a complete checkpoint may rely on them.
    pub(super) fn sync(&self) -> Result<(), FileSinkError> {
        self.directory.sync()
    }

    /// What a checkpoint must hold. All parts that were begun must be finished.
    pub(super) fn snapshot(&self) -> Vec<FileWriterState> {
        let PartName { run, subtask, number } = self.next;
        let own = FileWriterState { run, subtask, next: number };
        [own].into_iter().chain(self.retired.iter().cloned()).collect()
    }
}

/// Removes the parts that `is_later` than the checkpoint.
fn remove(directory: &Directory, is_later: impl Fn(PartName) -> bool) -> Result<(), FileSinkError> {
    let mut removed = false;
    for file in directory.names()? {
        if PartName::of(&file).is_some_and(&is_later) {
            let path = directory.join(&file);
            fs::remove_file(&path).map_err(FileSinkError::access("remove", &path))?;
            removed = true;
        }
    }
    if removed { directory.sync() } else { Ok(()) }
}
