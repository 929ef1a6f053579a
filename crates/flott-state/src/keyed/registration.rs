//! Registering states of each kind.

use std::{hash::Hash, marker::PhantomData};

use flott_core::{Data, Key};

use super::{KeyedState, Registration, disk::OnDisk};
use crate::{
    aggregate::AggregateFunction,
    aggregating_state::{Aggregating, AggregatingState, AggregatingStateDescriptor},
    disk::DiskEntries,
    erased::ErasedStore,
    error::{StateError, StateErrorKind},
    list_state::{ListState, ListStateDescriptor, Lists},
    map_state::{MapState, MapStateDescriptor, Maps},
    namespace::Namespace,
    reducing_state::{Reducing, ReducingState, ReducingStateDescriptor},
    state_store::{Entries, Kind, StateStore},
    state_type::tell_opaque,
    ttl::{StateTtlConfig, Ttl, TtlRules, WithTtl},
    value_state::{ValueState, ValueStateDescriptor, Values},
    value_store::ValueStore,
};

impl<K: Key> KeyedState<K> {
    /// Registers a value state for each key and namespace `N`, or finds it again.
    pub fn register_value_state<N: Namespace, V: Data>(
        &mut self,
        descriptor: ValueStateDescriptor<V>,
    ) -> Result<ValueState<V>, StateError> {
        let (name, ttl) = (descriptor.name().to_owned(), descriptor.ttl.clone());
        let (id, ttl) = self.register_with_ttl::<N, _>(
            &name,
            ttl,
            ValueState::<V>::type_name(),
            Values(PhantomData::<fn() -> V>),
        )?;
        Ok(ValueState::bound(id, ttl))
    }

    /// Registers a list state for each key and namespace `N`, or finds it again.
    pub fn register_list_state<N: Namespace, T: Data>(
        &mut self,
        descriptor: ListStateDescriptor<T>,
    ) -> Result<ListState<T>, StateError> {
        let (name, ttl) = (descriptor.name().to_owned(), descriptor.ttl.clone());
        let (id, ttl) = self.register_with_ttl::<N, _>(
            &name,
            ttl,
            ListState::<T>::type_name(),
            Lists(PhantomData::<fn() -> T>),
        )?;
        Ok(ListState::bound(id, ttl))
    }

    /// Registers a map state for each key and namespace `N`, or finds it again.
    pub fn register_map_state<N: Namespace, UK: Data + Eq + Hash, UV: Data>(
        &mut self,
        descriptor: MapStateDescriptor<UK, UV>,
    ) -> Result<MapState<UK, UV>, StateError> {
        let (name, ttl) = (descriptor.name().to_owned(), descriptor.ttl.clone());
        let (id, ttl) = self.register_with_ttl::<N, _>(
            &name,
            ttl,
            MapState::<UK, UV>::type_name(),
            Maps(PhantomData::<fn() -> (UK, UV)>),
        )?;
        Ok(MapState::bound(id, ttl))
    }

    /// Registers a reducing state for each key and namespace `N`, or finds it again.
    pub fn register_reducing_state<N: Namespace, T: Data>(
        &mut self,
        descriptor: ReducingStateDescriptor<T>,
    ) -> Result<ReducingState<T>, StateError> {
        let (name, ttl) = (descriptor.name().to_owned(), descriptor.ttl.clone());
        let (id, ttl) = self.register_with_ttl::<N, _>(
            &name,
            ttl,
            ReducingState::<T>::type_name(),
            Reducing::from(descriptor),
        )?;
        Ok(ReducingState::bound(id, ttl))
    }

    /// Registers an aggregating state for each key and namespace `N`, or finds it again.
    pub fn register_aggregating_state<N: Namespace, T: 'static, A: AggregateFunction<T>>(
        &mut self,
        descriptor: AggregatingStateDescriptor<T, A>,
    ) -> Result<AggregatingState<T, A>, StateError> {
        let (name, ttl) = (descriptor.name().to_owned(), descriptor.ttl.clone());
        let (id, ttl) = self.register_with_ttl::<N, _>(
            &name,
            ttl,
            AggregatingState::<T, A>::type_name(),
            Aggregating::from(descriptor),
        )?;
        Ok(AggregatingState::bound(id, ttl))
    }

    /// Registers a state with time to live if it is to have one. Returns the id of the state and whether it has.
    fn register_with_ttl<N: Namespace, D: WithTtl>(
        &mut self,
        name: &str,
        ttl: Option<StateTtlConfig>,
        handle: String,
        kind: D,
    ) -> Result<(u32, bool), StateError> {
        match TtlRules::of(name, ttl)? {
            None => Ok((self.register::<N, _>(name, handle, kind)?, false)),
            Some(rules) => {
                let handle = handle + " with time to live";
                Ok((self.register::<N, _>(name, handle, Ttl::new(kind, rules))?, true))
            }
        }
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
        let entries = self.no_entries(name, &kind)?;
        let mut store = StateStore::<K, N, D> { entries, kind };
        for part in self.take_restored(name) {
            if part.removed.is_none() {
                store.take_over(&part.meta, self.now)?;
            }
            store.restore(&part, &handle, self.now, self.epoch)?;
        }
        tell_opaque(name, &StateStore::<K, N, D>::types(false));
        self.stores.push(ErasedStore::new(store));
        self.registrations.push(Registration { name: name.to_owned(), handle });
        Ok(self.stores.len() as u32 - 1)
    }

    /// Where a new state keeps its entries.
    fn no_entries<N: Namespace, D: Kind>(
        &self,
        name: &str,
        kind: &D,
    ) -> Result<Entries<K, N, D::Stored>, StateError> {
        let (range, groups) = (self.key_groups, self.max_parallelism);
        Ok(match &self.disk {
            None => Entries::Heap(ValueStore::new(range, groups)),
            Some(OnDisk { store, clock }) => {
                let expiry = kind.expiry(clock);
                Entries::Disk(Box::new(DiskEntries::create(name, store, expiry, range, groups)?))
            }
        })
    }
}
