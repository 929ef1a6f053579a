//! The handle through which user code folds the values of a key into an accumulator.

use std::marker::PhantomData;

use flott_core::{
    Key,
    encoding::{DecodeError, encode},
    time::Timestamp,
};

use crate::{
    aggregate::AggregateFunction,
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
pub(crate) mod tests;

/// Names an aggregating state and the function that folds values of type `T` (Flink: `AggregatingStateDescriptor`).
#[derive(Clone, Debug)]
pub struct AggregatingStateDescriptor<T, A> {
    name: String,
    pub(crate) ttl: Option<StateTtlConfig>,
    function: A,
    of_value: PhantomData<fn(T)>,
}

impl<T, A: AggregateFunction<T>> AggregatingStateDescriptor<T, A> {
    /// A state called `name`, which is unique within the operator and identifies the state in snapshots.
    pub fn new(name: impl Into<String>, function: A) -> Self {
        Self { name: name.into(), ttl: None, function, of_value: PhantomData }
    }
}

state_descriptor!(AggregatingStateDescriptor<T, A>);

/// The kind of an aggregating state.
pub(crate) struct Aggregating<T, A> {
    pub(crate) function: A,
    of_value: PhantomData<fn(T)>,
}

impl<T: 'static, A: AggregateFunction<T>> Kind for Aggregating<T, A> {
    type Stored = A::Accumulator;

    const KIND: StateKind = StateKind::Aggregating;
    const TTL: bool = false;

    fn value_type(ttl: bool) -> StateType {
        value_type::<A::Accumulator>(ttl)
    }

    fn encoder(&self, _now: Timestamp) -> impl Encode<A::Accumulator> {
        |stored: &A::Accumulator, into: &mut Vec<u8>| encode(stored, into).map(|()| true)
    }

    fn decode(&self, bytes: &mut &[u8], written: Written<'_>) -> Result<A::Accumulator, DecodeError> {
        read_unstamped(bytes, written)
    }

    fn owned_bytes(&self, stored: &A::Accumulator) -> usize {
        owned_bytes(stored)
    }
}

impl<T: 'static, A: AggregateFunction<T>> Single for Aggregating<T, A> {}

impl<T: 'static, A: AggregateFunction<T>> Merge for Aggregating<T, A> {
    fn merge(&self, into: &mut A::Accumulator, from: A::Accumulator, _now: Timestamp) {
        self.function.merge(into, from);
    }
}

impl<T, A> From<AggregatingStateDescriptor<T, A>> for Aggregating<T, A> {
    fn from(descriptor: AggregatingStateDescriptor<T, A>) -> Self {
        Self { function: descriptor.function, of_value: PhantomData }
    }
}

/// An accumulator per key, into which values of type `T` are folded (Flink: `AggregatingState`).
///
/// Only the accumulator is stored, never the values. A handle is used like that of a
/// [`ValueState`](crate::ValueState), and fails like it.
pub struct AggregatingState<T, A> {
    id: u32,
    /// Whether the state has a time to live.
    ttl: bool,
    of_type: PhantomData<fn(T) -> A>,
}

state_handle!(AggregatingState<T, A>, ttl);

impl<T: 'static, A: AggregateFunction<T>> AggregatingState<T, A> {
    /// The result of the current key's values, if any was added.
    #[inline]
    pub fn get<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<Option<A::Output>, StateError> {
        if self.ttl {
            return self.expiring(context.current(), Self::get_expiring);
        }
        let at = self.select(context.current())?;
        let (accumulator, kind) = at.get_and_kind()?;
        Ok(accumulator.map(|accumulator| kind.function.get_result(accumulator)))
    }

    /// Adds a value to the current key's accumulator, which is created for the first.
    #[inline]
    pub fn add<C: HasKeyedState + ?Sized>(self, context: &mut C, value: T) -> Result<(), StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| Self::add_expiring(at, value));
        }
        let mut at = self.select(context.current())?;
        match at.get_mut_and_kind()? {
            (Some(accumulator), kind) => {
                kind.function.add(value, accumulator);
                Ok(())
            }
            (None, kind) => {
                let mut accumulator = kind.function.create_accumulator();
                kind.function.add(value, &mut accumulator);
                at.insert(accumulator)
            }
        }
    }

    /// Removes the current key's accumulator.
    #[inline]
    pub fn clear<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| at.take().map(|_| ()));
        }
        self.select(context.current())?.remove()?;
        Ok(())
    }

    /// Access to a state with time to live; out of the way of those without.
    #[cold]
    #[inline(never)]
    fn expiring<'a, K: Key, N: Namespace, R>(
        self,
        current: CurrentKey<'a, K, N>,
        access: impl FnOnce(Selected<'a, K, N, Ttl<Aggregating<T, A>>>) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        access(Selected::new(self.id, current)?.ok_or_else(|| self.not_found())?)
    }

    fn get_expiring<K: Key, N: Namespace>(
        at: Selected<'_, K, N, Ttl<Aggregating<T, A>>>,
    ) -> Result<Option<A::Output>, StateError> {
        let (accumulator, kind) = at.read()?;
        Ok(accumulator.map(|accumulator| kind.function.get_result(accumulator)))
    }

    fn add_expiring<K: Key, N: Namespace>(
        mut at: Selected<'_, K, N, Ttl<Aggregating<T, A>>>,
        value: T,
    ) -> Result<(), StateError> {
        let accumulator = match at.reborrow().for_writing()? {
            (Some(accumulator), kind) => {
                kind.function.add(value, accumulator);
                return Ok(());
            }
            (None, kind) => {
                let mut accumulator = kind.function.create_accumulator();
                kind.function.add(value, &mut accumulator);
                accumulator
            }
        };
        at.write(accumulator)
    }

    #[inline]
    fn select<K: Key, N: Namespace>(
        self,
        current: CurrentKey<'_, K, N>,
    ) -> Result<Selected<'_, K, N, Aggregating<T, A>>, StateError> {
        Selected::new(self.id, current)?.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, T: 'static, A: AggregateFunction<T>> MergingState<K, N>
    for AggregatingState<T, A>
{
    fn merge_namespaces(
        self,
        state: &mut KeyedState<K>,
        key: &K,
        hash: u64,
        target: &N,
        sources: &[N],
    ) -> Result<(), StateError> {
        let merged = if self.ttl {
            merge::<K, N, Ttl<Aggregating<T, A>>>(self.id, state, (key, hash), target, sources)?
        } else {
            merge::<K, N, Aggregating<T, A>>(self.id, state, (key, hash), target, sources)?
        };
        merged.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, T: 'static, A: AggregateFunction<T>> StateHandle<K, N> for AggregatingState<T, A> {
    fn keys_of_group(
        self,
        state: &mut KeyedState<K>,
        group: u32,
        namespace: &N,
    ) -> Result<Vec<K>, StateError> {
        let keys = if self.ttl {
            keys_of_group::<K, N, Ttl<Aggregating<T, A>>>(self.id, state, group, namespace)?
        } else {
            keys_of_group::<K, N, Aggregating<T, A>>(self.id, state, group, namespace)?
        };
        keys.ok_or_else(|| self.not_found())
    }
}
