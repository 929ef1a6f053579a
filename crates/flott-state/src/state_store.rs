//! A state of one subtask: its tables, and what its kind adds to them, such as the reduce function.

use flott_core::{
    Key,
    encoding::{DecodeError, EncodeError},
    time::Timestamp,
};

use crate::{
    error::StateError,
    keyed::{CurrentKey, KeyedState},
    namespace::Namespace,
    snapshot::StateKind,
    state_type::StateType,
    table::Epoch,
    value_store::ValueStore,
};

mod drain;
mod restore;

pub(crate) use drain::{Draining, Freeze, PIECE_BYTES};
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
        _entries: &mut ValueStore<K, N, Self::Stored>,
        _records: usize,
        _epoch: Epoch,
        _now: Timestamp,
    ) {
    }
}

/// A state: tables of what its kind stores.
pub(crate) struct StateStore<K, N, D: Kind> {
    pub(crate) entries: ValueStore<K, N, D::Stored>,
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
    /// The state with this id at the current key, if there is one and it is of kind `D`.
    #[inline]
    pub(crate) fn new(id: u32, current: CurrentKey<'a, K, N>) -> Option<Self> {
        let CurrentKey { state, key, hash, namespace } = current;
        let (epoch, now) = (state.epoch(), state.processing_time());
        let store = state.store_mut(id)?;
        Some(Self { store, key, hash, namespace, epoch, now })
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
) -> Option<Vec<K>> {
    let store = state.store_mut::<StateStore<K, N, D>>(id)?;
    let in_namespace = store.entries.iter_group(group).filter(|(_, of, ..)| *of == namespace);
    Some(in_namespace.map(|(key, ..)| key.clone()).collect())
}
