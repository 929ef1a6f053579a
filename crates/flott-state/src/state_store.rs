//! A state of one subtask: its tables, and what its kind adds to them, such as the reduce function.

use std::sync::{Arc, atomic::AtomicI64};

use flott_core::{
    Data, Key,
    encoding::{DecodeError, EncodeError, encoded_len},
    time::Timestamp,
};

use crate::{
    disk::Expiry,
    error::StateError,
    keyed::{CurrentKey, KeyedState},
    namespace::Namespace,
    snapshot::StateKind,
    state_type::StateType,
    table::Epoch,
};

mod disk;
mod drain;
mod entries;
mod restore;

pub(crate) use drain::{Draining, Freeze, PIECE_BYTES};
pub(crate) use entries::Entries;
pub(crate) use restore::{Written, read_groups, read_unstamped, value_type};

/// Appends something stored to a snapshot; `false` if nothing of it is kept.
pub(crate) trait Encode<V>:
    Fn(&V, &mut Vec<u8>) -> Result<bool, EncodeError> + Copy + Send + Sync + 'static
{
}

impl<V, F> Encode<V> for F where
    F: Fn(&V, &mut Vec<u8>) -> Result<bool, EncodeError> + Copy + Send + Sync + 'static
{
}

/// A kind of state: what is stored for each key and namespace, and what is needed to work with it.
pub(crate) trait Kind: Send + 'static {
    /// What a slot holds.
    type Stored: Send + 'static;

    /// What snapshots call this kind.
    const KIND: StateKind;

    /// Whether everything stored comes with the time of its last access.
    const TTL: bool;

    /// The type of what it writes: as it is written with times of access (`ttl`) or without, but under the name of the user's
    /// value, element or entry.
    fn value_type(ttl: bool) -> StateType;

    /// What appends what snapshots taken at the processing time `now` keep of something stored; it returns `false` if that is nothing.
    fn encoder(&self, now: Timestamp) -> impl Encode<Self::Stored>;

    /// Reads what this kind has written, with or without time to live.
    fn decode(&self, bytes: &mut &[u8], written: Written<'_>) -> Result<Self::Stored, DecodeError>;

    /// Called after so many records of the operator: kinds that clean up as they go do so.
    fn records_processed<K: Key, N: Namespace>(
        &mut self,
        _entries: &mut Entries<K, N, Self::Stored>,
        _records: usize,
        _epoch: Epoch,
        _now: Timestamp,
    ) {
    }

    /// How a store beneath tells what it may drop; `None` if that is nothing. The clock shows the processing time.
    fn expiry(&self, _clock: &Arc<AtomicI64>) -> Option<Expiry> {
        None
    }

    /// Whether full snapshots leave out some of what is stored.
    fn filters_snapshots(&self) -> bool {
        false
    }

    /// About how many bytes something stored takes beside its slot; not asked for types that own none.
    fn owned_bytes(&self, stored: &Self::Stored) -> usize;
}

/// About how many bytes a value takes beside its slot.
pub(crate) fn owned_bytes<V: Data>(value: &V) -> usize {
    // What is in the slot already is counted too, for the sake of the allocator.
    if std::mem::needs_drop::<V>() { encoded_len(value).unwrap_or(0) + ALLOCATION_BYTES } else { 0 }
}

/// About how many bytes `len` values take beside their slots, judged by a few.
pub(crate) fn owned_bytes_of_many<'a, V: Data>(values: impl ExactSizeIterator<Item = &'a V>) -> usize {
    let len = values.len();
    if !std::mem::needs_drop::<V>() || len == 0 {
        return 0;
    }
    let sample: usize = values.step_by((len / SAMPLE).max(1)).map(owned_bytes).sum();
    sample * len / len.div_ceil((len / SAMPLE).max(1))
}

/// What an allocation takes beside its bytes.
pub(crate) const ALLOCATION_BYTES: usize = 16;

/// How many values of a collection are measured.
const SAMPLE: usize = 8;

/// A state: the entries that its kind stores.
pub(crate) struct StateStore<K, N, D: Kind> {
    pub(crate) entries: Entries<K, N, D::Stored>,
    pub(crate) kind: D,
}

/// A state at the current key: what an access needs once its handle is resolved.
pub(crate) struct Selected<'a, K, N, D: Kind> {
    pub(crate) store: &'a mut StateStore<K, N, D>,
    pub(crate) key: &'a K,
    pub(crate) hash: u64,
    pub(crate) namespace: &'a N,
    pub(crate) epoch: Epoch,
    /// Processing time.
    pub(crate) now: Timestamp,
}

impl<'a, K: Key, N: Namespace, D: Kind> Selected<'a, K, N, D> {
    /// The state with this id at the current key, if there is one and it is of kind `D`. Of a state on disk the entry is fetched now, so that all
    /// that is done with it finds it in the cache.
    #[inline]
    pub(crate) fn new(id: u32, current: CurrentKey<'a, K, N>) -> Result<Option<Self>, StateError> {
        let CurrentKey { state, key, hash, namespace } = current;
        let (epoch, now) = (state.epoch(), state.processing_time());
        let Some(store) = state.store_mut::<StateStore<K, N, D>>(id) else { return Ok(None) };
        if store.entries.is_on_disk() {
            store.fetch(hash, key, namespace)?;
        }
        Ok(Some(Self { store, key, hash, namespace, epoch, now }))
    }

    /// The same for a while.
    pub(crate) fn reborrow(&mut self) -> Selected<'_, K, N, D> {
        Selected { store: &mut *self.store, ..*self }
    }

    #[inline]
    pub(crate) fn get(self) -> Result<Option<&'a D::Stored>, StateError> {
        self.store.entries.get(self.hash, self.key, self.namespace)
    }

    #[inline]
    pub(crate) fn get_mut(self) -> Result<Option<&'a mut D::Stored>, StateError> {
        self.store.entries.get_mut(self.hash, self.key, self.namespace, self.epoch)
    }

    #[inline]
    pub(crate) fn get_or_insert_with(
        self,
        default: impl FnOnce() -> D::Stored,
    ) -> Result<&'a mut D::Stored, StateError> {
        self.store.entries.get_or_insert_with(self.hash, self.key, self.namespace, self.epoch, default)
    }

    #[inline]
    pub(crate) fn insert(&mut self, stored: D::Stored) -> Result<(), StateError> {
        self.store.entries.insert(self.hash, self.key, self.namespace, self.epoch, stored)?;
        Ok(())
    }

    #[inline]
    pub(crate) fn remove(&mut self) -> Result<Option<D::Stored>, StateError> {
        self.store.entries.remove(self.hash, self.key, self.namespace, self.epoch)
    }

    /// What is stored, and the kind of the state.
    #[inline]
    pub(crate) fn get_and_kind(&self) -> Result<(Option<&D::Stored>, &D), StateError> {
        let StateStore { entries, kind } = &*self.store;
        Ok((entries.get(self.hash, self.key, self.namespace)?, kind))
    }

    /// What is stored, for writing, and the kind of the state.
    #[inline]
    pub(crate) fn get_mut_and_kind(&mut self) -> Result<(Option<&mut D::Stored>, &mut D), StateError> {
        let StateStore { entries, kind } = &mut *self.store;
        Ok((entries.get_mut(self.hash, self.key, self.namespace, self.epoch)?, kind))
    }
}

/// The keys of one key group that have something in the state with this id; `None` if there is none of kind `D`.
pub(crate) fn keys_of_group<K: Key, N: Namespace, D: Kind>(
    id: u32,
    state: &mut KeyedState<K>,
    group: u32,
    namespace: &N,
) -> Result<Option<Vec<K>>, StateError> {
    let Some(store) = state.store_mut::<StateStore<K, N, D>>(id) else { return Ok(None) };
    let Entries::Heap(entries) = &store.entries else {
        return store.keys_on_disk(group, namespace).map(Some);
    };
    let in_namespace = entries.iter_group(group).filter(|(_, of, ..)| *of == namespace);
    Ok(Some(in_namespace.map(|(key, ..)| key.clone()).collect()))
}
