//! Stores the files that operators have on disk: those that are in storage already are only referred to, the others are written several at a
//! time.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use flott_state::disk::LocalFiles;
use flott_state::disk::files::LocalFile;
use flott_state::format::{SnapshotHandle, StateFile, StatePart, StoreFile, StoreFiles, StoredBytes};
use flott_state::storage::{FileScope, SnapshotTarget, StorageError};

use super::coordinator::TaskId;
use crate::seam::spawn;

#[cfg(test)]
mod tests;

/// So many files of a task are written at once (Flink: `state.backend.rocksdb.checkpoint.transfer.thread.num`).
const AT_ONCE: usize = 4;

/// What is needed to store the files of a task's operators.
pub(super) struct StoreUploads<'a> {
    pub(super) target: &'a SnapshotTarget,
    pub(super) scope: FileScope,
    /// The complete checkpoint whose files the target may refer to.
    pub(super) base: Option<u64>,
    /// That checkpoint and what the task has stored for it in this run, if it has.
    pub(super) below: Option<(u64, &'a SnapshotHandle)>,
    pub(super) task: TaskId,
    pub(super) attempt: u32,
}

/// The stores of a task's operators in a checkpoint.
#[derive(Debug, Default)]
pub(super) struct StoredStores {
    stores: Vec<StoreFiles>,
    /// What was written for it.
    bytes: u64,
}

impl StoredStores {
    /// The handle of a task that has these state files, too, for the last of which `bytes` were stored.
    pub(super) fn on_top_of(self, mut layers: Vec<StatePart>, bytes: u64) -> SnapshotHandle {
        let checkpointed_bytes = bytes + self.bytes;
        layers.extend(self.stores.into_iter().map(StatePart::Store));
        SnapshotHandle { parts: layers, checkpointed_bytes }
    }
}

impl StoreUploads<'_> {
    /// Stores the files of the task's operators.
    ///
    /// # Errors
    /// When one can't be read or written.
    pub(super) fn store(&self, local: Vec<(u128, LocalFiles)>) -> Result<StoredStores, StorageError> {
        let mut stored = StoredStores::default();
        for (operator, files) in local {
            let (store, bytes) = self.store_one(operator, files)?;
            stored.stores.push(store);
            stored.bytes += bytes;
        }
        Ok(stored)
    }

    fn store_one(&self, operator: u128, local: LocalFiles) -> Result<(StoreFiles, u64), StorageError> {
        let known = self.known(operator, &local);
        let mut files: Vec<StoreFile> = Vec::new();
        let mut new = Vec::new();
        for file in &local.files {
            match known.get(&file.name).filter(|_| file.is_lasting && self.scope == FileScope::Shared) {
                Some(stored) => {
                    let content = StoredBytes::File(stored.clone());
                    files.push(StoreFile { name: file.name.clone(), content });
                }
                None => new.push(file.clone()),
            }
        }
        let written = self.write(operator, &Arc::new(local.clone()), new)?;
        let bytes = written.iter().map(|file| file.content.size()).sum();
        files.extend(written);
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let store = StoreFiles {
            checkpoint: self.target.checkpoint(),
            operator,
            backend: local.backend.clone(),
            instance: self.target.instance(self.attempt),
            key_groups: local.key_groups,
            files,
        };
        Ok((store, bytes))
    }

    /// The lasting files of the store that are in storage, and stay there as long as the base does.
    fn known(&self, operator: u128, local: &LocalFiles) -> BTreeMap<String, StateFile> {
        let instance = self.target.instance(self.attempt);
        let is_same = |store: &&StoreFiles| store.operator == operator && store.instance == instance;
        if let Some(store) = self.below.and_then(|(_, below)| below.stores().find(is_same)) {
            let stored = store.files.iter().filter_map(|file| match &file.content {
                StoredBytes::File(stored) => Some((file.name.clone(), stored.clone())),
                StoredBytes::Inline(_) => None,
            });
            return stored.collect();
        }
        let is_base = |root: &str, checkpoint| self.base == Some(checkpoint) && root == self.target.root();
        match &local.inherited {
            Some(from) if is_base(&from.root, from.checkpoint) => from.files.clone(),
            _ => BTreeMap::new(),
        }
    }

    /// Writes files, several at once.
    fn write(
        &self,
        operator: u128,
        local: &Arc<LocalFiles>,
        files: Vec<LocalFile>,
    ) -> Result<Vec<StoreFile>, StorageError> {
        // Small ones are inlined most of the time: that is no work for threads.
        let (lasting, others) = files.into_iter().partition::<Vec<_>, _>(|file| file.is_lasting);
        let copy = Copy {
            target: self.target.clone(),
            prefix: format!("{}-{}-{:08x}", self.task.vertex, self.task.subtask, operator >> 96),
            is_shared: self.scope == FileScope::Shared,
            local: Arc::clone(local),
        };
        let mut written = copy.all(others)?;
        let threads = AT_ONCE.min(lasting.len());
        if threads <= 1 {
            written.extend(copy.all(lasting)?);
            return Ok(written);
        }
        let mut shares: Vec<Vec<LocalFile>> = vec![Vec::new(); threads];
        lasting.into_iter().enumerate().for_each(|(at, file)| shares[at % threads].push(file));
        let started = shares.into_iter().enumerate().map(|(number, share)| {
            let copy = copy.clone();
            spawn(format!("flott-upload-{number}"), move || copy.all(share))
        });
        // All are waited for, whatever the others say: nothing is written any more when this returns.
        let started: Vec<_> = started.collect();
        let ended = started.into_iter().map(|thread| match thread {
            Ok(thread) => thread.join().unwrap_or_else(|_| Err(no_thread("it has panicked"))),
            Err(error) => Err(no_thread(&error.to_string())),
        });
        let ended: Vec<_> = ended.collect();
        for files in ended {
            written.extend(files?);
        }
        Ok(written)
    }
}

fn no_thread(reason: &str) -> StorageError {
    let reason = io::Error::other(reason).to_string();
    StorageError::Io { action: "write", place: "the files of a store on a thread".to_owned(), reason }
}

/// Writes files of one store.
#[derive(Clone)]
struct Copy {
    target: SnapshotTarget,
    /// What their names begin with, for users to recognise.
    prefix: String,
    is_shared: bool,
    local: Arc<LocalFiles>,
}

impl Copy {
    fn all(&self, files: Vec<LocalFile>) -> Result<Vec<StoreFile>, StorageError> {
        let copy = |LocalFile { name, is_lasting }: LocalFile| {
            let scope = if is_lasting && self.is_shared { FileScope::Shared } else { FileScope::Exclusive };
            let from = self.local.directory.path().join(&name);
            let content = self.target.store_local(&format!("{}-{name}", self.prefix), scope, &from)?;
            Ok(StoreFile { name, content })
        };
        files.into_iter().map(copy).collect()
    }
}
