//! The handle of a map that is the same in all subtasks.

use std::{borrow::Borrow, hash::Hash, marker::PhantomData};

use flott_core::{
    Data,
    encoding::{self, DecodeError, EncodeError},
};

use super::{HasOperatorState, HasReadOnlyOperatorState, OperatorState, Store};
use crate::{
    error::StateError,
    handle::state_handle,
    map_state::UserMap,
    snapshot::RedistributionMode,
    state_type::{Reading, StateType},
};

/// A map per subtask, the same in all (Flink: `BroadcastState`): every subtask must do the same with each broadcast
/// record, as what is restored at another parallelism is the map of any one of them.
///
/// Where the context gives read access only, what writes does not compile. A handle is used like that of a
/// [`ValueState`](crate::ValueState), and fails like it, but needs no key.
pub struct BroadcastState<K, V> {
    id: u32,
    of_type: PhantomData<fn() -> (K, V)>,
}

state_handle!(BroadcastState<K, V>);

impl<K: Data + Eq + Hash, V: Data> BroadcastState<K, V> {
    /// The value of `key`.
    #[inline]
    pub fn get<'a, C, Q>(self, context: &'a C, key: &Q) -> Result<Option<&'a V>, StateError>
    where
        C: HasReadOnlyOperatorState + ?Sized,
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        Ok(self.entries(context)?.get(key))
    }

    /// Whether there is an entry for `key`.
    #[inline]
    pub fn contains<C, Q>(self, context: &C, key: &Q) -> Result<bool, StateError>
    where
        C: HasReadOnlyOperatorState + ?Sized,
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        Ok(self.entries(context)?.contains_key(key))
    }

    /// All entries, in an order that depends on nothing but what was put and removed before.
    #[inline]
    pub fn iter<C: HasReadOnlyOperatorState + ?Sized>(
        self,
        context: &C,
    ) -> Result<impl ExactSizeIterator<Item = (&K, &V)>, StateError> {
        Ok(self.entries(context)?.iter())
    }

    /// Sets the value of `key`.
    pub fn put<C: HasOperatorState + ?Sized>(
        self,
        context: &mut C,
        key: K,
        value: V,
    ) -> Result<(), StateError> {
        self.entries_mut(context)?.insert(key, value);
        Ok(())
    }

    /// Sets the values of several keys.
    pub fn put_all<C: HasOperatorState + ?Sized>(
        self,
        context: &mut C,
        entries: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), StateError> {
        self.entries_mut(context)?.extend(entries);
        Ok(())
    }

    /// Takes the value of `key` out.
    pub fn remove<C, Q>(self, context: &mut C, key: &Q) -> Result<Option<V>, StateError>
    where
        C: HasOperatorState + ?Sized,
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        Ok(self.entries_mut(context)?.swap_remove(key))
    }

    /// Removes all entries.
    pub fn clear<C: HasOperatorState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        self.entries_mut(context)?.clear();
        Ok(())
    }

    #[inline]
    fn entries<C: HasReadOnlyOperatorState + ?Sized>(
        self,
        context: &C,
    ) -> Result<&UserMap<K, V>, StateError> {
        let store = context.operator_state().store::<Entries<K, V>>(self.id);
        store.map(|entries| &entries.0).ok_or_else(|| self.not_found())
    }

    fn entries_mut<C: HasOperatorState + ?Sized>(
        self,
        context: &mut C,
    ) -> Result<&mut UserMap<K, V>, StateError> {
        let store = context.operator_state_mut().store_mut::<Entries<K, V>>(self.id);
        store.map(|entries| &mut entries.0).ok_or_else(|| self.not_found())
    }
}

pub(super) fn register<K: Data + Eq + Hash, V: Data>(
    state: &mut OperatorState,
    name: &str,
) -> Result<BroadcastState<K, V>, StateError> {
    state.register::<Entries<K, V>>(name, RedistributionMode::Broadcast).map(BroadcastState::bound)
}

struct Entries<K, V>(UserMap<K, V>);

impl<K, V> Default for Entries<K, V> {
    fn default() -> Self {
        Self(UserMap::default())
    }
}

impl<K: Data + Eq + Hash, V: Data> Store for Entries<K, V> {
    fn element_type() -> StateType {
        StateType::of::<(K, V)>()
    }

    fn restore(&mut self, element: &[u8], reading: Reading<'_>) -> Result<(), DecodeError> {
        let (key, value) = reading.whole(element)?;
        self.0.insert(key, value);
        Ok(())
    }

    fn encode(&self) -> Result<Vec<Vec<u8>>, EncodeError> {
        self.0.iter().map(|entry| encoding::to_vec(&entry)).collect()
    }
}
