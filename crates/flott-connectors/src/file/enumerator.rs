//! Finds files, cuts them into splits, and hands these out on request.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use flott_runtime::error::FnResult;
use flott_runtime::source::{EnumeratorOutput, SplitEnumerator};
use serde::{Deserialize, Serialize};

use super::discovery::discover;
use super::error::FileError;
use super::split::{FileInfo, FileSplit, cut};

/// What a file source puts into a checkpoint beside its readers' splits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEnumeratorState {
    /// Files that were found and cut: they are never looked at again.
    seen: BTreeSet<String>,
    /// Splits that no reader has yet, in order.
    pending: VecDeque<FileSplit>,
}

/// What to look for, and how to cut it.
#[derive(Debug)]
pub(super) struct Search {
    pub(super) path: PathBuf,
    pub(super) cuttable: bool,
    pub(super) split_bytes: Option<u64>,
    pub(super) monitor: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct FileEnumerator {
    search: Search,
    /// Found but not yet cut, for which the parallelism must be known.
    found: Vec<FileInfo>,
    state: FileEnumeratorState,
    /// Readers that asked while there was nothing to give.
    waiting: BTreeSet<u32>,
}

impl FileEnumerator {
    pub(super) fn create(search: Search) -> Result<Self, FileError> {
        let found = discover(&search.path)?;
        if found.is_empty() && search.monitor.is_none() {
            return Err(FileError::Empty { path: search.path.display().to_string() });
        }
        Ok(Self { search, found, state: FileEnumeratorState::default(), waiting: BTreeSet::new() })
    }

    pub(super) fn restore(search: Search, state: FileEnumeratorState) -> Self {
        Self { search, found: Vec::new(), state, waiting: BTreeSet::new() }
    }

    fn cut_found(&mut self, parallelism: u32) {
        for file in std::mem::take(&mut self.found) {
            if self.state.seen.insert(file.path.clone()) {
                let splits = cut(&file, self.search.cuttable, self.search.split_bytes, parallelism);
                self.state.pending.extend(splits);
            }
        }
    }
}

impl SplitEnumerator for FileEnumerator {
    type Split = FileSplit;
    type State = FileEnumeratorState;

    fn start(&mut self, out: &mut EnumeratorOutput<'_, FileSplit>) -> FnResult {
        self.cut_found(out.parallelism());
        if let Some(interval) = self.search.monitor {
            out.tick_after(interval);
        }
        Ok(())
    }

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, FileSplit>) -> FnResult {
        if let Some(split) = self.state.pending.pop_front() {
            out.assign(subtask, &split)?;
        } else if self.search.monitor.is_some() {
            self.waiting.insert(subtask);
        } else {
            out.no_more_splits(subtask);
        }
        Ok(())
    }

    fn on_tick(&mut self, out: &mut EnumeratorOutput<'_, FileSplit>) -> FnResult {
        self.found = discover(&self.search.path)?;
        self.cut_found(out.parallelism());
        while !self.state.pending.is_empty() {
            let Some(subtask) = self.waiting.pop_first() else { break };
            self.on_split_request(subtask, out)?;
        }
        if let Some(interval) = self.search.monitor {
            out.tick_after(interval);
        }
        Ok(())
    }

    fn add_splits_back(&mut self, splits: Vec<FileSplit>, _subtask: u32) -> FnResult {
        for split in splits.into_iter().rev() {
            self.state.pending.push_front(split);
        }
        Ok(())
    }

    fn on_reader_restart(&mut self, subtask: u32, _out: &mut EnumeratorOutput<'_, FileSplit>) -> FnResult {
        // What the failed one asked for is void: the new one asks for itself.
        self.waiting.remove(&subtask);
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<FileEnumeratorState> {
        Ok(self.state.clone())
    }
}
