//! A complete checkpoint or savepoint in storage.

use std::collections::BTreeSet;

use super::blob::{join, place};
use super::error::StorageError;
use super::layout::{METADATA_FILE, checkpoint_of_directory};
use super::ledger::files_of;
use super::retention::{KeptCheckpoint, SnapshotOwner, deletable};
use super::source::StateSource;
use super::url;
use crate::format::{CheckpointMetadata, SnapshotForm, TaskMetadata};

#[cfg(test)]
mod tests;

/// A complete checkpoint or savepoint, whose metadata has been read.
#[derive(Clone, Debug)]
pub struct StoredSnapshot {
    /// What it holds.
    pub metadata: CheckpointMetadata,
    /// Where its state is read.
    pub source: StateSource,
    /// Its directory in its store.
    pub(super) path: String,
}

impl StoredSnapshot {
    /// Reads the metadata of the checkpoint or savepoint at a URL or path: that of its directory, or of the `_metadata` in it.
    ///
    /// # Errors
    /// When there is none, or its metadata is damaged.
    pub fn open(url: &str) -> Result<Self, StorageError> {
        let trimmed = url.trim_end_matches('/');
        let directory =
            trimmed.strip_suffix(METADATA_FILE).map_or(trimmed, |rest| rest.trim_end_matches('/'));
        let (parent, name) = match directory.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((parent, name)) => (parent, name),
            None => (".", directory),
        };
        let store = url::open(parent)?;
        Self::read(StateSource { store, root: String::new() }, name.to_owned())
    }

    /// Reads the metadata of a directory below the root of a source.
    pub(super) fn read(mut source: StateSource, name: String) -> Result<Self, StorageError> {
        let path = join(&source.root, &name);
        let file = join(&path, METADATA_FILE);
        let bytes = source.store.get(&file)?;
        let metadata = CheckpointMetadata::from_bytes(&bytes)
            .map_err(|damage| StorageError::Damaged { place: place(source.store.as_ref(), &file), damage })?;
        if metadata.form == SnapshotForm::Savepoint {
            source.root.clone_from(&path);
        }
        Ok(Self { metadata, source, path })
    }

    /// Where it is, as a URL.
    pub fn location(&self) -> String {
        place(self.source.store.as_ref(), &self.path)
    }

    /// Reads and checks all of its state.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub fn verify(&self) -> Result<(), StorageError> {
        let mut handles = self.metadata.tasks.iter().flat_map(TaskMetadata::handles);
        handles.try_for_each(|(_, handle)| self.source.verify(handle))
    }

    /// Deletes it, metadata first: all files that it refers to and no other checkpoint of its job does. Nothing must be writing
    /// checkpoints beside it.
    ///
    /// # Errors
    /// When something can't be read or deleted.
    pub fn dispose(&self) -> Result<(), StorageError> {
        self.files_to_dispose()?.iter().try_for_each(|file| self.source.store.delete(file))
    }

    /// The files that [`StoredSnapshot::dispose`] deletes, in order, by their paths in the store.
    ///
    /// # Errors
    /// When something can't be read.
    pub fn files_to_dispose(&self) -> Result<Vec<String>, StorageError> {
        let root = &self.source.root;
        let own = self.path.strip_prefix(root.as_str()).unwrap_or(&self.path).trim_start_matches('/');
        let files = files_of(own, &self.metadata);
        let metadata = join(own, METADATA_FILE);
        let chosen: Vec<_> = match self.metadata.form {
            // It shares nothing.
            SnapshotForm::Savepoint => files.iter().map(String::as_str).collect(),
            SnapshotForm::Checkpoint => deletable(files.iter().map(String::as_str), &self.others(own)?, &[]),
        };
        Ok([metadata.as_str()].into_iter().chain(chosen).map(|file| join(root, file)).collect())
    }

    /// The other checkpoints in the directory of its job.
    fn others(&self, own: &str) -> Result<Vec<KeptCheckpoint>, StorageError> {
        let names = self.source.store.children(&self.source.root)?;
        let others = names.into_iter().filter(|name| name != own && checkpoint_of_directory(name).is_some());
        let others = others.map(|directory| {
            let stored = Self::read(self.source.clone(), directory.clone());
            let files = match stored {
                Ok(stored) => Some(files_of(&directory, &stored.metadata)),
                // Without metadata it is no checkpoint.
                Err(StorageError::NotFound { .. }) => Some(BTreeSet::new()),
                Err(_) => None,
            };
            KeptCheckpoint { directory, owner: SnapshotOwner::User, files }
        });
        Ok(others.collect())
    }
}
