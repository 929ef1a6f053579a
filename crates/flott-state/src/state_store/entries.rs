//! Where the entries of a state are.

use flott_core::Key;

use crate::{
    disk::DiskEntries,
    error::StateError,
    namespace::Namespace,
    table::Epoch,
    value_store::{Cursor, ValueStore},
};

/// The entries of a state: all in memory, or on disk with some of them cached.
pub(crate) enum Entries<K, N, V> {
    Heap(ValueStore<K, N, V>),
    Disk(Box<DiskEntries<K, N, V>>),
}

impl<K: Key, N: Namespace, V> Entries<K, N, V> {
    /// Whether an entry must be fetched before it is accessed.
    #[inline(always)]
    pub(crate) const fn is_on_disk(&self) -> bool {
        matches!(self, Self::Disk(_))
    }

    #[inline]
    pub(crate) fn get(&self, hash: u64, key: &K, namespace: &N) -> Result<Option<&V>, StateError> {
        match self {
            Self::Heap(entries) => entries.get(hash, key, namespace),
            Self::Disk(entries) => entries.get(hash, key, namespace),
        }
    }

    #[inline]
    pub(crate) fn get_mut(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
    ) -> Result<Option<&mut V>, StateError> {
        match self {
            Self::Heap(entries) => entries.get_mut(hash, key, namespace, epoch),
            Self::Disk(entries) => entries.get_mut(hash, key, namespace),
        }
    }

    #[inline]
    pub(crate) fn get_or_insert_with(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
        default: impl FnOnce() -> V,
    ) -> Result<&mut V, StateError> {
        match self {
            Self::Heap(entries) => entries.get_or_insert_with(hash, key, namespace, epoch, default),
            Self::Disk(entries) => entries.get_or_insert_with(hash, key, namespace, default),
        }
    }

    #[inline]
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
        value: V,
    ) -> Result<Option<V>, StateError> {
        match self {
            Self::Heap(entries) => entries.insert(hash, key, namespace, epoch, value),
            Self::Disk(entries) => entries.insert(hash, key, namespace, value),
        }
    }

    #[inline]
    pub(crate) fn remove(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
    ) -> Result<Option<V>, StateError> {
        match self {
            Self::Heap(entries) => entries.remove(hash, key, namespace, epoch),
            Self::Disk(entries) => entries.remove(hash, key, namespace),
        }
    }

    /// Cleans up the next `count` values as [`ValueStore::sweep`] does. What is on disk is left alone: it is for compaction to clean up.
    pub(crate) fn sweep(
        &mut self,
        cursor: &mut Cursor,
        count: usize,
        epoch: Epoch,
        is_due: impl Fn(&V) -> bool,
        clean: impl Fn(&mut V) -> bool,
    ) {
        if let Self::Heap(entries) = self {
            entries.sweep(cursor, count, epoch, is_due, clean);
        }
    }

    /// Loads what the keys with these hashes have in memory into the processor's cache.
    #[inline]
    pub(crate) fn prefetch(&self, hashes: &[u64], namespace: &N) {
        match self {
            Self::Heap(entries) => entries.prefetch(hashes, namespace),
            Self::Disk(entries) => entries.cached.prefetch(hashes, namespace),
        }
    }

    /// Makes room for so many more entries of a key group, if all are in memory.
    pub(crate) fn reserve(&mut self, group: u32, entries: usize) {
        if let Self::Heap(tables) = self {
            tables.reserve(group, entries);
        }
    }

    /// The number of key groups in all.
    pub(crate) const fn max_parallelism(&self) -> u32 {
        match self {
            Self::Heap(entries) => entries.max_parallelism(),
            Self::Disk(entries) => entries.cached.max_parallelism(),
        }
    }

    /// Bytes of memory held by the tables, without what keys and values own elsewhere.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Heap(entries) => entries.memory_bytes(),
            Self::Disk(entries) => entries.cached.memory_bytes(),
        }
    }
}
