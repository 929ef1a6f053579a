//! What the tasks have stored for checkpoints that later ones may build on.

use std::collections::BTreeMap;

use flott_state::format::{SnapshotHandle, StatePart};
use flott_state::storage::StorageError;

use super::coordinator::TaskId;
use super::store_uploads::StoredStores;

#[cfg(test)]
mod tests;

/// The handles of checkpoints under way, and of complete ones as long as one under way or to come may build on them.
#[derive(Debug, Default)]
pub(super) struct Bases(BTreeMap<u64, BTreeMap<TaskId, SnapshotHandle>>);

impl Bases {
    /// A task has stored its state: everything, or what has changed since the checkpoint `base`, and the stores of its operators. Returns where all of it is.
    ///
    /// # Errors
    /// When nothing is known of what it is built on.
    pub(super) fn add(
        &mut self,
        checkpoint: u64,
        task: TaskId,
        base: Option<u64>,
        part: StatePart,
        stores: StoredStores,
    ) -> Result<SnapshotHandle, StorageError> {
        let mut parts = match base {
            None => Vec::new(),
            Some(base) => {
                let below = self.0.get(&base).and_then(|handles| handles.get(&task));
                let lost = || StorageError::UnknownBase { checkpoint, base };
                below.ok_or_else(lost)?.layers().cloned().collect()
            }
        };
        let bytes = part.size();
        parts.push(part);
        let handle = stores.on_top_of(parts, bytes);
        self.0.entry(checkpoint).or_default().insert(task, handle.clone());
        Ok(handle)
    }

    /// What a task has stored for a checkpoint.
    pub(super) fn get(&self, checkpoint: u64, task: TaskId) -> Option<&SnapshotHandle> {
        self.0.get(&checkpoint)?.get(&task)
    }

    /// A checkpoint was given up.
    pub(super) fn forget(&mut self, checkpoint: u64) {
        self.0.remove(&checkpoint);
    }

    /// Nothing is built on earlier checkpoints than this one any more.
    pub(super) fn keep_from(&mut self, oldest: u64) {
        self.0 = self.0.split_off(&oldest);
    }
}
