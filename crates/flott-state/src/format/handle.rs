//! Where the state of a subtask is.

use serde::{Deserialize, Serialize};

use super::{StoreFiles, byte_string};

/// The state that one subtask has stored for a checkpoint: what the coordinator keeps, and metadata holds (Flink: the
/// `OperatorSubtaskState` of each operator in its chain). The default is a subtask without state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotHandle {
    /// State files, the oldest first. Of an incremental checkpoint there are several: each has what changed since the one
    /// before. Then the files of the stores of bytes that its operators have on disk, if the checkpoint has taken these.
    pub parts: Vec<StatePart>,
    /// How many bytes were stored for this checkpoint (Flink: `checkpointed_size`).
    pub checkpointed_bytes: u64,
}

/// One state file of a subtask, or the files of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatePart {
    /// It is small, and here.
    Inline(#[serde(with = "byte_string")] Vec<u8>),
    /// It is in a file.
    File(StateFile),
    /// What an operator has on disk, as the files that its backend has made of it.
    Store(StoreFiles),
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
        self.parts.iter().flat_map(|part| {
            let (own, of_store) = match part {
                StatePart::Inline(_) => (None, None),
                StatePart::File(file) => (Some(file), None),
                StatePart::Store(store) => (None, Some(store)),
            };
            own.into_iter().chain(of_store.into_iter().flat_map(StoreFiles::stored))
        })
    }

    /// Its state files, the oldest first.
    pub fn layers(&self) -> impl Iterator<Item = &StatePart> {
        self.parts.iter().filter(|part| !matches!(part, StatePart::Store(_)))
    }

    /// The files of the stores of its operators.
    pub fn stores(&self) -> impl Iterator<Item = &StoreFiles> {
        self.parts.iter().filter_map(|part| match part {
            StatePart::Store(store) => Some(store),
            StatePart::Inline(_) | StatePart::File(_) => None,
        })
    }
}

impl StatePart {
    /// Its length in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Inline(bytes) => bytes.len() as u64,
            Self::File(file) => file.size,
            Self::Store(store) => store.size(),
        }
    }
}
