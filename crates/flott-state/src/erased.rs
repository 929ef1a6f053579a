//! A store whose type is known to its handle only.
#![allow(unsafe_code)]

use std::any::{Any, TypeId};

use flott_core::{Key, time::Timestamp};

use crate::{
    error::StateError,
    namespace::Namespace,
    snapshot::{KeyedStateMeta, SnapshotBudget, SnapshotSink},
    state_store::{Draining, Freeze, Kind, StateStore},
    table::Epoch,
};

/// What the engine asks of a store without knowing more of its type than the keys.
pub(crate) trait AnyStore<K>: Any + Send {
    /// Loads what the keys with these hashes have in the store into the cache.
    fn prefetch(&self, hashes: &[u64]);

    /// Fetches what these keys have in the store into memory, if it is on disk.
    fn load(&mut self, keys: &[K], hashes: &[u64]) -> Result<(), StateError>;

    /// About how much memory the cache takes, if it is on disk.
    fn cached_bytes(&mut self) -> usize;

    /// Single entries are fetched as long as the cache has not more than this.
    fn set_cache_limit(&mut self, limit: usize);

    /// Drops cached entries until the cache takes no more than `until`.
    fn evict(&mut self, until: usize) -> Result<(), StateError>;

    /// What is known of the store, whose state has this name, beside its entries.
    fn meta(&self, name: &str) -> KeyedStateMeta;

    /// From now on the store owes its entries to a snapshot. Returns what it gives, which may be more than was asked for.
    fn freeze(&mut self, asked: Freeze) -> Result<Freeze, StateError>;

    /// The snapshot is given up.
    fn thaw(&mut self);

    /// Hands on what was written because it was about to change, wherever it has become much.
    fn drain_changed(
        &mut self,
        name: &str,
        at: &Draining,
        sink: &mut dyn SnapshotSink,
    ) -> Result<(), StateError>;

    /// Goes on with the snapshot until the budget is spent; `true` when nothing is owed any more.
    fn drain(
        &mut self,
        name: &str,
        at: &mut Draining,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError>;

    /// Called after so many records of the operator, at the processing time `now`.
    fn records_processed(&mut self, records: usize, epoch: Epoch, now: Timestamp);

    /// Bytes held by the store, without what keys and values own elsewhere.
    fn memory_bytes(&self) -> usize;
}

impl<K: Key, N: Namespace, D: Kind> AnyStore<K> for StateStore<K, N, D> {
    fn prefetch(&self, hashes: &[u64]) {
        // Only the operator knows the windows of its records; it fetches what they hold itself.
        if let Some(global) = (&() as &dyn Any).downcast_ref::<N>() {
            self.entries.prefetch(hashes, global);
        }
    }

    fn load(&mut self, keys: &[K], hashes: &[u64]) -> Result<(), StateError> {
        match (&() as &dyn Any).downcast_ref::<N>() {
            Some(global) => self.load(keys, hashes, global),
            None => Ok(()),
        }
    }

    fn cached_bytes(&mut self) -> usize {
        self.cached_bytes()
    }

    fn set_cache_limit(&mut self, limit: usize) {
        self.set_cache_limit(limit);
    }

    fn evict(&mut self, until: usize) -> Result<(), StateError> {
        self.evict(until)
    }

    fn meta(&self, name: &str) -> KeyedStateMeta {
        Self::meta(name)
    }

    fn freeze(&mut self, asked: Freeze) -> Result<Freeze, StateError> {
        self.freeze(asked)
    }

    fn thaw(&mut self) {
        self.thaw();
    }

    fn drain_changed(
        &mut self,
        name: &str,
        at: &Draining,
        sink: &mut dyn SnapshotSink,
    ) -> Result<(), StateError> {
        self.drain_changed(name, at, sink)
    }

    fn drain(
        &mut self,
        name: &str,
        at: &mut Draining,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        self.drain(name, at, budget, sink)
    }

    fn records_processed(&mut self, records: usize, epoch: Epoch, now: Timestamp) {
        let Self { entries, kind } = self;
        kind.records_processed(entries, records, epoch, now);
    }

    fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes()
    }
}

/// A boxed store that hands itself out as what it is.
///
/// `dyn Any` can do the same, but asks the type id of the store by a virtual call: 2 ns at every access to state, as
/// much as the look-up itself takes in a small table.
pub(crate) struct ErasedStore<K> {
    /// The type behind `store`. Set in `new` from the type of its argument, and never changed, as `store` is not.
    type_id: TypeId,
    store: Box<dyn AnyStore<K>>,
}

impl<K: Key> ErasedStore<K> {
    pub(crate) fn new<S: AnyStore<K>>(store: S) -> Self {
        Self { type_id: TypeId::of::<S>(), store: Box::new(store) }
    }

    pub(crate) fn any(&self) -> &dyn AnyStore<K> {
        &*self.store
    }

    pub(crate) fn any_mut(&mut self) -> &mut dyn AnyStore<K> {
        &mut *self.store
    }

    #[inline]
    pub(crate) fn is<S: AnyStore<K>>(&self) -> bool {
        self.type_id == TypeId::of::<S>()
    }

    #[inline]
    pub(crate) fn downcast_mut<S: AnyStore<K>>(&mut self) -> Option<&mut S> {
        if !self.is::<S>() {
            return None;
        }
        let store: *mut dyn AnyStore<K> = &mut *self.store;
        // SAFETY: `store` was made from an `S`, as `type_id` says, and is borrowed uniquely for as long as the result.
        Some(unsafe { &mut *store.cast::<S>() })
    }
}
