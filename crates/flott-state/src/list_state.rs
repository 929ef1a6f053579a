//! The handle through which user code reads and writes a list per key.

use std::{any::type_name, marker::PhantomData};

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
    state_store::{ALLOCATION_BYTES, Encode, Kind, Selected, Written, keys_of_group, owned_bytes_of_many},
    state_type::StateType,
    ttl::{StateTtlConfig, Ttl},
};

#[cfg(test)]
mod tests;

/// Names a list state and the type of its elements (Flink: `ListStateDescriptor`).
#[derive(Clone, Debug)]
pub struct ListStateDescriptor<T> {
    name: String,
    pub(crate) ttl: Option<StateTtlConfig>,
    of_element: PhantomData<fn() -> T>,
}

impl<T> ListStateDescriptor<T> {
    /// A state called `name`, which is unique within the operator and identifies the state in snapshots.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ttl: None, of_element: PhantomData }
    }
}

state_descriptor!(ListStateDescriptor<T>);

/// The kind of a list state. No empty list is stored.
pub(crate) struct Lists<T>(pub(crate) PhantomData<fn() -> T>);

impl<T: Data> Kind for Lists<T> {
    type Stored = Vec<T>;

    const KIND: StateKind = StateKind::List;
    const TTL: bool = false;

    fn value_type(ttl: bool) -> StateType {
        let name = type_name::<T>();
        if ttl { StateType::named::<Vec<(Timestamp, T)>>(name) } else { StateType::named::<Vec<T>>(name) }
    }

    fn encoder(&self, _now: Timestamp) -> impl Encode<Vec<T>> {
        |stored: &Vec<T>, into: &mut Vec<u8>| encode(stored, into).map(|()| true)
    }

    fn decode(&self, bytes: &mut &[u8], written: Written<'_>) -> Result<Vec<T>, DecodeError> {
        let unstamped =
            |elements: Vec<(Timestamp, T)>| elements.into_iter().map(|(_, element)| element).collect();
        if written.ttl { written.read(bytes).map(unstamped) } else { written.read(bytes) }
    }

    fn owned_bytes(&self, stored: &Vec<T>) -> usize {
        owned_bytes_of_list(stored)
    }
}

/// About how many bytes elements take on the heap.
pub(crate) fn owned_bytes_of_list<T: Data>(elements: &Vec<T>) -> usize {
    elements.capacity() * size_of::<T>() + ALLOCATION_BYTES + owned_bytes_of_many(elements.iter())
}

impl<T: Data> Merge for Lists<T> {
    fn merge(&self, into: &mut Vec<T>, mut from: Vec<T>, _now: Timestamp) {
        into.append(&mut from);
    }
}

/// A list per key (Flink: `ListState`). A key without elements has the empty list.
///
/// A handle is used like that of a [`ValueState`](crate::ValueState), and fails like it.
pub struct ListState<T> {
    id: u32,
    /// Whether the state has a time to live.
    ttl: bool,
    of_type: PhantomData<fn() -> T>,
}

state_handle!(ListState<T>, ttl);

impl<T: Data> ListState<T> {
    /// The current key's elements, in the order in which they were added.
    #[inline]
    pub fn get<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<&[T], StateError> {
        if self.ttl {
            return self.expiring(context.current(), Selected::elements);
        }
        let list = self.select(context.current())?.get()?;
        Ok(list.map_or(&[], Vec::as_slice))
    }

    /// Appends an element.
    #[inline]
    pub fn add<C: HasKeyedState + ?Sized>(self, context: &mut C, element: T) -> Result<(), StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| at.append([element]));
        }
        self.select(context.current())?.get_or_insert_with(Vec::new)?.push(element);
        Ok(())
    }

    /// Appends elements.
    pub fn add_all<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
        elements: impl IntoIterator<Item = T>,
    ) -> Result<(), StateError> {
        let mut elements = elements.into_iter().peekable();
        if elements.peek().is_none() {
            return Ok(());
        }
        if self.ttl {
            return self.expiring(context.current(), |at| at.append(elements));
        }
        self.select(context.current())?.get_or_insert_with(Vec::new)?.extend(elements);
        Ok(())
    }

    /// Replaces the list. An empty one clears the state.
    pub fn update<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
        elements: Vec<T>,
    ) -> Result<(), StateError> {
        if elements.is_empty() {
            return self.clear(context);
        }
        if self.ttl {
            return self.expiring(context.current(), |at| at.replace(elements));
        }
        self.select(context.current())?.insert(elements)
    }

    /// Removes the current key's elements.
    #[inline]
    pub fn clear<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        self.take(context)?;
        Ok(())
    }

    /// Takes the current key's elements out.
    #[inline]
    pub fn take<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Vec<T>, StateError> {
        if self.ttl {
            return self.expiring(context.current(), Selected::take_elements);
        }
        Ok(self.select(context.current())?.remove()?.unwrap_or_default())
    }

    /// Access to a state with time to live; out of the way of those without.
    #[cold]
    #[inline(never)]
    fn expiring<'a, K: Key, N: Namespace, R>(
        self,
        current: CurrentKey<'a, K, N>,
        access: impl FnOnce(Selected<'a, K, N, Ttl<Lists<T>>>) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        access(Selected::new(self.id, current)?.ok_or_else(|| self.not_found())?)
    }

    #[inline]
    fn select<K: Key, N: Namespace>(
        self,
        current: CurrentKey<'_, K, N>,
    ) -> Result<Selected<'_, K, N, Lists<T>>, StateError> {
        Selected::new(self.id, current)?.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, T: Data> MergingState<K, N> for ListState<T> {
    fn merge_namespaces(
        self,
        state: &mut KeyedState<K>,
        key: &K,
        hash: u64,
        target: &N,
        sources: &[N],
    ) -> Result<(), StateError> {
        let merged = if self.ttl {
            merge::<K, N, Ttl<Lists<T>>>(self.id, state, (key, hash), target, sources)?
        } else {
            merge::<K, N, Lists<T>>(self.id, state, (key, hash), target, sources)?
        };
        merged.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, T: Data> StateHandle<K, N> for ListState<T> {
    fn keys_of_group(
        self,
        state: &mut KeyedState<K>,
        group: u32,
        namespace: &N,
    ) -> Result<Vec<K>, StateError> {
        let keys = if self.ttl {
            keys_of_group::<K, N, Ttl<Lists<T>>>(self.id, state, group, namespace)?
        } else {
            keys_of_group::<K, N, Lists<T>>(self.id, state, group, namespace)?
        };
        keys.ok_or_else(|| self.not_found())
    }
}
