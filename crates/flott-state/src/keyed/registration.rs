//! Registering states of each kind.

use std::{hash::Hash, marker::PhantomData};

use flott_core::{Data, Key};

use super::{KeyedState, Registration};
use crate::{
    aggregate::AggregateFunction,
    aggregating_state::{Aggregating, AggregatingState, AggregatingStateDescriptor},
    erased::ErasedStore,
    error::{StateError, StateErrorKind},
    list_state::{ListState, ListStateDescriptor, Lists},
    map_state::{MapState, MapStateDescriptor, Maps},
    namespace::Namespace,
    reducing_state::{Reducing, ReducingState, ReducingStateDescriptor},
    state_store::{Kind, StateStore},
    value_state::{ValueState, ValueStateDescriptor, Values},
    value_store::ValueStore,
};

impl<K: Key> KeyedState<K> {
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
        let mut store = StateStore::<K, N, D> { entries, kind };
        for part in self.take_restored(name) {
            store.restore(&part, &handle, self.now, self.epoch)?;
        }
        self.stores.push(ErasedStore::new(store));
        self.registrations.push(Registration { name: name.to_owned(), handle });
        Ok(self.stores.len() as u32 - 1)
    }
}
