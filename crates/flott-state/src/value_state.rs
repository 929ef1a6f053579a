//! The handle through which user code reads and writes one value per key.

use std::{any, marker::PhantomData};

use flott_core::{Data, Key};

use crate::{
    error::{StateError, StateErrorKind},
    keyed::{CurrentKey, HasKeyedState, KeyedState},
    namespace::Namespace,
    table::Epoch,
    value_store::ValueStore,
};

#[cfg(test)]
mod tests;

/// Names a value state and its type (Flink: `ValueStateDescriptor`).
#[derive(Clone, Debug)]
pub struct ValueStateDescriptor<V> {
    name: String,
    of_value: PhantomData<fn() -> V>,
}

impl<V> ValueStateDescriptor<V> {
    /// A state called `name`, which is unique within the operator and identifies the state in snapshots.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), of_value: PhantomData }
    }

    /// The name of the state.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A value per key (Flink: `ValueState`).
///
/// A handle is a small token to keep in a field of the function. [`Default`] makes one that is bound to no state;
/// `open()` replaces it by the one that [`KeyedStateStore::value_state`](crate::KeyedStateStore::value_state) returns. The
/// methods take the context that the function was called with, which knows the current key. They fail if the handle
/// is unbound, or if the record was routed to a subtask that doesn't own its key.
pub struct ValueState<V> {
    id: u32,
    of_value: PhantomData<fn() -> V>,
}

/// No store has this id.
const UNBOUND: u32 = u32::MAX;

impl<V> Clone for ValueState<V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for ValueState<V> {}

impl<V> Default for ValueState<V> {
    /// A handle bound to no state.
    fn default() -> Self {
        Self::bound(UNBOUND)
    }
}

impl<V> ValueState<V> {
    pub(crate) const fn bound(id: u32) -> Self {
        Self { id, of_value: PhantomData }
    }

    pub(crate) fn type_name() -> String {
        format!("ValueState<{}>", any::type_name::<V>())
    }
}

impl<V: Data> ValueState<V> {
    /// A copy of the current key's value.
    #[inline]
    pub fn value<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<V>, StateError> {
        Ok(self.get(context)?.cloned())
    }

    /// The current key's value.
    #[inline]
    pub fn get<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<&V>, StateError> {
        let at = self.select(context.current())?;
        at.store.get(at.hash, at.key, at.namespace)
    }

    /// The current key's value, for changing it in place.
    #[inline]
    pub fn get_mut<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<&mut V>, StateError> {
        let at = self.select(context.current())?;
        at.store.get_mut(at.hash, at.key, at.namespace, at.epoch)
    }

    /// The current key's value, for changing it in place; where there is none, it is first set to `default()`.
    #[inline]
    pub fn get_or_insert_with<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
        default: impl FnOnce() -> V,
    ) -> Result<&mut V, StateError> {
        let at = self.select(context.current())?;
        at.store.get_or_insert_with(at.hash, at.key, at.namespace, at.epoch, default)
    }

    /// Sets the current key's value.
    #[inline]
    pub fn update<C: HasKeyedState + ?Sized>(self, context: &mut C, value: V) -> Result<(), StateError> {
        let at = self.select(context.current())?;
        at.store.insert(at.hash, at.key, at.namespace, at.epoch, value)?;
        Ok(())
    }

    /// Removes the current key's value.
    #[inline]
    pub fn clear<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        let at = self.select(context.current())?;
        at.store.remove(at.hash, at.key, at.namespace)?;
        Ok(())
    }

    /// Loads what the keys with these hashes have in `namespace` into the cache. The engine does so by itself for
    /// states of a key as a whole; only an operator knows the windows of its records.
    #[inline]
    pub fn prefetch<K: Key, N: Namespace>(self, state: &mut KeyedState<K>, hashes: &[u64], namespace: &N) {
        if let Some(store) = state.store_mut::<ValueStore<K, N, V>>(self.id) {
            store.prefetch(hashes, namespace);
        }
    }

    /// Takes the current key's value out.
    #[inline]
    pub fn take<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<V>, StateError> {
        let at = self.select(context.current())?;
        at.store.remove(at.hash, at.key, at.namespace)
    }

    #[inline]
    fn select<K: Key, N: Namespace>(
        self,
        current: CurrentKey<'_, K, N>,
    ) -> Result<Selected<'_, K, N, V>, StateError> {
        let CurrentKey { state, key, hash, namespace } = current;
        let epoch = state.epoch();
        match state.store_mut(self.id) {
            Some(store) => Ok(Selected { store, key, hash, namespace, epoch }),
            None => Err(self.not_found()),
        }
    }

    #[cold]
    #[inline(never)]
    fn not_found(self) -> StateError {
        let handle = Self::type_name();
        match self.id {
            UNBOUND => StateErrorKind::Unbound { handle }.into(),
            _ => StateErrorKind::Foreign { handle }.into(),
        }
    }
}

/// What an access needs once its handle is resolved.
struct Selected<'a, K, N, V> {
    store: &'a mut ValueStore<K, N, V>,
    key: &'a K,
    hash: u64,
    namespace: &'a N,
    epoch: Epoch,
}
