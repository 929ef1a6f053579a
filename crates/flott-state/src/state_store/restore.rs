//! How a state comes back from plain data.

use std::{any::type_name, collections::BTreeMap};

use flott_core::{
    Data, Key,
    encoding::{DecodeError, decode_prefix},
    hash::key_hash,
    key_group::key_place,
    time::Timestamp,
};

use super::{Kind, StateStore};
use crate::{
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{GroupEntries, KeyedStateMeta, KeyedStateSnapshot},
    table::Epoch,
};

/// How entries of a snapshot were written, and when they are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// Whether each value, element or map entry comes with the time of its last access.
    pub(crate) ttl: bool,
    /// Processing time now.
    pub(crate) now: Timestamp,
}

/// Reads one value and drops the time that may come with it.
pub(crate) fn read_unstamped<V: Data>(bytes: &mut &[u8], written: Written) -> Result<V, DecodeError> {
    if written.ttl {
        decode_prefix(bytes).map(|(_, value): (Timestamp, V)| value)
    } else {
        decode_prefix(bytes)
    }
}

impl<K: Key, N: Namespace, D: Kind> StateStore<K, N, D> {
    /// The types of key, namespace and value.
    pub(crate) fn types() -> [String; 3] {
        [type_name::<K>().to_owned(), type_name::<N>().to_owned(), D::value_type()]
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
        let written = Written { ttl: part.meta.ttl, now };
        let max_parallelism = self.entries.max_parallelism();
        let failed = |error: StateError| error.to_string();
        if let Some(removed) = &part.removed {
            let reading = (&part.meta, Self::types(), max_parallelism);
            read_groups::<K, N, _>(reading, removed, |key, hash, namespace, _| {
                self.entries.remove(hash, &key, &namespace, epoch).map(|_| ()).map_err(failed)
            })?;
        }
        for (group, entries) in &part.groups {
            // No entry is smaller than a byte, but for those that would be there twice.
            self.entries.reserve(*group, entries.bytes.len().min(entries.count as usize));
        }
        let reading = (&part.meta, Self::types(), max_parallelism);
        read_groups::<K, N, _>(reading, &part.groups, |key, hash, namespace, bytes| {
            let stored = self.kind.decode(bytes, written).map_err(|error| error.to_string())?;
            match self.entries.insert(hash, &key, &namespace, epoch, stored) {
                Ok(Some(_)) if part.removed.is_none() => Err("a key is in it twice".to_owned()),
                Ok(_) => Ok(()),
                Err(error) => Err(failed(error)),
            }
        })
    }
}

/// Reads the key groups of a snapshot: `entry` gets key, hash and namespace of each entry and takes the rest of it from
/// the bytes, or says why it can't. The types are those that the entries are read as.
pub(crate) fn read_groups<K: Key, N: Namespace, F>(
    (meta, types, max_parallelism): (&KeyedStateMeta, [String; 3], u32),
    groups: &BTreeMap<u32, GroupEntries>,
    mut entry: F,
) -> Result<(), StateError>
where
    F: FnMut(K, u64, N, &mut &[u8]) -> Result<(), String>,
{
    for (&group, entries) in groups {
        let mut bytes = entries.bytes.as_slice();
        let mut read = || -> Result<(), String> {
            for _ in 0..entries.count {
                let key: K = decode_prefix(&mut bytes).map_err(|error| error.to_string())?;
                let namespace: N = decode_prefix(&mut bytes).map_err(|error| error.to_string())?;
                let hash = key_hash(&key).map_err(|error| error.to_string())?;
                let owner = key_place(hash, max_parallelism).group;
                if owner != group {
                    return Err(format!("one of its keys belongs to key group {owner}"));
                }
                entry(key, hash, namespace, &mut bytes)?;
            }
            if bytes.is_empty() {
                return Ok(());
            }
            Err(format!("{} bytes are left over", bytes.len()))
        };
        if let Err(reason) = read() {
            let (name, written) = (meta.name.clone(), meta.types.clone());
            return Err(StateErrorKind::CannotRestore { name, group, written, asked: types, reason }.into());
        }
    }
    Ok(())
}
