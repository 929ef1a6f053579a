//! The files of a store of bytes, as they are in a checkpoint.

use flott_core::key_group::KeyGroupRange;
use serde::{Deserialize, Serialize};

use super::byte_string;
use super::handle::StateFile;

/// What a store of bytes held of an operator subtask, as the files from which its backend opens it again. Files that the store had at
/// an earlier checkpoint already are those of that checkpoint (Flink: `IncrementalRemoteKeyedStateHandle`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFiles {
    /// The checkpoint.
    pub checkpoint: u64,
    /// The id of the operator.
    pub operator: u128,
    /// The backend that reads them.
    pub backend: String,
    /// Which instance of the store it was. A file of one instance never changes, and no other file of it gets its name.
    pub instance: u128,
    /// The key groups of the subtask.
    pub key_groups: KeyGroupRange,
    /// The files.
    pub files: Vec<StoreFile>,
}

/// One file of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFile {
    /// What the store calls it.
    pub name: String,
    /// Where its bytes are.
    pub content: StoredBytes,
}

/// The bytes of a file of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StoredBytes {
    /// They are few, and here.
    Inline(#[serde(with = "byte_string")] Vec<u8>),
    /// They are in a file of their own, whose checksum is that of all of its bytes.
    File(StateFile),
}

impl StoreFiles {
    /// The bytes of all files.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.content.size()).sum()
    }

    /// The files in storage.
    pub fn stored(&self) -> impl Iterator<Item = &StateFile> {
        self.files.iter().filter_map(|file| match &file.content {
            StoredBytes::Inline(_) => None,
            StoredBytes::File(stored) => Some(stored),
        })
    }
}

impl StoredBytes {
    /// How many there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::File(file) => file.size,
        }
    }
}
