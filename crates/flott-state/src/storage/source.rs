//! Where the state of one checkpoint or savepoint comes from.

use std::sync::Arc;

use flott_core::key_group::KeyGroupRange;

use super::blob::{BlobStore, place};
use super::error::StorageError;
use crate::disk::files::StoreImage;
use crate::format::{SnapshotHandle, StateFileReader, StatePart, StoreFiles};
use crate::snapshot::OperatorSnapshot;

#[cfg(test)]
mod tests;

/// Reads the state that handles name. Clones read the same.
#[derive(Clone, Debug)]
pub struct StateSource {
    pub(super) store: Arc<dyn BlobStore>,
    /// What paths in handles start from.
    pub(super) root: String,
}

impl StateSource {
    /// Opens the state files of a subtask, the oldest first, without the files of stores.
    ///
    /// # Errors
    /// When one is not there, is damaged or is another file than the one meant.
    pub fn open(&self, handle: &SnapshotHandle) -> Result<Vec<StateFileReader>, StorageError> {
        let open = |part: &StatePart| match part {
            StatePart::File(file) => Some(StateFileReader::open(Arc::clone(&self.store), &self.root, file)),
            StatePart::Inline(bytes) => {
                let place = format!("state inlined in {}", place(self.store.as_ref(), &self.root));
                Some(StateFileReader::of_bytes(bytes.clone(), place))
            }
            StatePart::Store(_) => None,
        };
        handle.parts.iter().filter_map(open).collect()
    }

    /// What a subtask restores of an operator from what another has stored: of keyed states what is in these key groups, of operator
    /// states everything. Changes stay behind what they change, as [`OperatorSnapshot::layered`] says. The files of a store are only named:
    /// whoever opens it reads them.
    ///
    /// # Errors
    /// When a part can't be read or is damaged.
    pub fn operator(
        &self,
        handle: &SnapshotHandle,
        operator: u128,
        groups: KeyGroupRange,
    ) -> Result<OperatorSnapshot, StorageError> {
        let parts = self.open(handle)?;
        let layers = parts.iter().map(|part| part.operator(operator, groups));
        let mut snapshot = OperatorSnapshot::layered(layers.collect::<Result<Vec<_>, _>>()?);
        let is_wanted = |store: &&StoreFiles| store.operator == operator && meet(store.key_groups, groups);
        let stores = handle.stores().filter(is_wanted).cloned();
        snapshot.stores.extend(stores.map(|files| StoreImage::of(self, files)));
        Ok(snapshot)
    }

    /// Reads and checks everything that a subtask has stored.
    ///
    /// # Errors
    /// When a part can't be read or is damaged.
    pub fn verify(&self, handle: &SnapshotHandle) -> Result<(), StorageError> {
        self.open(handle)?.iter().try_for_each(StateFileReader::verify)?;
        handle.stores().try_for_each(|store| self.verify_store(store))
    }
}

fn meet(a: KeyGroupRange, b: KeyGroupRange) -> bool {
    a.start < b.end && b.start < a.end
}
