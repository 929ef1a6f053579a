use flott_core::encoding::to_vec;
use flott_core::hash::key_hash;
use proptest::prelude::*;
use serde::{Deserialize, Deserializer, Serialize};

use super::*;
use crate::snapshot::StateKind;
use crate::{StateType, redistribute};

fn meta<V: flott_core::Data>(name: &str, kind: StateKind) -> KeyedStateMeta {
    KeyedStateMeta { name: name.to_owned(), kind, ttl: false, types: StateType::of_each::<String, u8, V>() }
}

/// A state of these keys, each with the length of its name, as one subtask would store it.
fn state(name: &str, keys: &[String], groups: u32) -> KeyedStateSnapshot {
    let mut state = KeyedStateSnapshot {
        meta: meta::<Vec<u64>>(name, StateKind::List),
        groups: BTreeMap::new(),
        removed: None,
    };
    for key in keys {
        let group = key_place(key_hash(key).unwrap(), groups).group;
        let into = state.groups.entry(group).or_default();
        into.count += 1;
        into.bytes.extend(to_vec(&(key, 7u8, vec![key.len() as u64])).unwrap());
    }
    state
}

fn range(subtask: u32, parallelism: u32, groups: u32) -> KeyGroupRange {
    KeyGroupRange::of_subtask(subtask, parallelism, groups)
}

proptest! {
    /// Whatever the parallelism and max parallelism before and after: what the subtasks get together is what a run with the new
    /// max parallelism would have stored.
    #[test]
    fn the_state_is_that_of_a_run_with_the_new_max_parallelism(
        keys in prop::collection::btree_set("[a-z]{0,4}", 0..60),
        (from, to) in (1..300u32, 1..300u32),
        (before, after) in (1..8u32, 1..8u32),
    ) {
        let keys: Vec<String> = keys.into_iter().collect();
        let whole = OperatorSnapshot { keyed: vec![state("s", &keys, from)], operator: Vec::new(), ..OperatorSnapshot::default() };
        let old = redistribute(&[whole], before.min(from), from);
        let mut got = BTreeMap::new();
        let after = after.min(to);
        for subtask in 0..after {
            let own = range(subtask, after, to);
            // Only the key groups that may matter are read.
            let needed = groups_before(own, to, from);
            let mut read = old.clone();
            for state in read.iter_mut().flat_map(|subtask| &mut subtask.keyed) {
                state.groups.retain(|group, _| needed.contains(*group));
            }
            for state in rehash(&read, from, own, to).unwrap() {
                got.extend(state.groups);
            }
        }
        let sorted = |groups: BTreeMap<u32, GroupEntries>| -> BTreeMap<u32, (u64, Vec<u8>)> {
            // The order within a group is not told.
            groups.into_iter().map(|(group, GroupEntries { count, mut bytes })| {
                bytes.sort_unstable();
                (group, (count, bytes))
            }).collect()
        };
        prop_assert_eq!(sorted(got), sorted(state("s", &keys, to).groups));
    }
}

#[test]
fn states_of_one_subtask_stay_apart() {
    let keys = ["a".to_owned(), "b".to_owned()];
    let old = OperatorSnapshot {
        keyed: vec![state("s", &keys, 16), state("t", &keys, 16)],
        operator: Vec::new(),
        ..OperatorSnapshot::default()
    };
    let new = rehash(&[old.clone(), old], 16, range(0, 1, 32), 32).unwrap();
    let counts = new
        .iter()
        .map(|state| (state.meta.name.as_str(), state.groups.values().map(|group| group.count).sum()));
    assert_eq!(counts.collect::<Vec<(_, u64)>>(), [("s", 4), ("t", 4)]);
}

/// A type that asks the input what comes next can't be traced.
#[derive(Clone, Serialize)]
struct Untraceable;

impl<'de> Deserialize<'de> for Untraceable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde::de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

fn refusal(state: KeyedStateSnapshot) -> String {
    let old = OperatorSnapshot { keyed: vec![state], operator: Vec::new(), ..OperatorSnapshot::default() };
    rehash(&[old], 16, range(0, 1, 32), 32).unwrap_err().to_string()
}

#[test]
fn what_can_not_be_hashed_anew_is_refused_with_what_to_do() {
    let opaque =
        KeyedStateSnapshot { meta: meta::<Untraceable>("s", StateKind::Value), ..state("s", &[], 16) };
    let error = refusal(opaque);
    assert!(
        error.starts_with("state 's' can't be restored with another max parallelism: its type"),
        "{error}"
    );
    assert!(error.ends_with("set max parallelism to what it was in the savepoint"), "{error}");
    let changes = KeyedStateSnapshot { removed: Some(BTreeMap::new()), ..state("s", &[], 16) };
    assert!(refusal(changes).contains("only what has changed"));
    let mut misplaced = state("s", &["a".to_owned()], 16);
    let (group, entries) = misplaced.groups.pop_first().unwrap();
    misplaced.groups.insert((group + 1) % 16, entries);
    assert!(refusal(misplaced).contains("by its schema"));
    let mut longer = state("s", &["a".to_owned()], 16);
    longer.groups.values_mut().for_each(|group| group.bytes.push(0));
    assert!(refusal(longer).contains("1 bytes are left over"));
}
