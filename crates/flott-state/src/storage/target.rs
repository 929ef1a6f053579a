//! Where the state of one checkpoint or savepoint goes.

use std::fmt;
use std::sync::Arc;

use super::blob::{BlobStore, BlobWriter, join, place};
use super::error::StorageError;
use super::source::StateSource;
use crate::format::{EncodedEnd, StateFile, StateFileEncoder, StatePart};

#[cfg(test)]
mod tests;

/// A checkpoint or savepoint that is being written. Clones are the same one; tasks have one each.
#[derive(Clone, Debug)]
pub struct SnapshotTarget {
    pub(super) store: Arc<dyn BlobStore>,
    /// What paths in handles start from: the directory of the job, or the savepoint.
    pub(super) root: String,
    /// The directory of the snapshot, below `root`.
    pub(super) directory: String,
    pub(super) checkpoint: u64,
    pub(super) limits: StateLimits,
    pub(super) salt: u64,
}

/// How large state is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateLimits {
    /// Smaller state goes into the metadata instead of a file of its own, in bytes (`execution.checkpointing.data-inline-threshold`).
    pub inline_below: u64,
    /// The most state that a subtask may have, in bytes; without it there is no limit.
    pub largest: Option<u64>,
}

/// Who may use a file of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileScope {
    /// This snapshot.
    Exclusive,
    /// Later checkpoints of the job, too. Not for savepoints.
    Shared,
}

impl SnapshotTarget {
    /// The id of the checkpoint.
    pub fn checkpoint(&self) -> u64 {
        self.checkpoint
    }

    /// The path of the snapshot's directory in its store.
    pub(super) fn path(&self) -> String {
        join(&self.root, &self.directory)
    }

    /// Tells the instances of stores apart that have files in checkpoints of the job: one in each attempt at running a subtask in each run of the job.
    pub fn instance(&self, attempt: u32) -> u128 {
        u128::from(self.salt) << 64 | u128::from(attempt)
    }

    /// What the paths of its files start from, as a URL.
    pub fn root(&self) -> String {
        place(self.store.as_ref(), &self.root)
    }

    /// Where its state is read.
    pub fn source(&self) -> StateSource {
        StateSource { store: Arc::clone(&self.store), root: self.root.clone() }
    }

    /// Where it is, as a URL.
    pub fn location(&self) -> String {
        place(self.store.as_ref(), &self.path())
    }

    /// Begins to store a state file. `subtask` names it, for users to recognise, and must be another for each file of the snapshot.
    pub fn upload(&self, subtask: &str, scope: FileScope) -> StateUpload {
        StateUpload {
            target: self.clone(),
            subtask: subtask.to_owned(),
            path: self.path_of(subtask, scope),
            start: Vec::new(),
            written: 0,
            writer: None,
        }
    }

    /// Stores a state file that is in memory.
    ///
    /// # Errors
    /// As [`StateUpload::finish`].
    pub fn store(
        &self,
        subtask: &str,
        scope: FileScope,
        encoder: StateFileEncoder,
    ) -> Result<StatePart, StorageError> {
        let end = encoder
            .finish()
            .map_err(|error| StorageError::Encode { place: format!("the state of {subtask}"), error })?;
        self.upload(subtask, scope).finish(end)
    }
}

/// A state file on its way into storage. It appears when it is finished; dropping it gives it up. All calls block.
pub struct StateUpload {
    target: SnapshotTarget,
    subtask: String,
    /// From the root of the target.
    path: String,
    /// What has come, until it is too much to be inlined.
    start: Vec<u8>,
    written: u64,
    writer: Option<Box<dyn BlobWriter>>,
}

impl StateUpload {
    /// Takes what [`StateFileEncoder::take`] gave.
    ///
    /// # Errors
    /// When it can't be written, or is more than a subtask may have.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.written += bytes.len() as u64;
        self.check_size()?;
        if self.writer.is_none() && self.written < self.target.limits.inline_below {
            self.start.extend_from_slice(bytes);
            return Ok(());
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let path = join(&self.target.root, &self.path);
                let mut writer = self.target.store.writer(&path)?;
                writer.write(&std::mem::take(&mut self.start))?;
                self.writer.insert(writer)
            }
        };
        writer.write(bytes)
    }

    /// Takes the last bytes and stores the file, if it is not small enough to be inlined.
    ///
    /// # Errors
    /// As [`StateUpload::write`]; there is no file then.
    pub fn finish(mut self, end: EncodedEnd) -> Result<StatePart, StorageError> {
        self.write(&end.bytes)?;
        match self.writer {
            None => Ok(StatePart::Inline(self.start)),
            Some(writer) => {
                writer.finish()?;
                Ok(StatePart::File(StateFile { path: self.path, size: end.size, checksum: end.checksum }))
            }
        }
    }

    fn check_size(&self) -> Result<(), StorageError> {
        match self.target.limits.largest {
            Some(largest) if self.written > largest => {
                Err(StorageError::TooLarge { subtask: self.subtask.clone(), size: self.written, largest })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for StateUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateUpload")
            .field("path", &self.path)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}
