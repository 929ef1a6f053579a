//! The layers of an incremental checkpoint as one.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use flott_state::{GroupEntries, KeyedStateMeta, KeyedStateSnapshot};

use super::entries::{each_address, each_entry, is_known};

#[cfg(test)]
mod tests;

/// Puts the changes of each state onto what they change. A state of whose types nothing is known stays in layers.
pub(super) fn flattened(layered: Vec<KeyedStateSnapshot>) -> Result<Vec<KeyedStateSnapshot>> {
    let mut flat: Vec<KeyedStateSnapshot> = Vec::new();
    for part in layered {
        let is_layer = part.removed.is_some() && is_known(&part.meta.types);
        match flat.iter_mut().find(|below| is_layer && below.meta == part.meta) {
            Some(below) => lay(below, part)?,
            None => flat.push(part),
        }
    }
    Ok(flat)
}

fn lay(below: &mut KeyedStateSnapshot, above: KeyedStateSnapshot) -> Result<()> {
    let KeyedStateSnapshot { meta, groups, removed } = above;
    let removed = removed.unwrap_or_default();
    let touched: BTreeSet<u32> = removed.keys().chain(groups.keys()).copied().collect();
    for group in touched {
        let mut contents = Contents::new();
        insert(&mut contents, &meta, below.groups.remove(&group).as_ref())?;
        if let Some(lost) = removed.get(&group) {
            each_address(&meta, lost, |address| drop(contents.remove(address)))?;
        }
        insert(&mut contents, &meta, groups.get(&group))?;
        if !contents.is_empty() {
            let bytes: Vec<_> = contents.iter().flat_map(|(address, value)| [address, value]).collect();
            let bytes = bytes.into_iter().flatten().copied().collect();
            below.groups.insert(group, GroupEntries { count: contents.len() as u64, bytes });
        }
    }
    Ok(())
}

/// The bytes of values by those of key and namespace.
type Contents = BTreeMap<Vec<u8>, Vec<u8>>;

fn insert(into: &mut Contents, meta: &KeyedStateMeta, entries: Option<&GroupEntries>) -> Result<()> {
    let Some(entries) = entries else { return Ok(()) };
    each_entry(meta, entries, |entry| {
        into.insert(entry.address.to_vec(), entry.content.to_vec());
        Ok(())
    })
}
