//! All keyed state of one operator subtask, and the key that is current.

use std::{hash::Hash, marker::PhantomData};

use flott_core::{
    Data, Key,
    key_group::{KeyGroupRange, MAX_PARALLELISM_LIMIT},
};

use crate::{
    aggregate::AggregateFunction,
    aggregating_state::{Aggregating, AggregatingState, AggregatingStateDescriptor},
    backend::{BackendScope, KeyedStorage, StateBackend},
    erased::{AnyStore, ErasedStore},
    error::{StateError, StateErrorKind},
    list_state::{ListState, ListStateDescriptor, Lists},
    map_state::{MapState, MapStateDescriptor, Maps},
    namespace::Namespace,
    reducing_state::{Reducing, ReducingState, ReducingStateDescriptor},
    snapshot::KeyedStateSnapshot,
    state_store::{Kind, StateStore},
    table::Epoch,
    value_state::{ValueState, ValueStateDescriptor, Values},
    value_store::ValueStore,
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
    /// What is restored of states that have not been registered yet.
    #[expect(dead_code, reason = "taken over when states can be restored")]
    restored: Vec<KeyedStateSnapshot>,
    of_key: std::marker::PhantomData<fn(K) -> K>,
}

impl<K: Key> KeyedState<K> {
    /// Opens the state of `scope` on `backend`, without any state registered yet.
    ///
    /// `restored` is what the subtask gets of an earlier run's states; each is taken over when it is registered.
    pub fn new(
        scope: &BackendScope,
        backend: &dyn StateBackend,
        restored: Vec<KeyedStateSnapshot>,
    ) -> Result<Self, StateError> {
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
            restored,
            of_key: std::marker::PhantomData,
        })
    }

    /// Registers a value state for each key and namespace `N`, or finds it again ([`KeyedStateStore::value_state`]).
    pub fn register_value_state<N: Namespace, V: Data>(
        &mut self,
        descriptor: ValueStateDescriptor<V>,
    ) -> Result<ValueState<V>, StateError> {
        let name = descriptor.name().to_owned();
        let id =
            self.register::<N, _>(&name, ValueState::<V>::type_name(), Values(PhantomData::<fn() -> V>))?;
        Ok(ValueState::bound(id))
    }

    /// Registers a list state for each key and namespace `N`, or finds it again ([`KeyedStateStore::list_state`]).
    pub fn register_list_state<N: Namespace, T: Data>(
        &mut self,
        descriptor: ListStateDescriptor<T>,
    ) -> Result<ListState<T>, StateError> {
        let name = descriptor.name().to_owned();
        let id =
            self.register::<N, _>(&name, ListState::<T>::type_name(), Lists(PhantomData::<fn() -> T>))?;
        Ok(ListState::bound(id))
    }

    /// Registers a map state for each key and namespace `N`, or finds it again ([`KeyedStateStore::map_state`]).
    pub fn register_map_state<N: Namespace, UK: Data + Eq + Hash, UV: Data>(
        &mut self,
        descriptor: MapStateDescriptor<UK, UV>,
    ) -> Result<MapState<UK, UV>, StateError> {
        let name = descriptor.name().to_owned();
        let id = self.register::<N, _>(
            &name,
            MapState::<UK, UV>::type_name(),
            Maps(PhantomData::<fn() -> (UK, UV)>),
        )?;
        Ok(MapState::bound(id))
    }

    /// Registers a reducing state for each key and namespace `N`, or finds it again ([`KeyedStateStore::reducing_state`]).
    pub fn register_reducing_state<N: Namespace, T: Data>(
        &mut self,
        descriptor: ReducingStateDescriptor<T>,
    ) -> Result<ReducingState<T>, StateError> {
        let name = descriptor.name().to_owned();
        let id = self.register::<N, _>(&name, ReducingState::<T>::type_name(), Reducing::from(descriptor))?;
        Ok(ReducingState::bound(id))
    }

    /// Registers an aggregating state for each key and namespace `N`, or finds it again ([`KeyedStateStore::aggregating_state`]).
    pub fn register_aggregating_state<N: Namespace, T: 'static, A: AggregateFunction<T>>(
        &mut self,
        descriptor: AggregatingStateDescriptor<T, A>,
    ) -> Result<AggregatingState<T, A>, StateError> {
        let name = descriptor.name().to_owned();
        let id = self.register::<N, _>(
            &name,
            AggregatingState::<T, A>::type_name(),
            Aggregating::from(descriptor),
        )?;
        Ok(AggregatingState::bound(id))
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

    fn register<N: Namespace, D: Kind>(
        &mut self,
        name: &str,
        handle: String,
        kind: D,
    ) -> Result<u32, StateError> {
        if let Some(id) = self.registrations.iter().position(|known| known.name == name) {
            if self.stores[id].is::<StateStore<K, N, D>>() {
                return Ok(id as u32);
            }
            let registered = self.registrations[id].handle.clone();
            let (name, asked) = (name.to_owned(), handle);
            return Err(StateErrorKind::AlreadyRegistered { name, registered, asked }.into());
        }
        let entries = ValueStore::new(self.key_groups, self.max_parallelism);
        self.stores.push(ErasedStore::new(StateStore::<K, N, D> { entries, kind }));
        self.registrations.push(Registration { name: name.to_owned(), handle });
        Ok(self.stores.len() as u32 - 1)
    }

    /// The store with this id, if there is one and it is an `S`.
    #[inline]
    pub(crate) fn store_mut<S: AnyStore>(&mut self, id: u32) -> Option<&mut S> {
        self.stores.get_mut(id as usize)?.downcast_mut()
    }
}

/// The keyed state of a subtask together with the key and namespace of the record or timer at hand.
pub struct CurrentKey<'a, K, N = ()> {
    /// The states of the subtask.
    pub state: &'a mut KeyedState<K>,
    /// The current key.
    pub key: &'a K,
    /// The routing hash of `key`.
    pub hash: u64,
    /// What divides the key's state further: the window, or `()`.
    pub namespace: &'a N,
}

impl<'a, K> CurrentKey<'a, K> {
    /// The state of `key` that belongs to no window.
    #[inline]
    pub const fn new(state: &'a mut KeyedState<K>, key: &'a K, hash: u64) -> Self {
        Self { state, key, hash, namespace: &() }
    }
}

/// A context in which a key is current, so that state handles can be used: that of a record, a timer or a window.
/// There is none in `open()`.
pub trait HasKeyedState {
    /// The type of the keys.
    type Key: Key;
    /// What divides the state of a key further: the type of the windows, or `()`.
    type Namespace: Namespace;

    /// The current key and namespace, and the state that they select from.
    fn current(&mut self) -> CurrentKey<'_, Self::Key, Self::Namespace>;
}

impl<K: Key, N: Namespace> HasKeyedState for CurrentKey<'_, K, N> {
    type Key = K;
    type Namespace = N;

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, K, N> {
        CurrentKey { state: self.state, key: self.key, hash: self.hash, namespace: self.namespace }
    }
}

/// Where states are registered, each under a name that is unique within the operator (Flink: `KeyedStateStore`): the
/// context of `open()`, and its parts that stand for one window each.
///
/// The same name and type always give the same handle; a name that stands for a state of another type or kind is an
/// error.
pub trait KeyedStateStore {
    /// The type of the keys.
    type Key: Key;
    /// What divides the state of a key further: the type of the windows, or `()`.
    type Namespace: Namespace;

    /// All states of the operator.
    fn keyed_state(&mut self) -> &mut KeyedState<Self::Key>;

    /// A value for each key.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn value_state<V: Data>(
        &mut self,
        descriptor: ValueStateDescriptor<V>,
    ) -> Result<ValueState<V>, StateError> {
        self.keyed_state().register_value_state::<Self::Namespace, V>(descriptor)
    }

    /// A list for each key.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn list_state<T: Data>(
        &mut self,
        descriptor: ListStateDescriptor<T>,
    ) -> Result<ListState<T>, StateError> {
        self.keyed_state().register_list_state::<Self::Namespace, T>(descriptor)
    }

    /// A map for each key.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn map_state<UK: Data + Eq + Hash, UV: Data>(
        &mut self,
        descriptor: MapStateDescriptor<UK, UV>,
    ) -> Result<MapState<UK, UV>, StateError> {
        self.keyed_state().register_map_state::<Self::Namespace, UK, UV>(descriptor)
    }

    /// The combination of all values added, for each key. Of a name that is registered again, the first function stays.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn reducing_state<T: Data>(
        &mut self,
        descriptor: ReducingStateDescriptor<T>,
    ) -> Result<ReducingState<T>, StateError> {
        self.keyed_state().register_reducing_state::<Self::Namespace, T>(descriptor)
    }

    /// The accumulator of all values added, for each key. Of a name that is registered again, the first function stays.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn aggregating_state<T: 'static, A: AggregateFunction<T>>(
        &mut self,
        descriptor: AggregatingStateDescriptor<T, A>,
    ) -> Result<AggregatingState<T, A>, StateError> {
        self.keyed_state().register_aggregating_state::<Self::Namespace, T, A>(descriptor)
    }
}

impl<K: Key> KeyedStateStore for KeyedState<K> {
    type Key = K;
    type Namespace = ();

    fn keyed_state(&mut self) -> &mut Self {
        self
    }
}

/// Registers states for the namespace `N`: `()` for those of a key as a whole, the type of the windows for those of
/// each window.
pub struct StateRegistry<'a, K, N = ()> {
    state: &'a mut KeyedState<K>,
    of_namespace: std::marker::PhantomData<fn() -> N>,
}

impl<'a, K, N> StateRegistry<'a, K, N> {
    /// A registry into `state`.
    pub const fn new(state: &'a mut KeyedState<K>) -> Self {
        Self { state, of_namespace: std::marker::PhantomData }
    }
}

impl<K: Key, N: Namespace> KeyedStateStore for StateRegistry<'_, K, N> {
    type Key = K;
    type Namespace = N;

    fn keyed_state(&mut self) -> &mut KeyedState<K> {
        self.state
    }
}
