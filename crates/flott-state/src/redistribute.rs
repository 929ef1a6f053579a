//! Who gets which part of a snapshot when an operator is restored, at the same or another parallelism.

use std::collections::BTreeMap;

use flott_core::key_group::KeyGroupRange;

use crate::disk::StoreImage;
use crate::snapshot::{
    GroupEntries, KeyedStateSnapshot, OperatorSnapshot, OperatorStateSnapshot, RedistributionMode,
};

#[cfg(test)]
mod tests;

/// What each of `new_parallelism` subtasks of an operator gets of the state of the `old` ones, given in the order of
/// the subtasks (Flink: `StateAssignmentOperation`). `max_parallelism` is that with which the snapshot was taken.
///
/// * Keyed state goes with its key groups, of which each subtask owns a range.
/// * Even-split lists stay where they are if the parallelism does. Otherwise they are concatenated in the order of
///   the subtasks and cut into runs of equal length; the elements that are over go to one subtask each. The states
///   take turns in the order of their names, each beginning behind the last subtask that got one element more.
/// * Of a union list, every subtask gets the concatenation.
/// * Of a broadcast state, subtask `i` gets the copy of old subtask `i` modulo the old parallelism.
///
/// A state of which a subtask gets nothing is there all the same, empty: its kind is checked when it is registered.
pub fn redistribute(
    old: &[OperatorSnapshot],
    new_parallelism: u32,
    max_parallelism: u32,
) -> Vec<OperatorSnapshot> {
    let ranges = (0..new_parallelism)
        .map(|subtask| KeyGroupRange::of_subtask(subtask, new_parallelism, max_parallelism));
    let mut new: Vec<_> = ranges
        .map(|range| OperatorSnapshot {
            keyed: keyed_states(old, range),
            operator: Vec::new(),
            stores: stores(old, range),
        })
        .collect();
    let mut start = 0;
    for state in operator_states(old) {
        let spread = state.spread(old.len(), new.len(), &mut start);
        new.iter_mut()
            .zip(spread)
            .for_each(|(subtask, elements)| subtask.operator.push(state.with(elements)));
    }
    new
}

/// The parts of the keyed states that belong to a range of key groups. Parts that hold changes stay apart, in their order.
fn keyed_states(old: &[OperatorSnapshot], range: KeyGroupRange) -> Vec<KeyedStateSnapshot> {
    let own = |groups: &BTreeMap<u32, GroupEntries>| -> BTreeMap<u32, GroupEntries> {
        let own = groups.range(range.start..range.end.max(range.start));
        own.map(|(group, entries)| (*group, entries.clone())).collect()
    };
    let mut states: Vec<KeyedStateSnapshot> = Vec::new();
    for part in old.iter().flat_map(|subtask| &subtask.keyed) {
        let (groups, removed) = (own(&part.groups), part.removed.as_ref().map(own));
        let is_same = |state: &&mut KeyedStateSnapshot| state.meta == part.meta && state.removed.is_none();
        match states.iter_mut().find(is_same) {
            Some(state) if removed.is_none() => state.groups.extend(groups),
            _ => states.push(KeyedStateSnapshot { meta: part.meta.clone(), groups, removed }),
        }
    }
    states
}

/// The stores that hold something of a range of key groups.
fn stores(old: &[OperatorSnapshot], range: KeyGroupRange) -> Vec<StoreImage> {
    let all = old.iter().flat_map(|subtask| &subtask.stores);
    let is_met = |of: KeyGroupRange| of.start < range.end && range.start < of.end;
    all.filter(|store| is_met(store.files.key_groups)).cloned().collect()
}

/// The operator states in the order of their names.
fn operator_states(old: &[OperatorSnapshot]) -> impl Iterator<Item = OperatorStateParts<'_>> {
    let mut states: BTreeMap<_, OperatorStateParts<'_>> = BTreeMap::new();
    for (subtask, own) in old.iter().enumerate() {
        for part in &own.operator {
            let state = states.entry((part.name.as_str(), part.mode as u8));
            state
                .or_insert_with(|| OperatorStateParts { first: part, parts: Vec::new() })
                .parts
                .push((subtask, part));
        }
    }
    states.into_values()
}

/// One operator state: what each old subtask has of it.
struct OperatorStateParts<'a> {
    first: &'a OperatorStateSnapshot,
    /// With the subtask.
    parts: Vec<(usize, &'a OperatorStateSnapshot)>,
}

impl OperatorStateParts<'_> {
    /// The elements for each new subtask; `start` is the one that gets the first run of an even split.
    fn spread(&self, old: usize, new: usize, start: &mut usize) -> Vec<Vec<Vec<u8>>> {
        match self.first.mode {
            RedistributionMode::SplitDistribute if old == new => {
                let mut spread = vec![Vec::new(); new];
                for (subtask, part) in &self.parts {
                    spread[*subtask].extend_from_slice(&part.elements);
                }
                spread
            }
            RedistributionMode::SplitDistribute => self.split(new, start),
            RedistributionMode::Union => vec![self.elements().cloned().collect(); new],
            RedistributionMode::Broadcast => {
                let copies = self.parts.iter().cycle().take(new);
                copies.map(|(_, part)| part.elements.clone()).collect()
            }
        }
    }

    fn split(&self, new: usize, start: &mut usize) -> Vec<Vec<Vec<u8>>> {
        let total = self.elements().count();
        let (base, over) = (total / new, total % new);
        let mut elements = self.elements().cloned();
        let mut spread = vec![Vec::new(); new];
        for turn in 0..new {
            let length = base + usize::from(turn < over);
            spread[(*start + turn) % new].extend(elements.by_ref().take(length));
        }
        *start = (*start + over) % new;
        spread
    }

    fn elements(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.parts.iter().flat_map(|(_, part)| &part.elements)
    }

    /// The state with these elements.
    fn with(&self, elements: Vec<Vec<u8>>) -> OperatorStateSnapshot {
        let OperatorStateSnapshot { name, mode, element_type, .. } = self.first;
        OperatorStateSnapshot {
            name: name.clone(),
            mode: *mode,
            element_type: element_type.clone(),
            elements,
        }
    }
}
