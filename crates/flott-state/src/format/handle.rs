//! Where the state of a subtask is.

use serde::{Deserialize, Serialize};

use super::byte_string;

/// The state that one subtask has stored for a checkpoint: what the coordinator keeps, and metadata holds (Flink: the
/// `OperatorSubtaskState` of each operator in its chain). The default is a subtask without state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHandle {
    /// State files, the oldest first. Of an incremental checkpoint there are several: each has what changed since the one
    /// before.
    pub parts: Vec<StatePart>,
    /// How many bytes were stored for this checkpoint (Flink: `checkpointed_size`).
    pub checkpointed_bytes: u64,
}

/// One state file of a subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatePart {
    /// It is small, and here.
    Inline(#[serde(with = "byte_string")] Vec<u8>),
    /// It is in a file.
    File(StateFile),
}

/// A file in storage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateFile {
    /// Its path: of a checkpoint, from the directory of the job; of a savepoint, from the savepoint itself.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// What tells it from every other file.
    pub checksum: u64,
}

impl SnapshotHandle {
    /// The bytes that state takes in storage, those of earlier checkpoints included (Flink: `state_size`).
    pub fn state_bytes(&self) -> u64 {
        self.parts.iter().map(StatePart::size).sum()
    }

    /// The files that it refers to.
    pub fn files(&self) -> impl Iterator<Item = &StateFile> {
        self.parts.iter().filter_map(|part| match part {
            StatePart::Inline(_) => None,
            StatePart::File(file) => Some(file),
        })
    }
}

impl StatePart {
    /// Its length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::File(file) => file.size,
        }
    }
}
