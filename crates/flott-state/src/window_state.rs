//! The handle through which the engine keeps what windows hold: a value per key and window.

use std::marker::PhantomData;

use flott_core::{Data, Key};

use crate::{
    error::{StateError, StateErrorKind},
    keyed::KeyedState,
    namespace::Namespace,
    value_store::ValueStore,
};

#[cfg(test)]
mod tests;

/// A value per key and namespace. Like [`crate::ValueState`] a token; for operators, which know hash, key and window of
/// each access, rather than for users.
pub struct WindowState<N, V> {
    id: u32,
    types: PhantomData<fn(N) -> V>,
}

impl<N, V> Clone for WindowState<N, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N, V> Copy for WindowState<N, V> {}

impl<N: Namespace, V: Data> WindowState<N, V> {
    pub(crate) const fn bound(id: u32) -> Self {
        Self { id, types: PhantomData }
    }

    pub(crate) fn type_name() -> String {
        format!("WindowState<{}, {}>", std::any::type_name::<N>(), std::any::type_name::<V>())
    }

    /// The value.
    #[inline]
    pub fn get<'a, K: Key>(
        self,
        state: &'a mut KeyedState<K>,
        hash: u64,
        key: &K,
        namespace: &N,
    ) -> Result<Option<&'a V>, StateError> {
        self.store(state)?.get(hash, key, namespace)
    }

    /// The value, for changing it in place.
    #[inline]
    pub fn get_mut<'a, K: Key>(
        self,
        state: &'a mut KeyedState<K>,
        hash: u64,
        key: &K,
        namespace: &N,
    ) -> Result<Option<&'a mut V>, StateError> {
        let epoch = state.epoch();
        self.store(state)?.get_mut(hash, key, namespace, epoch)
    }

    /// Sets the value.
    #[inline]
    pub fn insert<K: Key>(
        self,
        state: &mut KeyedState<K>,
        hash: u64,
        key: &K,
        namespace: &N,
        value: V,
    ) -> Result<(), StateError> {
        let epoch = state.epoch();
        self.store(state)?.insert(hash, key, namespace, epoch, value).map(drop)
    }

    /// Takes the value out.
    #[inline]
    pub fn remove<K: Key>(
        self,
        state: &mut KeyedState<K>,
        hash: u64,
        key: &K,
        namespace: &N,
    ) -> Result<Option<V>, StateError> {
        self.store(state)?.remove(hash, key, namespace)
    }

    /// Loads what the keys with these hashes have in `namespace` into the cache.
    #[inline]
    pub fn prefetch<K: Key>(self, state: &mut KeyedState<K>, hashes: &[u64], namespace: &N) {
        if let Ok(store) = self.store(state) {
            store.prefetch(hashes, namespace);
        }
    }

    #[inline]
    fn store<K: Key>(self, state: &mut KeyedState<K>) -> Result<&mut ValueStore<K, N, V>, StateError> {
        state.store_mut(self.id).ok_or_else(Self::not_found)
    }

    #[cold]
    #[inline(never)]
    fn not_found() -> StateError {
        StateErrorKind::Foreign { handle: Self::type_name() }.into()
    }
}
