//! All keyed state of one operator subtask, and the key that is current.

use flott_core::{
    Data, Key,
    key_group::{KeyGroupRange, MAX_PARALLELISM_LIMIT},
};

use crate::{
    backend::{BackendScope, KeyedStorage, StateBackend},
    erased::{AnyStore, ErasedStore},
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    table::Epoch,
    value_state::{ValueState, ValueStateDescriptor},
    value_store::ValueStore,
    window_state::WindowState,
};

#[cfg(test)]
pub(crate) mod tests;

struct Registration {
    name: String,
    /// The type of the handle, such as `ValueState<i64>`.
    handle: String,
}

/// The keyed states of one operator subtask, each registered by a descriptor and used through its handle.
pub struct KeyedState<K> {
    stores: Vec<ErasedStore>,
    registrations: Vec<Registration>,
    key_groups: KeyGroupRange,
    max_parallelism: u32,
    epoch: Epoch,
    of_key: std::marker::PhantomData<fn(K) -> K>,
}

impl<K: Key> KeyedState<K> {
    /// Opens the state of `scope` on `backend`, without any state registered yet.
    pub fn new(scope: &BackendScope, backend: &dyn StateBackend) -> Result<Self, StateError> {
        let BackendScope { key_groups, max_parallelism, .. } = *scope;
        let limit = MAX_PARALLELISM_LIMIT;
        if key_groups.is_empty() || key_groups.end > max_parallelism || max_parallelism > limit {
            let asked = key_groups;
            return Err(StateErrorKind::InvalidKeyGroups { asked, max_parallelism, limit }.into());
        }
        let KeyedStorage::Heap = backend.open(scope)?;
        Ok(Self {
            stores: Vec::new(),
            registrations: Vec::new(),
            key_groups,
            max_parallelism,
            epoch: Epoch::MIN,
            of_key: std::marker::PhantomData,
        })
    }

    /// Registers a value state, or finds it again: the same name and type always give the same handle. A name that
    /// stands for a state of another type or kind is an error.
    pub fn value_state<V: Data>(
        &mut self,
        descriptor: ValueStateDescriptor<V>,
    ) -> Result<ValueState<V>, StateError> {
        let id =
            self.register::<ValueStore<K, (), V>>(descriptor.name(), ValueState::<V>::type_name(), |of| {
                ValueStore::new(of.key_groups, of.max_parallelism)
            })?;
        Ok(ValueState::bound(id))
    }

    /// Registers a state of windows, or finds it again.
    pub fn window_state<N: Namespace, V: Data>(
        &mut self,
        name: &str,
    ) -> Result<WindowState<N, V>, StateError> {
        let handle = WindowState::<N, V>::type_name();
        let id = self.register::<ValueStore<K, N, V>>(name, handle, |of| {
            ValueStore::new(of.key_groups, of.max_parallelism)
        })?;
        Ok(WindowState::bound(id))
    }

    /// Loads what the keys with these hashes have in any user state into the cache: the engine calls it for a run of
    /// records before it hands them to user code.
    pub fn prefetch(&self, hashes: &[u64]) {
        for store in &self.stores {
            store.any().prefetch(hashes);
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

    fn register<S: AnyStore>(
        &mut self,
        name: &str,
        handle: String,
        create: impl FnOnce(&Self) -> S,
    ) -> Result<u32, StateError> {
        if let Some(id) = self.registrations.iter().position(|known| known.name == name) {
            if self.stores[id].is::<S>() {
                return Ok(id as u32);
            }
            let registered = self.registrations[id].handle.clone();
            let (name, asked) = (name.to_owned(), handle);
            return Err(StateErrorKind::AlreadyRegistered { name, registered, asked }.into());
        }
        let store = ErasedStore::new(create(self));
        self.stores.push(store);
        self.registrations.push(Registration { name: name.to_owned(), handle });
        Ok(self.stores.len() as u32 - 1)
    }

    /// The store with this id, if there is one and it is an `S`.
    #[inline]
    pub(crate) fn store_mut<S: AnyStore>(&mut self, id: u32) -> Option<&mut S> {
        self.stores.get_mut(id as usize)?.downcast_mut()
    }
}

/// The keyed state of a subtask together with the key of the record or timer at hand.
pub struct CurrentKey<'a, K> {
    /// The states of the subtask.
    pub state: &'a mut KeyedState<K>,
    /// The current key.
    pub key: &'a K,
    /// The routing hash of `key`.
    pub hash: u64,
}

/// A context in which a key is current, so that state handles can be used: that of a record or of a timer. There is
/// none in `open()`.
pub trait HasKeyedState {
    /// The type of the keys.
    type Key: Key;

    /// The current key and the state it selects from.
    fn current(&mut self) -> CurrentKey<'_, Self::Key>;
}

impl<K: Key> HasKeyedState for CurrentKey<'_, K> {
    type Key = K;

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, K> {
        CurrentKey { state: self.state, key: self.key, hash: self.hash }
    }
}
