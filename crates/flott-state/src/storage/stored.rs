//! A complete checkpoint or savepoint in storage.

use super::blob::{join, place};
use super::error::StorageError;
use super::layout::METADATA_FILE;
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
}
