//! The handle through which user code reads and writes a map per key.

use std::{
    any::type_name,
    borrow::{Borrow, Cow},
    hash::{BuildHasher, Hash},
    marker::PhantomData,
};

use flott_core::{
    Data, Key,
    encoding::{DecodeError, encode},
    time::Timestamp,
};
use foldhash::fast::{FixedState, FoldHasher};
use indexmap::IndexMap;
use serde::{Serialize, Serializer};

use crate::{
    error::StateError,
    handle::{state_descriptor, state_handle},
    keyed::{CurrentKey, HasKeyedState, KeyedState, StateHandle},
    namespace::Namespace,
    snapshot::StateKind,
    state_store::{Encode, Kind, Selected, Written, keys_of_group, owned_bytes_of_many},
    state_type::StateType,
    ttl::{MapEntries, StateTtlConfig, Ttl},
};

#[cfg(test)]
mod tests;

/// Names a map state and the types of its entries (Flink: `MapStateDescriptor`).
#[derive(Clone, Debug)]
pub struct MapStateDescriptor<UK, UV> {
    name: String,
    pub(crate) ttl: Option<StateTtlConfig>,
    of_entry: PhantomData<fn() -> (UK, UV)>,
}

impl<UK, UV> MapStateDescriptor<UK, UV> {
    /// A state called `name`, which is unique within the operator and identifies the state in snapshots.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ttl: None, of_entry: PhantomData }
    }
}

state_descriptor!(MapStateDescriptor<UK, UV>);

/// Hashes the keys of user maps, the same way in every process. Takes no room in the maps.
#[derive(Clone, Copy, Default)]
pub(crate) struct UserKeyHashing;

impl BuildHasher for UserKeyHashing {
    type Hasher = FoldHasher<'static>;

    #[inline(always)]
    fn build_hasher(&self) -> FoldHasher<'static> {
        FixedState::with_seed(0x666c_6f74_7421).build_hasher()
    }
}

/// The map of one key. Its order follows from what was put and removed, so it is the same in every run, and the
/// same after a snapshot was restored.
pub(crate) type UserMap<UK, UV> = IndexMap<UK, UV, UserKeyHashing>;

/// The kind of a map state. No empty map is stored.
pub(crate) struct Maps<UK, UV>(pub(crate) PhantomData<fn() -> (UK, UV)>);

impl<UK: Data + Eq + Hash, UV: Data> Kind for Maps<UK, UV> {
    type Stored = UserMap<UK, UV>;

    const KIND: StateKind = StateKind::Map;
    const TTL: bool = false;

    fn value_type(ttl: bool) -> StateType {
        let name = format!("({}, {})", type_name::<UK>(), type_name::<UV>());
        if ttl {
            StateType::named::<UserMap<UK, (Timestamp, UV)>>(name)
        } else {
            StateType::named::<UserMap<UK, UV>>(name)
        }
    }

    fn encoder(&self, _now: Timestamp) -> impl Encode<UserMap<UK, UV>> {
        |stored: &UserMap<UK, UV>, into: &mut Vec<u8>| encode(&AsMap(stored.iter()), into).map(|()| true)
    }

    fn decode(&self, bytes: &mut &[u8], written: Written<'_>) -> Result<UserMap<UK, UV>, DecodeError> {
        if written.ttl {
            let entries: UserMap<UK, (Timestamp, UV)> = written.read(bytes)?;
            return Ok(entries.into_iter().map(|(key, (_, value))| (key, value)).collect());
        }
        written.read(bytes)
    }

    fn owned_bytes(&self, stored: &UserMap<UK, UV>) -> usize {
        owned_bytes_of_map(stored, stored.values())
    }
}

/// About how many bytes a map takes on the heap, whose values are, or contain, these.
pub(crate) fn owned_bytes_of_map<'a, UK: Data, S, UV: Data>(
    map: &UserMap<UK, S>,
    values: impl ExactSizeIterator<Item = &'a UV>,
) -> usize {
    let entry = size_of::<(u64, UK, S)>() + INDEX_BYTES;
    map.capacity() * entry + owned_bytes_of_many(map.keys()) + owned_bytes_of_many(values)
}

/// What the hash table of a map takes for each entry.
const INDEX_BYTES: usize = 12;

/// Entries that are written as a map.
pub(crate) struct AsMap<I>(pub(crate) I);

impl<UK: Serialize, UV: Serialize, I: Iterator<Item = (UK, UV)> + Clone> Serialize for AsMap<I> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.clone())
    }
}

/// A map per key (Flink: `MapState`), read and written entry by entry. A key without entries has the empty map.
///
/// A handle is used like that of a [`ValueState`](crate::ValueState), and fails like it. An entry can be looked up
/// with a borrowed form of its key, such as `&str` for `String`, which must then be encoded like the key itself.
pub struct MapState<UK, UV> {
    id: u32,
    /// Whether the state has a time to live.
    ttl: bool,
    of_type: PhantomData<fn() -> (UK, UV)>,
}

state_handle!(MapState<UK, UV>, ttl);

impl<UK: Data + Eq + Hash, UV: Data> MapState<UK, UV> {
    /// The value of `user_key` in the current key's map.
    #[inline]
    pub fn get<'a, C, Q>(self, context: &'a mut C, user_key: &Q) -> Result<Option<&'a UV>, StateError>
    where
        C: HasKeyedState + ?Sized,
        UK: Borrow<Q>,
        Q: Eq + Hash + Serialize + ?Sized,
    {
        if self.ttl {
            return self.expiring(context.current(), |at| at.read_entry(user_key));
        }
        Ok(self.select(context.current())?.get()?.and_then(|map| map.get(user_key)))
    }

    /// The value of `user_key`, for changing it in place.
    #[inline]
    pub fn get_mut<'a, C, Q>(self, context: &'a mut C, user_key: &Q) -> Result<Option<&'a mut UV>, StateError>
    where
        C: HasKeyedState + ?Sized,
        UK: Borrow<Q>,
        Q: Eq + Hash + Serialize + ?Sized,
    {
        if self.ttl {
            return self.expiring(context.current(), |at| at.entry_for_writing(user_key));
        }
        Ok(self.select(context.current())?.get_mut()?.and_then(|map| map.get_mut(user_key)))
    }

    /// The value of `user_key`, for changing it in place; where there is none, it is first set to `default()`.
    #[inline]
    pub fn get_or_insert_with<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
        user_key: UK,
        default: impl FnOnce() -> UV,
    ) -> Result<&mut UV, StateError> {
        if self.ttl {
            return self
                .expiring(context.current(), |at| at.entry_for_writing_or_insert_with(user_key, default));
        }
        let map = self.select(context.current())?.get_or_insert_with(UserMap::default)?;
        Ok(map.entry(user_key).or_insert_with(default))
    }

    /// Whether the current key's map has an entry for `user_key`.
    #[inline]
    pub fn contains<C, Q>(self, context: &mut C, user_key: &Q) -> Result<bool, StateError>
    where
        C: HasKeyedState + ?Sized,
        UK: Borrow<Q>,
        Q: Eq + Hash + Serialize + ?Sized,
    {
        Ok(self.get(context, user_key)?.is_some())
    }

    /// Sets the value of `user_key`.
    #[inline]
    pub fn put<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
        user_key: UK,
        value: UV,
    ) -> Result<(), StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| at.put([(user_key, value)]));
        }
        self.select(context.current())?.get_or_insert_with(UserMap::default)?.insert(user_key, value);
        Ok(())
    }

    /// Sets the values of several keys.
    pub fn put_all<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
        entries: impl IntoIterator<Item = (UK, UV)>,
    ) -> Result<(), StateError> {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return Ok(());
        }
        if self.ttl {
            return self.expiring(context.current(), |at| at.put(entries));
        }
        self.select(context.current())?.get_or_insert_with(UserMap::default)?.extend(entries);
        Ok(())
    }

    /// Removes the entry of `user_key`.
    #[inline]
    pub fn remove<C, Q>(self, context: &mut C, user_key: &Q) -> Result<(), StateError>
    where
        C: HasKeyedState + ?Sized,
        UK: Borrow<Q>,
        Q: Eq + Hash + Serialize + ?Sized,
    {
        self.take(context, user_key)?;
        Ok(())
    }

    /// Takes the value of `user_key` out.
    #[inline]
    pub fn take<C, Q>(self, context: &mut C, user_key: &Q) -> Result<Option<UV>, StateError>
    where
        C: HasKeyedState + ?Sized,
        UK: Borrow<Q>,
        Q: Eq + Hash + Serialize + ?Sized,
    {
        if self.ttl {
            return self.expiring(context.current(), |at| at.take_entry(user_key));
        }
        let mut at = self.select(context.current())?;
        let (Some(map), _) = at.get_mut_and_kind()? else { return Ok(None) };
        let taken = map.swap_remove(user_key);
        if map.is_empty() {
            at.remove()?;
        }
        Ok(taken)
    }

    /// The current key's entries, in an order that depends on nothing but what was put and removed before.
    ///
    /// The hashmap backend lends them; one that keeps state on disk makes each when it is asked for.
    pub fn iter<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
    ) -> Result<impl Iterator<Item = (Cow<'_, UK>, Cow<'_, UV>)>, StateError> {
        if self.ttl {
            return self.expiring(context.current(), Selected::entries);
        }
        let map = self.select(context.current())?.get()?;
        Ok(map.map(|map| MapEntries::Plain(map.iter())).unwrap_or_default())
    }

    /// The keys of the current key's entries, in the order of [`iter`](Self::iter).
    pub fn keys<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
    ) -> Result<impl Iterator<Item = Cow<'_, UK>>, StateError> {
        Ok(self.iter(context)?.map(|(key, _)| key))
    }

    /// The values of the current key's entries, in the order of [`iter`](Self::iter).
    pub fn values<C: HasKeyedState + ?Sized>(
        self,
        context: &mut C,
    ) -> Result<impl Iterator<Item = Cow<'_, UV>>, StateError> {
        Ok(self.iter(context)?.map(|(_, value)| value))
    }

    /// Whether the current key has no entry. Entries that have expired but are still there count (as they do in Flink).
    #[inline]
    pub fn is_empty<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<bool, StateError> {
        if self.ttl {
            return self.expiring(context.current(), |at| Ok(at.get()?.is_none()));
        }
        Ok(self.select(context.current())?.get()?.is_none())
    }

    /// Removes all of the current key's entries.
    #[inline]
    pub fn clear<C: HasKeyedState + ?Sized>(self, context: &mut C) -> Result<(), StateError> {
        if self.ttl {
            return self.expiring(context.current(), |mut at| at.remove().map(|_| ()));
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
        access: impl FnOnce(Selected<'a, K, N, Ttl<Maps<UK, UV>>>) -> Result<R, StateError>,
    ) -> Result<R, StateError> {
        access(Selected::new(self.id, current)?.ok_or_else(|| self.not_found())?)
    }

    #[inline]
    fn select<K: Key, N: Namespace>(
        self,
        current: CurrentKey<'_, K, N>,
    ) -> Result<Selected<'_, K, N, Maps<UK, UV>>, StateError> {
        Selected::new(self.id, current)?.ok_or_else(|| self.not_found())
    }
}

impl<K: Key, N: Namespace, UK: Data + Eq + Hash, UV: Data> StateHandle<K, N> for MapState<UK, UV> {
    fn keys_of_group(
        self,
        state: &mut KeyedState<K>,
        group: u32,
        namespace: &N,
    ) -> Result<Vec<K>, StateError> {
        let keys = if self.ttl {
            keys_of_group::<K, N, Ttl<Maps<UK, UV>>>(self.id, state, group, namespace)?
        } else {
            keys_of_group::<K, N, Maps<UK, UV>>(self.id, state, group, namespace)?
        };
        keys.ok_or_else(|| self.not_found())
    }
}
