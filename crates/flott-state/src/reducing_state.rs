//! The handle through which user code combines the values of a key into one of the same type.

use std::{marker::PhantomData, sync::Arc};

use flott_core::{
    Data, Key,
    encoding::{DecodeError, encode},
    time::Timestamp,
};

use crate::{
    error::StateError,
    handle::{state_descriptor, state_handle},
    keyed::{CurrentKey, HasKeyedState, KeyedState, StateHandle},
    merging::{Merge, MergingState, merge},
    namespace::Namespace,
    snapshot::StateKind,
    state_store::{Encode, Kind, Selected, Written, keys_of_group, owned_bytes, read_unstamped, value_type},
    state_type::StateType,
    ttl::{Single, StateTtlConfig, Ttl},
};

#[cfg(test)]
mod tests;

/// Combines what is stored with a value that is added.
pub(crate) type ReduceFn<T> = Arc<dyn Fn(&T, T) -> T + Send + Sync>;

/// Names a reducing state, its type and how values are combined (Flink: `ReducingStateDescriptor`).
#[derive(Clone)]
pub struct ReducingStateDescriptor<T> {
    name: String,
    pub(crate) ttl: Option<StateTtlConfig>,
    reduce: ReduceFn<T>,
}

impl<T> ReducingStateDescriptor<T> {
    /// A state called `name`, which is unique within the operator and identifies the state in snapshots. `reduce` makes
    /// one value of what is stored and what is added, in this order.
    pub fn new(name: impl Into<String>, reduce: impl Fn(&T, T) -> T + Send + Sync + 'static) -> Self {
        Self { name: name.into(), ttl: None, reduce: Arc::new(reduce) }
    }
}

state_descriptor!(ReducingStateDescriptor<T>);

/// The kind of a reducing state.
pub(crate) struct Reducing<T> {
    pub(crate) reduce: ReduceFn<T>,
}

impl<T: Data> Kind for Reducing<T> {
    type Stored = T;

    const KIND: StateKind = StateKind::Reducing;
    const TTL: bool = false;

    fn value_type(ttl: bool) -> StateType {
        value_type::<T>(ttl)
    }

    fn encoder(&self, _now: Timestamp) -> impl Encode<T> {
        |stored: &T, into: &mut Vec<u8>| encode(stored, into).map(|()| true)
    }

    fn decode(&self, bytes: &mut &[u8], written: Written<'_>) -> Result<T, DecodeError> {
        read_unstamped(bytes, written)
    }

    fn owned_bytes(&self, stored: &T) -> usize {
        owned_bytes(stored)
    }
}

impl<T: Data> Single for Reducing<T> {}

impl<T: Data> Merge for Reducing<T> {
    fn merge(&self, into: &mut T, from: T, _now: Timestamp) {
        *into = (self.reduce)(into, from);
    }
}

impl<T> From<ReducingStateDescriptor<T>> for Reducing<T> {
    fn from(descriptor: ReducingStateDescriptor<T>) -> Self {
        Self { reduce: descriptor.reduce }
    }
}

/// All values added for a key, combined into one (Flink: `ReducingState`).
///
/// A handle is used like that of a [`ValueState`](crate::ValueState), and fails like it.
pub struct ReducingState<T> {
    id: u32,
    /// Whether the state has a time to live.
    ttl: bool,
    of_type: PhantomData<fn() -> T>,
}

state_handle!(ReducingState<T>, ttl);

impl<T: Data> ReducingState<T> {
    /// The combination of the current key's values, if any was added.
    #[inline]
    pub fn get<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<&T>, StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| Ok(at.read()?.0));
        }
        self.select(context.current())?.get()
    }

    /// Adds a value: the first is stored as it is, each further one is combined with what is stored.
    #[inline]
    pub fn add<C: HasKeyedState + ?Sized>(self, context: &mut C, value: T) -> Result<(), StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| Self::add_expiring(at, value));
        }
        let mut at = self.select(context.current())?;
        match at.get_mut_and_kind()? {
            (Some(stored), kind) => {
                *stored = (kind.reduce)(stored, value);
                Ok(())
            }
            (None, _) => at.insert(value),
        }
    }

    /// Removes what is stored for the current key.
    #[inline]
    pub fn clear<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        self.take(context)?;
        Ok(())
    }

    /// Takes out what is stored for the current key.
    #[inline]
    pub fn take<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<T>, StateError> {
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
        access: impl FnOnce(Selected<'a, K, N, Ttl<Reducing<T>>>) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        access(Selected::new(self.id, current)?.ok_or_else(|| self.not_found())?)
    }

    fn add_expiring<K: Key, N: Namespace>(
        mut at: Selected<'_, K, N, Ttl<Reducing<T>>>,
        value: T,
    ) -> Result<(), StateError> {
        match at.reborrow().for_writing()? {
            (Some(stored), kind) => {
                *stored = (kind.reduce)(stored, value);
                Ok(())
            }
            (None, _) => at.write(value),
        }
    }

    #[inline]
    fn select<K: Key, N: Namespace>(
        self,
        current: CurrentKey<'_, K, N>,
    ) -> Result<Selected<'_, K, N, Reducing<T>>, StateError> {
        Selected::new(self.id, current)?.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, T: Data> MergingState<K, N> for ReducingState<T> {
    fn merge_namespaces(
        self,
        state: &mut KeyedState<K>,
        key: &K,
        hash: u64,
        target: &N,
        sources: &[N],
    ) -> Result<(), StateError> {
        let merged = if self.ttl {
            merge::<K, N, Ttl<Reducing<T>>>(self.id, state, (key, hash), target, sources)?
        } else {
            merge::<K, N, Reducing<T>>(self.id, state, (key, hash), target, sources)?
        };
        merged.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, T: Data> StateHandle<K, N> for ReducingState<T> {
    fn keys_of_group(
        self,
        state: &mut KeyedState<K>,
        group: u32,
        namespace: &N,
    ) -> Result<Vec<K>, StateError> {
        let keys = if self.ttl {
            keys_of_group::<K, N, Ttl<Reducing<T>>>(self.id, state, group, namespace)?
        } else {
            keys_of_group::<K, N, Reducing<T>>(self.id, state, group, namespace)?
        };
        keys.ok_or_else(|| self.not_found())
    }
}
