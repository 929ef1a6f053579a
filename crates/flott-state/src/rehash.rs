//! Keyed state in other key groups: max parallelism has changed since the snapshot.
//!
//! A key group is a range of hashes, so a new one takes its keys from the old ones that its range meets; keys are hashed anew
//! from their bytes and schema, without their type. This works for every kind of keyed state, timers and the contents of
//! windows, for all are stored as key, namespace and value.

use std::collections::BTreeMap;

use flott_core::hash::encoded_key_hash;
use flott_core::key_group::{KeyGroupRange, key_place};
use flott_core::schema::decode_prefix;

use crate::error::{StateError, StateErrorKind};
use crate::snapshot::{GroupEntries, KeyedStateMeta, KeyedStateSnapshot, OperatorSnapshot};

#[cfg(test)]
mod tests;

/// The key groups of a snapshot with `from` of them that may hold keys of `own`, of which there are `to` now.
pub fn groups_before(own: KeyGroupRange, to: u32, from: u32) -> KeyGroupRange {
    let (start, end, to, from) = (u64::from(own.start), u64::from(own.end), u64::from(to), u64::from(from));
    KeyGroupRange { start: (start * from / to) as u32, end: (end * from).div_ceil(to) as u32 }
}

/// What the subtask that owns the key groups `own` of `to` gets of the keyed states of `old` subtasks, whose snapshots have
/// `from` key groups.
///
/// # Errors
/// When a state has a type that can't be traced, holds changes only, or is damaged.
pub fn rehash(
    old: &[OperatorSnapshot],
    from: u32,
    own: KeyGroupRange,
    to: u32,
) -> Result<Vec<KeyedStateSnapshot>, StateError> {
    let mut states: Vec<KeyedStateSnapshot> = Vec::new();
    for part in old.iter().flat_map(|subtask| &subtask.keyed) {
        check(part)?;
        let known = states.iter().position(|state| state.meta == part.meta);
        let at = known.unwrap_or(states.len());
        if known.is_none() {
            let (meta, groups) = (part.meta.clone(), BTreeMap::new());
            states.push(KeyedStateSnapshot { meta, groups, removed: None });
        }
        for (group, entries) in &part.groups {
            let take = |group, entry: &[u8]| {
                if own.contains(group) {
                    let into: &mut GroupEntries = states[at].groups.entry(group).or_default();
                    into.count += 1;
                    into.bytes.extend_from_slice(entry);
                }
            };
            each_entry(&part.meta, (*group, from), entries, to, take)
                .map_err(|reason| cannot(&part.meta, reason))?;
        }
    }
    Ok(states)
}

fn check(part: &KeyedStateSnapshot) -> Result<(), StateError> {
    if part.removed.is_some() {
        return Err(cannot(&part.meta, "the snapshot holds only what has changed of it".to_owned()));
    }
    let opaque = |of: &crate::StateType| {
        Some(format!("its type {of} can't be traced, as {}", of.schema.opaque_because()?))
    };
    match part.meta.types.iter().find_map(opaque) {
        Some(reason) => Err(cannot(&part.meta, reason)),
        None => Ok(()),
    }
}

fn cannot(meta: &KeyedStateMeta, reason: String) -> StateError {
    StateErrorKind::CannotRehash { name: meta.name.clone(), reason }.into()
}

/// Hands on every entry of a key group with its new group.
fn each_entry(
    meta: &KeyedStateMeta,
    (group, from): (u32, u32),
    entries: &GroupEntries,
    to: u32,
    mut take: impl FnMut(u32, &[u8]),
) -> Result<(), String> {
    let [key, namespace, value] = meta.types.each_ref().map(|of| &of.schema);
    let mut rest = entries.bytes.as_slice();
    let mut next = || {
        let start = rest;
        let hash = encoded_key_hash(&mut rest, key)?;
        decode_prefix(&mut rest, namespace)?;
        decode_prefix(&mut rest, value)?;
        Ok((hash, &start[..start.len() - rest.len()]))
    };
    for _ in 0..entries.count {
        let (hash, entry) = next().map_err(|error: flott_core::encoding::DecodeError| error.to_string())?;
        // A key whose Serialize and Deserialize say different things would be lost unnoticed.
        let was = key_place(hash, from).group;
        if was != group {
            return Err(format!(
                "one of its keys in key group {group} belongs to key group {was} by its schema"
            ));
        }
        take(key_place(hash, to).group, entry);
    }
    if rest.is_empty() {
        Ok(())
    } else {
        Err(format!("{} bytes are left over in key group {group}", rest.len()))
    }
}
