//! The checkpoints and savepoints of one job.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::blob::{BlobStore, join, place};
use super::error::StorageError;
use super::layout::{
    METADATA_FILE, SHARED, checkpoint_directory, checkpoint_of_directory, savepoint_directory, writer_of,
};
use super::ledger::Ledger;
use super::memory::MemoryBlobStore;
use super::retention::SnapshotOwner;
use super::source::StateSource;
use super::stored::StoredSnapshot;
use super::target::{SnapshotTarget, StateLimits};
use super::url;
use crate::format::{CheckpointMetadata, JobKey, SnapshotForm, SnapshotHandle};

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

/// The checkpoints of one job: where they are written, and when they are deleted (Flink: `CheckpointStorageCoordinatorView` and
/// `SharedStateRegistry`).
///
/// It learns of every checkpoint that begins, completes, is given up or no longer kept, and deletes a file when
/// [`super::retention::deletable`] allows it. All calls that read or write block.
#[derive(Debug)]
pub struct CheckpointDirectory {
    job: JobKey,
    store: Arc<dyn BlobStore>,
    /// The directory of the job in the store.
    root: String,
    limits: StateLimits,
    inline_below: u64,
    salt: u64,
    /// Whether nobody else writes to the directory.
    is_own: bool,
    ledger: Mutex<Ledger>,
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
        let is_own = !matches!(storage, CheckpointStorage::FileSystem { create_subdir: false, .. });
        Ok(Self { job, store, root, limits, inline_below, salt, is_own, ledger: Mutex::default() })
    }

    /// Begins a checkpoint: where it goes. Whatever can be referred to now stays until it is complete or discarded.
    pub fn checkpoint(&self, checkpoint: u64) -> SnapshotTarget {
        self.ledger().begin(checkpoint);
        SnapshotTarget {
            store: Arc::clone(&self.store),
            root: self.root.clone(),
            directory: checkpoint_directory(checkpoint),
            checkpoint,
            limits: self.limits,
            salt: self.salt,
        }
    }

    /// Begins a savepoint: where it goes, a new directory below the one that is given as a URL. `random` tells it from others of the job.
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
    /// When its metadata can't be stored, another one is there, or it is built on a file that was not kept when it began.
    pub fn complete(
        &self,
        target: &SnapshotTarget,
        metadata: &CheckpointMetadata,
    ) -> Result<String, StorageError> {
        let file = join(&target.path(), METADATA_FILE);
        let is_own = self.is_own_checkpoint(target);
        if is_own && let Some(lost) = self.ledger().lost_base(target.checkpoint, metadata) {
            return Err(StorageError::LostBase { checkpoint: target.checkpoint, file: lost.to_owned() });
        }
        let bytes = metadata
            .to_bytes()
            .map_err(|error| StorageError::Encode { place: place(target.store.as_ref(), &file), error })?;
        match target.store.create(&file, &bytes) {
            // A store may try again by itself after it has succeeded unnoticed, or not have got the answer.
            Err(_) if target.store.get(&file).is_ok_and(|stored| stored == bytes) => {}
            result => result?,
        }
        if is_own {
            self.ledger().keep(target.checkpoint, SnapshotOwner::Job, Some(metadata));
        }
        Ok(target.location())
    }

    /// Takes note of what the job starts from, so that its files are not deleted before [`CheckpointDirectory::discard`] says so.
    pub fn restored(&self, stored: &StoredSnapshot, owner: SnapshotOwner) {
        if let Some(checkpoint) = self.own_checkpoint(&stored.location())
            && stored.metadata.form == SnapshotForm::Checkpoint
        {
            self.ledger().keep(checkpoint, owner, Some(&stored.metadata));
        }
    }

    /// Deletes a checkpoint or savepoint that is complete and no longer kept: one of the job, or one that the job has claimed. What
    /// others refer to stays until they are deleted.
    ///
    /// # Errors
    /// When something can't be deleted. The checkpoint is gone nevertheless, or tried again with the next one.
    pub fn discard(&self, location: &str) -> Result<(), StorageError> {
        let Some(checkpoint) = self.own_checkpoint(location) else {
            return StoredSnapshot::open(location)?.dispose();
        };
        self.ledger().release(checkpoint);
        self.sweep(self.list(&checkpoint_directory(checkpoint))?)
    }

    /// Deletes what was stored of a checkpoint or savepoint that did not complete, whether or not it is in a handle.
    ///
    /// # Errors
    /// When something can't be deleted; of a checkpoint it is tried again with the next one.
    pub fn discard_pending(&self, target: &SnapshotTarget) -> Result<(), StorageError> {
        if !self.is_own_checkpoint(target) {
            let mut files = target.store.list(&target.path())?;
            // Its metadata may be there although storage has said otherwise. It goes first: what is deleted halfway is no savepoint.
            files.sort_by_key(|file| !file.path.ends_with(METADATA_FILE));
            return files.iter().try_for_each(|file| target.store.delete(&file.path));
        }
        self.ledger().release(target.checkpoint);
        let mut files = self.list(&target.directory)?;
        let shared = self.list(SHARED)?;
        files.extend(shared.into_iter().filter(|file| writer_of(file) == Some(target.checkpoint)));
        if !self.is_own {
            // Another job may have written a checkpoint of the same number.
            let own = format!("-{:016x}", self.salt);
            let is_of_job = self.has_completed(target);
            files.retain(|file| file.contains(&own) || is_of_job && file.ends_with(METADATA_FILE));
        }
        self.sweep(files)
    }

    /// Whether there is metadata of a checkpoint, and it is of this job.
    fn has_completed(&self, target: &SnapshotTarget) -> bool {
        let stored = StoredSnapshot::read(self.source(), target.directory.clone());
        stored.is_ok_and(|stored| stored.metadata.job == self.job)
    }

    /// Deletes what a task has stored for a checkpoint or savepoint that is over.
    ///
    /// # Errors
    /// As [`CheckpointDirectory::discard_pending`].
    pub fn discard_late(&self, target: &SnapshotTarget, handle: &SnapshotHandle) -> Result<(), StorageError> {
        if self.is_own_checkpoint(target) {
            return self.sweep(handle.files().map(|file| file.path.clone()).collect());
        }
        handle.files().try_for_each(|file| target.store.delete(&join(&target.root, &file.path)))
    }

    /// Deletes what a crash has left: everything that was written for checkpoints of the job that did not complete. To be
    /// called while no task of the job runs. A directory that jobs share is left as it is.
    ///
    /// # Errors
    /// When the directory can't be read, or something can't be deleted.
    pub fn clean(&self) -> Result<(), StorageError> {
        if !self.is_own {
            return Ok(());
        }
        let files = self.list("")?;
        for file in &files {
            let checkpoint = file
                .strip_suffix(METADATA_FILE)
                .and_then(|rest| checkpoint_of_directory(rest.strip_suffix('/')?));
            if let Some(checkpoint) = checkpoint.filter(|checkpoint| !self.ledger().is_kept(*checkpoint)) {
                let stored = StoredSnapshot::read(self.source(), checkpoint_directory(checkpoint));
                let metadata = stored.ok().map(|stored| stored.metadata);
                self.ledger().keep(checkpoint, SnapshotOwner::User, metadata.as_ref());
            }
        }
        self.sweep(files)
    }

    /// Where the state of the job's checkpoints is read.
    pub fn source(&self) -> StateSource {
        StateSource { store: Arc::clone(&self.store), root: self.root.clone() }
    }
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // Whole even where a thread has panicked: what it knows is changed by single insertions and removals.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checkpoint of this directory that is at a location.
    fn own_checkpoint(&self, location: &str) -> Option<u64> {
        let root = place(self.store.as_ref(), &self.root);
        checkpoint_of_directory(location.strip_prefix(&root)?.strip_prefix('/')?)
    }

    fn is_own_checkpoint(&self, target: &SnapshotTarget) -> bool {
        self.own_checkpoint(&target.location()) == Some(target.checkpoint)
    }

    /// The files below a directory of the job, by their paths from there.
    fn list(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let below = if self.root.is_empty() { 0 } else { self.root.len() + 1 };
        let files = self.store.list(&join(&self.root, directory))?;
        Ok(files.into_iter().map(|file| file.path[below..].to_owned()).collect())
    }

    /// Tries again to delete what could not be deleted so far.
    ///
    /// # Errors
    /// When something can't be deleted; it is tried again with whatever is deleted next.
    pub fn sweep_again(&self) -> Result<(), StorageError> {
        self.sweep(Vec::new())
    }

    /// Deletes those of these files, and of others from before, that may be deleted. What can't be deleted is tried again with the
    /// next; only metadata keeps others back, for what it refers to must not vanish before it.
    fn sweep(&self, files: Vec<String>) -> Result<(), StorageError> {
        let chosen = self.ledger().sweep(files);
        let (mut left, mut result) = (Vec::new(), Ok(()));
        for file in chosen {
            if self.ledger().is_held(&file) {
                left.push(file);
                continue;
            }
            let deleted = self.store.delete(&join(&self.root, &file));
            match &deleted {
                Ok(()) => self.ledger().deleted(&file),
                Err(_) => {
                    self.hold_what_is_referred_to(&file);
                    left.push(file);
                }
            }
            result = result.and(deleted);
        }
        self.ledger().put_back(left);
        result
    }

    /// A file could not be deleted: if it is metadata, so must be nothing that it refers to.
    fn hold_what_is_referred_to(&self, file: &str) {
        if let Some(directory) = file.strip_suffix(METADATA_FILE)
            && let Some(checkpoint) = writer_of(file)
            && !self.ledger().is_leaving(file)
        {
            let stored = StoredSnapshot::read(self.source(), directory.trim_end_matches('/').to_owned());
            self.ledger().leave(checkpoint, stored.ok().map(|stored| stored.metadata).as_ref());
        }
    }
}
