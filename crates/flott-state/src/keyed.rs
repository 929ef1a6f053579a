//! All keyed state of one operator subtask.

use std::{
    marker::PhantomData,
    sync::{Arc, atomic::Ordering},
};

use flott_core::{
    Key,
    key_group::{KeyGroupRange, MAX_PARALLELISM_LIMIT},
    time::Timestamp,
};

use crate::{
    backend::{BackendScope, KeyedStorage, StateBackend},
    disk::StoreImage,
    erased::{AnyStore, ErasedStore},
    error::{StateError, StateErrorKind},
    snapshot::KeyedStateSnapshot,
    table::Epoch,
};

mod bases;
mod current;
mod disk;
mod keys;
mod registration;
mod registry;
mod restore;
mod restored_column;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;

use bases::Bases;
pub use current::{CurrentKey, HasKeyedState};
use disk::OnDisk;
pub use keys::StateHandle;
pub use registry::{KeyedStateStore, StateRegistry};
use snapshot::Snapshot;

struct Registration {
    name: String,
    /// The type of the handle, such as `ValueState<i64>`.
    handle: String,
}

/// The keyed states of one operator subtask, each registered by a descriptor and used through its handle.
pub struct KeyedState<K> {
    stores: Vec<ErasedStore<K>>,
    /// Where they keep what is not in memory, if they do.
    disk: Option<OnDisk>,
    registrations: Vec<Registration>,
    key_groups: KeyGroupRange,
    max_parallelism: u32,
    epoch: Epoch,
    /// Processing time as the operator has told it last.
    now: Timestamp,
    /// What is restored of states that have not been registered yet.
    restored: Vec<Arc<KeyedStateSnapshot>>,
    /// The snapshot that is being drained.
    snapshot: Option<Snapshot>,
    bases: Bases,
    of_key: PhantomData<fn(K) -> K>,
}

impl<K: Key> KeyedState<K> {
    /// Opens the state of `scope` on `backend`, without any state registered yet.
    ///
    /// `restored` is what the subtask gets of an earlier run's states; each is taken over when it is registered. One state
    /// may come in several parts; those that hold changes come after what they change. Entries of key groups that the subtask doesn't own are passed over.
    pub fn new(
        scope: &BackendScope,
        backend: &dyn StateBackend,
        restored: Vec<KeyedStateSnapshot>,
    ) -> Result<Self, StateError> {
        Self::with_stores(scope, backend, restored, &[])
    }

    /// As [`KeyedState::new`] if the backend has stored the entries of some of the states in files of its own.
    pub fn with_stores(
        scope: &BackendScope,
        backend: &dyn StateBackend,
        mut restored: Vec<KeyedStateSnapshot>,
        stores: &[StoreImage],
    ) -> Result<Self, StateError> {
        let BackendScope { key_groups, max_parallelism, .. } = *scope;
        let limit = MAX_PARALLELISM_LIMIT;
        if key_groups.is_empty() || key_groups.end > max_parallelism || max_parallelism > limit {
            let asked = key_groups;
            return Err(StateErrorKind::InvalidKeyGroups { asked, max_parallelism, limit }.into());
        }
        let opened = match stores {
            [] => backend.open(scope),
            stores => backend.open_from(scope, stores),
        };
        let disk = match opened? {
            KeyedStorage::Heap => None,
            KeyedStorage::Disk(store) => Some(OnDisk { store, clock: Arc::default() }),
        };
        for state in &mut restored {
            for groups in [Some(&mut state.groups), state.removed.as_mut()].into_iter().flatten() {
                groups.retain(|group, _| key_groups.contains(*group));
            }
        }
        Ok(Self {
            stores: Vec::new(),
            disk,
            registrations: Vec::new(),
            key_groups,
            max_parallelism,
            epoch: Epoch::MIN,
            now: 0,
            restored: restored.into_iter().map(Arc::new).collect(),
            snapshot: None,
            bases: Bases::default(),
            of_key: PhantomData,
        })
    }

    /// Loads what the keys with these hashes have in any user state into the cache: the engine calls it for a run of
    /// records before it hands them to user code.
    pub fn prefetch(&self, hashes: &[u64]) {
        for store in &self.stores {
            store.any().prefetch(hashes);
        }
    }

    /// Tells the processing time, in milliseconds since the epoch: what is written with a time to live is stamped with it,
    /// and compared with it when it is read. Operators tell it once for each batch, and before they register states. 0
    /// before the first call.
    #[inline]
    pub fn set_processing_time(&mut self, now: Timestamp) {
        self.now = now;
        if let Some(disk) = &self.disk {
            disk.clock.store(now, Ordering::Relaxed);
        }
    }

    /// The processing time as it was told last.
    #[inline]
    pub const fn processing_time(&self) -> Timestamp {
        self.now
    }

    /// Tells that the operator has processed so many records since the last call: states that clean up for each record
    /// do so ([`StateTtlConfig::cleanup_incrementally`](crate::StateTtlConfig::cleanup_incrementally)).
    pub fn records_processed(&mut self, records: usize) {
        for store in &mut self.stores {
            store.any_mut().records_processed(records, self.epoch, self.now);
        }
    }

    /// Bytes held by the tables of all states, without what keys and values own elsewhere.
    pub fn memory_bytes(&self) -> usize {
        self.stores.iter().map(|store| store.any().memory_bytes()).sum()
    }

    /// The epoch with which writes are stamped now.
    #[inline]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The store with this id, if there is one and it is an `S`.
    #[inline]
    pub(crate) fn store_mut<S: AnyStore<K>>(&mut self, id: u32) -> Option<&mut S> {
        self.stores.get_mut(id as usize)?.downcast_mut()
    }
}
