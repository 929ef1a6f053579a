//! The checkpoints and savepoints of one job.

use std::sync::Arc;

use super::blob::{BlobStore, join, place};
use super::error::StorageError;
use super::layout::{METADATA_FILE, checkpoint_directory, savepoint_directory};
use super::memory::MemoryBlobStore;
use super::source::StateSource;
use super::target::{SnapshotTarget, StateLimits};
use super::url;
use crate::format::{CheckpointMetadata, JobKey};

#[cfg(test)]
mod tests;

/// Where the checkpoints of a job go (Flink: `CheckpointStorage`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckpointStorage {
    /// Into the memory of the coordinator: they survive the failure of tasks, and nothing else (Flink: `JobManagerCheckpointStorage`).
    JobManager {
        /// The most state that a subtask may have, in bytes.
        largest_state: u64,
    },
    /// Into files (Flink: `FileSystemCheckpointStorage`).
    FileSystem {
        /// The directory of all jobs, as a URL.
        directory: String,
        /// Whether the job gets a directory of its own in there.
        create_subdir: bool,
    },
}

impl CheckpointStorage {
    /// The most state of a subtask in the memory of the coordinator, where nothing else is configured.
    pub const LARGEST_STATE: u64 = 5 << 20;
}

/// Where the checkpoints of one job are written (Flink: `CheckpointStorageCoordinatorView`).
#[derive(Debug)]
pub struct CheckpointDirectory {
    job: JobKey,
    store: Arc<dyn BlobStore>,
    /// The directory of the job in the store.
    root: String,
    limits: StateLimits,
    inline_below: u64,
    salt: u64,
}

impl CheckpointDirectory {
    /// Prepares to write; nothing is written yet. State below `inline_below` bytes goes into the metadata of a snapshot. `salt` is
    /// random: it tells the files of this run of the job from those of every other.
    ///
    /// # Errors
    /// When there is no storage for the URL.
    pub fn new(
        job: JobKey,
        storage: &CheckpointStorage,
        inline_below: u64,
        salt: u64,
    ) -> Result<Self, StorageError> {
        let (store, root, limits): (Arc<dyn BlobStore>, _, _) = match storage {
            CheckpointStorage::JobManager { largest_state } => {
                let limits = StateLimits { inline_below: u64::MAX, largest: Some(*largest_state) };
                (Arc::new(MemoryBlobStore::new()), String::new(), limits)
            }
            CheckpointStorage::FileSystem { directory, create_subdir } => {
                let root = if *create_subdir { job.to_string() } else { String::new() };
                (url::open(directory)?, root, StateLimits { inline_below, largest: None })
            }
        };
        Ok(Self { job, store, root, limits, inline_below, salt })
    }

    /// Where a checkpoint goes.
    pub fn checkpoint(&self, checkpoint: u64) -> SnapshotTarget {
        SnapshotTarget {
            store: Arc::clone(&self.store),
            root: self.root.clone(),
            directory: checkpoint_directory(checkpoint),
            checkpoint,
            limits: self.limits,
            salt: self.salt,
        }
    }

    /// Where a savepoint goes: a new directory below the one that is given as a URL. `random` tells it from others of the job.
    ///
    /// # Errors
    /// When there is no storage for the URL.
    pub fn savepoint(
        &self,
        checkpoint: u64,
        directory: &str,
        random: u64,
    ) -> Result<SnapshotTarget, StorageError> {
        Ok(SnapshotTarget {
            store: url::open(directory)?,
            root: savepoint_directory(self.job, random),
            directory: String::new(),
            checkpoint,
            limits: StateLimits { inline_below: self.inline_below, largest: None },
            salt: self.salt,
        })
    }

    /// Makes a checkpoint or savepoint complete, and says where it is. From then on it can be restored.
    ///
    /// # Errors
    /// When its metadata can't be stored, or another one is there.
    pub fn complete(
        &self,
        target: &SnapshotTarget,
        metadata: &CheckpointMetadata,
    ) -> Result<String, StorageError> {
        let file = join(&target.path(), METADATA_FILE);
        let bytes = metadata
            .to_bytes()
            .map_err(|error| StorageError::Encode { place: place(target.store.as_ref(), &file), error })?;
        match target.store.create(&file, &bytes) {
            // A store may try again by itself after it has succeeded unnoticed.
            Err(StorageError::AlreadyExists { .. }) if target.store.get(&file)? == bytes => {}
            result => result?,
        }
        Ok(target.location())
    }

    /// Where the state of the job's checkpoints is read.
    pub fn source(&self) -> StateSource {
        StateSource { store: Arc::clone(&self.store), root: self.root.clone() }
    }
}
