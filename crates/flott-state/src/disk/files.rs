//! A store of bytes as files: those on the local disk that go into a checkpoint, and those in a checkpoint that a store is opened from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flott_core::key_group::KeyGroupRange;
use serde::{Deserialize, Serialize};

use crate::format::{StateFile, StoreFiles};

/// A directory that is deleted with all that is in it when this is dropped.
#[derive(Debug, PartialEq, Eq)]
pub struct TemporaryDirectory(PathBuf);

impl TemporaryDirectory {
    /// Takes a directory over, whether it is there yet or not.
    pub const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryDirectory {
    fn drop(&mut self) {
        // What can't be deleted is in nobody's way; its name is not used again.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a store held at one moment, as files of the local disk that stay as they are until the last clone of this is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFiles {
    /// The backend that opens them.
    pub backend: String,
    /// The key groups of the subtask.
    pub key_groups: KeyGroupRange,
    /// Where they are.
    pub directory: Arc<TemporaryDirectory>,
    /// Their names.
    pub files: Vec<LocalFile>,
    /// Of a store that was opened from the files of a checkpoint, where those of them are that it may still have.
    pub inherited: Option<Arc<Inherited>>,
}

/// One of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalFile {
    /// Its name.
    pub name: String,
    /// Whether the store keeps it unchanged under this name, so that later checkpoints may refer to it.
    pub is_lasting: bool,
}

/// The lasting files that a store has from a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inherited {
    /// The directory of the job whose checkpoint it is, as a URL.
    pub root: String,
    /// The checkpoint.
    pub checkpoint: u64,
    /// The files by their names in the store.
    pub files: BTreeMap<String, StateFile>,
}

/// The files of a store in a checkpoint, from which it is opened again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreImage {
    /// What their paths start from, as a URL.
    pub root: String,
    /// The files.
    pub files: StoreFiles,
}
