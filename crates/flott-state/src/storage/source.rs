//! Where the state of one checkpoint or savepoint comes from.

use std::sync::Arc;

use flott_core::key_group::KeyGroupRange;

use super::blob::{BlobStore, place};
use super::error::StorageError;
use crate::format::{SnapshotHandle, StateFileReader, StatePart};
use crate::snapshot::{OperatorSnapshot, SnapshotSink};

/// Reads the state that handles name. Clones read the same.
#[derive(Clone, Debug)]
pub struct StateSource {
    pub(super) store: Arc<dyn BlobStore>,
    /// What paths in handles start from.
    pub(super) root: String,
}

impl StateSource {
    /// Opens the state files of a subtask, the oldest first.
    ///
    /// # Errors
    /// When one is not there, is damaged or is another file than the one meant.
    pub fn open(&self, handle: &SnapshotHandle) -> Result<Vec<StateFileReader>, StorageError> {
        let open = |part: &StatePart| match part {
            StatePart::File(file) => StateFileReader::open(Arc::clone(&self.store), &self.root, file),
            StatePart::Inline(bytes) => {
                let place = format!("state inlined in {}", place(self.store.as_ref(), &self.root));
                StateFileReader::of_bytes(bytes.clone(), place)
            }
        };
        handle.parts.iter().map(open).collect()
    }

    /// Gives the state that a subtask has stored of an operator to `sink`: of keyed states what is in these key groups, of operator
    /// states everything.
    ///
    /// # Errors
    /// When a part can't be read or is damaged, and what `sink` says.
    pub fn read(
        &self,
        handle: &SnapshotHandle,
        operator: u128,
        groups: KeyGroupRange,
        sink: &mut dyn SnapshotSink,
    ) -> Result<(), StorageError> {
        self.open(handle)?.iter().try_for_each(|part| part.read(operator, groups, sink))
    }

    /// What a subtask has stored of an operator, as [`StateSource::read`] gives it.
    ///
    /// # Errors
    /// When a part can't be read or is damaged.
    pub fn operator(
        &self,
        handle: &SnapshotHandle,
        operator: u128,
        groups: KeyGroupRange,
    ) -> Result<OperatorSnapshot, StorageError> {
        let mut snapshot = OperatorSnapshot::default();
        self.read(handle, operator, groups, &mut snapshot)?;
        Ok(snapshot)
    }

    /// Reads and checks everything that a subtask has stored.
    ///
    /// # Errors
    /// When a part can't be read or is damaged.
    pub fn verify(&self, handle: &SnapshotHandle) -> Result<(), StorageError> {
        self.open(handle)?.iter().try_for_each(StateFileReader::verify)
    }
}
