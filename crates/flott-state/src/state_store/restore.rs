//! How a state comes back from plain data.

use std::{any::type_name, collections::BTreeMap};

use flott_core::{
    Data, Key,
    encoding::{DecodeError, decode_prefix},
    hash::key_hash,
    key_group::key_place,
    time::Timestamp,
};

use serde::de::DeserializeOwned;

use super::{Entries, Kind, StateStore};
use crate::{
    disk::split_group,
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{GroupEntries, KeyedStateMeta, KeyedStateSnapshot},
    state_type::{Reading, StateType},
    table::Epoch,
};

/// How entries of a snapshot were written, and when they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    /// Whether each value, element or map entry comes with the time of its last access.
    pub(crate) ttl: bool,
    /// Processing time now.
    pub(crate) now: Timestamp,
    reading: Reading<'a>,
}

impl Written<'_> {
    /// How a state reads what it has written itself, with times or without.
    pub(crate) const fn by_itself(ttl: bool) -> Self {
        Self { ttl, now: 0, reading: Reading::SAME }
    }

    /// Reads what was written of the state, times included, with what `T` has in place of the types then.
    pub(crate) fn read<T: DeserializeOwned>(self, bytes: &mut &[u8]) -> Result<T, DecodeError> {
        self.reading.prefix(bytes)
    }
}

/// What is written of a state with one value.
pub(crate) fn value_type<V: Data>(ttl: bool) -> StateType {
    if ttl { StateType::named::<(Timestamp, V)>(type_name::<V>()) } else { StateType::of::<V>() }
}

/// Reads one value and drops the time that may come with it.
pub(crate) fn read_unstamped<V: Data>(bytes: &mut &[u8], written: Written<'_>) -> Result<V, DecodeError> {
    if written.ttl {
        written.read(bytes).map(|(_, value): (Timestamp, V)| value)
    } else {
        written.read(bytes)
    }
}

impl<K: Key, N: Namespace, D: Kind> StateStore<K, N, D> {
    /// The types of key, namespace and value, as they are written with or without times.
    pub(crate) fn types(ttl: bool) -> [StateType; 3] {
        [StateType::of::<K>(), StateType::of::<N>(), D::value_type(ttl)]
    }

    /// Brings what the column of the state holds since the store was opened from files, where it was written as `meta` says, into the form in which
    /// it is written now.
    pub(crate) fn take_over(&mut self, meta: &KeyedStateMeta, now: Timestamp) -> Result<(), StateError> {
        let Entries::Disk(entries) = &self.entries else { return Ok(()) };
        // Another kind is refused where its part is restored.
        if !entries.has_stored || meta.kind != D::KIND {
            return Ok(());
        }
        let types = Self::types(meta.ttl);
        let [namespaces, values] = meta.read_as(&types)?;
        if !namespaces.is_same() {
            let [written, asked] = [&meta.types, &types].map(|types| types[1].to_string());
            let (name, backend) = (meta.name.clone(), entries.store.backend());
            return Err(StateErrorKind::FilesNotMigrated { name, backend, written, asked }.into());
        }
        if values.is_same() && meta.ttl == D::TTL {
            return Ok(());
        }
        let written = Written { ttl: meta.ttl, now, reading: values };
        let mut scan = entries.store.scan(entries.column, &[])?;
        while let Some((key, mut value)) = scan.next()? {
            let mut read = || {
                let mut rest = split_group(key).map_or(key, |(_, rest)| rest);
                let (key, namespace) = (decode_prefix::<K>(&mut rest)?, decode_prefix::<N>(&mut rest)?);
                Ok((key, namespace, self.kind.decode(&mut value, written)?))
            };
            let failed = |reason: String| StateErrorKind::CannotReadBack { name: meta.name.clone(), reason };
            let (key, namespace, stored) = read().map_err(|error: DecodeError| failed(error.to_string()))?;
            let hash = key_hash(&key).map_err(|error| failed(error.to_string()))?;
            self.put_restored(hash, &key, &namespace, Some(stored))?;
        }
        Ok(())
    }

    /// Adds what one part of a snapshot holds. `handle` is what the state is registered as.
    pub(crate) fn restore(
        &mut self,
        part: &KeyedStateSnapshot,
        handle: &str,
        now: Timestamp,
        epoch: Epoch,
    ) -> Result<(), StateError> {
        if part.meta.kind != D::KIND {
            let (name, asked) = (part.meta.name.clone(), handle.to_owned());
            return Err(StateErrorKind::KindDiffers { name, written: part.meta.kind, asked }.into());
        }
        let ttl = part.meta.ttl;
        let max_parallelism = self.entries.max_parallelism();
        let types = Self::types(ttl);
        let reading = (&part.meta, &types, max_parallelism);
        let failed = |error: StateError| error.to_string();
        if let Some(removed) = &part.removed {
            read_groups::<K, N, _>(reading, removed, |key, hash, namespace, _, _| {
                self.restore_entry((hash, &key, &namespace), None, epoch).map(|_| ()).map_err(failed)
            })?;
        }
        for (group, entries) in &part.groups {
            // No entry is smaller than a byte, but for those that would be there twice.
            self.entries.reserve(*group, entries.bytes.len().min(entries.count as usize));
        }
        read_groups::<K, N, _>(reading, &part.groups, |key, hash, namespace, bytes, values| {
            let written = Written { ttl, now, reading: values };
            let stored = self.kind.decode(bytes, written).map_err(|error| error.to_string())?;
            match self.restore_entry((hash, &key, &namespace), Some(stored), epoch) {
                Ok(Some(_)) if part.removed.is_none() => Err("a key is in it twice".to_owned()),
                Ok(_) => Ok(()),
                Err(error) => Err(failed(error)),
            }
        })
    }

    /// Sets an entry, or removes it if there is nothing `stored`. Returns what it was; on disk nobody looks.
    fn restore_entry(
        &mut self,
        (hash, key, namespace): (u64, &K, &N),
        stored: Option<D::Stored>,
        epoch: Epoch,
    ) -> Result<Option<D::Stored>, StateError> {
        match (&mut self.entries, stored) {
            (Entries::Disk(_), stored) => self.put_restored(hash, key, namespace, stored).map(|()| None),
            (Entries::Heap(entries), Some(stored)) => entries.insert(hash, key, namespace, epoch, stored),
            (Entries::Heap(entries), None) => entries.remove(hash, key, namespace, epoch),
        }
    }
}

/// Reads the key groups of a snapshot, after the types have been compared: `entry` gets key, hash and namespace of each
/// entry, and how values are read; it takes the rest of the entry from the bytes, or says why it can't. The types are those that the
/// entries are read as.
pub(crate) fn read_groups<K: Key, N: Namespace, F>(
    (meta, types, max_parallelism): (&KeyedStateMeta, &[StateType; 3], u32),
    groups: &BTreeMap<u32, GroupEntries>,
    mut entry: F,
) -> Result<(), StateError>
where
    F: FnMut(K, u64, N, &mut &[u8], Reading<'_>) -> Result<(), String>,
{
    let [namespace_reading, value_reading] = meta.read_as(types)?;
    for (&group, entries) in groups {
        let mut bytes = entries.bytes.as_slice();
        let mut read = || -> Result<(), String> {
            for _ in 0..entries.count {
                let key: K = decode_prefix(&mut bytes).map_err(|error| error.to_string())?;
                let namespace: N = namespace_reading.prefix(&mut bytes).map_err(|error| error.to_string())?;
                let hash = key_hash(&key).map_err(|error| error.to_string())?;
                let owner = key_place(hash, max_parallelism).group;
                if owner != group {
                    return Err(format!("one of its keys belongs to key group {owner}"));
                }
                entry(key, hash, namespace, &mut bytes, value_reading)?;
            }
            if bytes.is_empty() {
                return Ok(());
            }
            Err(format!("{} bytes are left over", bytes.len()))
        };
        if let Err(reason) = read() {
            let name = meta.name.clone();
            let [written, asked] =
                [&meta.types, types].map(|types| types.each_ref().map(StateType::to_string));
            return Err(StateErrorKind::CannotRestore { name, group, written, asked, reason }.into());
        }
    }
    Ok(())
}
