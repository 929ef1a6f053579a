//! The handle through which user code reads and writes one value per key.

use std::marker::PhantomData;

use flott_core::{
    Data, Key,
    encoding::{DecodeError, encode},
    time::Timestamp,
};

use crate::{
    error::StateError,
    handle::{state_descriptor, state_handle},
    keyed::{CurrentKey, HasKeyedState, KeyedState, StateHandle},
    namespace::Namespace,
    snapshot::StateKind,
    state_store::{
        Encode, Kind, Selected, StateStore, Written, keys_of_group, owned_bytes, read_unstamped, value_type,
    },
    state_type::StateType,
    ttl::{Single, StateTtlConfig, Ttl},
};

#[cfg(test)]
mod tests;

/// Names a value state and its type (Flink: `ValueStateDescriptor`).
#[derive(Clone, Debug)]
pub struct ValueStateDescriptor<V> {
    name: String,
    pub(crate) ttl: Option<StateTtlConfig>,
    of_value: PhantomData<fn() -> V>,
}

impl<V> ValueStateDescriptor<V> {
    /// A state called `name`, which is unique within the operator and identifies the state in snapshots.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ttl: None, of_value: PhantomData }
    }
}

state_descriptor!(ValueStateDescriptor<V>);

/// The kind of a value state: the value is all that is stored.
pub(crate) struct Values<V>(pub(crate) PhantomData<fn() -> V>);

impl<V: Data> Kind for Values<V> {
    type Stored = V;

    const KIND: StateKind = StateKind::Value;
    const TTL: bool = false;

    fn value_type(ttl: bool) -> StateType {
        value_type::<V>(ttl)
    }

    fn encoder(&self, _now: Timestamp) -> impl Encode<V> {
        |stored: &V, into: &mut Vec<u8>| encode(stored, into).map(|()| true)
    }

    fn decode(&self, bytes: &mut &[u8], written: Written<'_>) -> Result<V, DecodeError> {
        read_unstamped(bytes, written)
    }

    fn owned_bytes(&self, stored: &V) -> usize {
        owned_bytes(stored)
    }
}

impl<V: Data> Single for Values<V> {}

/// A value per key (Flink: `ValueState`).
///
/// A handle is a small token to keep in a field of the function. [`Default`] makes one that is bound to no state;
/// `open()` replaces it by the one that [`KeyedStateStore::value_state`](crate::KeyedStateStore::value_state) returns. The
/// methods take the context that the function was called with, which knows the current key. They fail if the handle
/// is unbound, or if the record was routed to a subtask that doesn't own its key.
pub struct ValueState<V> {
    id: u32,
    /// Whether the state has a time to live.
    ttl: bool,
    of_type: PhantomData<fn() -> V>,
}

state_handle!(ValueState<V>, ttl);

impl<V: Data> ValueState<V> {
    /// A copy of the current key's value.
    #[inline]
    pub fn value<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<V>, StateError> {
        Ok(self.get(context)?.cloned())
    }

    /// The current key's value.
    #[inline]
    pub fn get<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<&V>, StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| Ok(at.read()?.0));
        }
        self.select(context.current())?.get()
    }

    /// The current key's value, for changing it in place.
    #[inline]
    pub fn get_mut<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<&mut V>, StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| Ok(at.for_writing()?.0));
        }
        self.select(context.current())?.get_mut()
    }

    /// The current key's value, for changing it in place; where there is none, it is first set to `default()`.
    #[inline]
    pub fn get_or_insert_with<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
        default: impl FnOnce() -> V,
    ) -> Result<&mut V, StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| at.for_writing_or_insert_with(default));
        }
        self.select(context.current())?.get_or_insert_with(default)
    }

    /// Sets the current key's value.
    #[inline]
    pub fn update<C: HasKeyedState + ?Sized>(self, context: &mut C, value: V) -> Result<(), StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| at.write(value));
        }
        self.select(context.current())?.insert(value)
    }

    /// Removes the current key's value.
    #[inline]
    pub fn clear<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        self.take(context)?;
        Ok(())
    }

    /// Loads what the keys with these hashes have in `namespace` into the cache. The engine does so by itself for
    /// states of a key as a whole; only an operator knows the windows of its records.
    #[inline]
    pub fn prefetch<K: Key, N: Namespace>(self, state: &mut KeyedState<K>, hashes: &[u64], namespace: &N) {
        if let Some(store) = state.store_mut::<StateStore<K, N, Values<V>>>(self.id) {
            store.entries.prefetch(hashes, namespace);
        }
    }

    /// Fetches what these keys have in `namespace` into memory, if the backend keeps state on disk. As for
    /// [`prefetch`](Self::prefetch), the engine does so by itself for states of a key as a whole.
    ///
    /// # Errors
    /// When the backend fails, or a hash belongs to a key group that the subtask doesn't own.
    #[inline]
    pub fn load<K: Key, N: Namespace>(
        self,
        state: &mut KeyedState<K>,
        keys: &[K],
        hashes: &[u64],
        namespace: &N,
    ) -> Result<(), StateError> {
        state.make_room()?;
        match state.store_mut::<StateStore<K, N, Values<V>>>(self.id) {
            Some(store) => store.load(keys, hashes, namespace),
            None => Ok(()),
        }
    }

    /// Takes the current key's value out.
    #[inline]
    pub fn take<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<V>, StateError> {
        if self.ttl {
            return self.expiring(context.current(), Selected::take);
        }
        self.select(context.current())?.remove()
    }

    /// Access to a state with time to live; out of the way of those without.
    #[cold]
    #[inline(never)]
    fn expiring<'a, K: Key, N: Namespace, R>(
        self,
        current: CurrentKey<'a, K, N>,
        access: impl FnOnce(Selected<'a, K, N, Ttl<Values<V>>>) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        access(Selected::new(self.id, current)?.ok_or_else(|| self.not_found())?)
    }

    #[inline]
    fn select<K: Key, N: Namespace>(
        self,
        current: CurrentKey<'_, K, N>,
    ) -> Result<Selected<'_, K, N, Values<V>>, StateError> {
        Selected::new(self.id, current)?.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, V: Data> StateHandle<K, N> for ValueState<V> {
    fn keys_of_group(
        self,
        state: &mut KeyedState<K>,
        group: u32,
        namespace: &N,
    ) -> Result<Vec<K>, StateError> {
        let keys = if self.ttl {
            keys_of_group::<K, N, Ttl<Values<V>>>(self.id, state, group, namespace)?
        } else {
            keys_of_group::<K, N, Values<V>>(self.id, state, group, namespace)?
        };
        keys.ok_or_else(|| self.not_found())
    }
}
