//! Flink's vectors for operator state, key groups, and what must hold at any parallelism.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::redistribute;
use crate::StateType;
use crate::snapshot::RedistributionMode::{self, Broadcast, SplitDistribute, Union};
use crate::snapshot::{
    GroupEntries, KeyedStateMeta, KeyedStateSnapshot, OperatorSnapshot, OperatorStateSnapshot, StateKind,
};

const MAX_PARALLELISM: u32 = 128;

fn state(name: &str, mode: RedistributionMode, elements: &[&str]) -> OperatorStateSnapshot {
    let elements = elements.iter().map(|element| element.as_bytes().to_vec()).collect();
    OperatorStateSnapshot { name: name.to_owned(), mode, element_type: StateType::of::<String>(), elements }
}

fn subtask(operator: Vec<OperatorStateSnapshot>) -> OperatorSnapshot {
    OperatorSnapshot { keyed: Vec::new(), operator, ..OperatorSnapshot::default() }
}

/// Two subtasks with five elements each.
fn old(mode: RedistributionMode) -> Vec<OperatorSnapshot> {
    let a = state("s", mode, &["a0", "a1", "a2", "a3", "a4"]);
    let b = state("s", mode, &["b0", "b1", "b2", "b3", "b4"]);
    vec![subtask(vec![a]), subtask(vec![b])]
}

/// What each new subtask gets of a state, separated by spaces.
fn spread(old: &[OperatorSnapshot], new_parallelism: u32, name: &str) -> Vec<String> {
    let text = |element: &Vec<u8>| String::from_utf8(element.clone()).unwrap();
    let of = |subtask: OperatorSnapshot| {
        let states: Vec<_> = subtask.operator.iter().filter(|state| state.name == name).collect();
        let [state] = states.as_slice() else { panic!("one state of the name, not {states:?}") };
        state.elements.iter().map(text).collect::<Vec<_>>().join(" ")
    };
    redistribute(old, new_parallelism, MAX_PARALLELISM).into_iter().map(of).collect()
}

#[test]
fn v8_4_s40_an_even_split_gives_contiguous_runs() {
    let old = old(SplitDistribute);
    assert_eq!(spread(&old, 1, "s"), ["a0 a1 a2 a3 a4 b0 b1 b2 b3 b4"]);
    assert_eq!(spread(&old, 3, "s"), ["a0 a1 a2 a3", "a4 b0 b1", "b2 b3 b4"]);
    assert_eq!(spread(&old, 4, "s"), ["a0 a1 a2", "a3 a4 b0", "b1 b2", "b3 b4"]);
}

#[test]
fn v8_4_s41_at_the_same_parallelism_even_split_lists_stay_where_they_are() {
    assert_eq!(spread(&old(SplitDistribute), 2, "s"), ["a0 a1 a2 a3 a4", "b0 b1 b2 b3 b4"]);
    let uneven = [
        subtask(vec![state("s", SplitDistribute, &[])]),
        subtask(vec![state("s", SplitDistribute, &["x", "y"])]),
    ];
    assert_eq!(spread(&uneven, 2, "s"), ["", "x y"]);
}

#[test]
fn s42_a_subtask_may_get_an_empty_list() {
    let old = [subtask(vec![state("s", SplitDistribute, &["x"])])];
    assert_eq!(spread(&old, 3, "s"), ["x", "", ""]);
}

#[test]
fn v8_4_s43_of_a_union_list_every_subtask_gets_everything() {
    let all = "a0 a1 a2 a3 a4 b0 b1 b2 b3 b4";
    for parallelism in 1..=4 {
        assert_eq!(
            spread(&old(Union), parallelism, "s"),
            vec![all; parallelism as usize],
            "also when it stays 2"
        );
    }
}

#[test]
fn v8_4_s45_of_a_broadcast_state_the_copies_are_dealt_in_turn() {
    let (a, b) = ("a0 a1 a2 a3 a4", "b0 b1 b2 b3 b4");
    assert_eq!(spread(&old(Broadcast), 1, "s"), [a]);
    assert_eq!(spread(&old(Broadcast), 2, "s"), [a, b]);
    assert_eq!(spread(&old(Broadcast), 3, "s"), [a, b, a]);
    assert_eq!(spread(&old(Broadcast), 5, "s"), [a, b, a, b, a]);
}

#[test]
fn v8_4_the_next_state_begins_where_the_surplus_of_the_last_ended() {
    let second = state("s2", SplitDistribute, &["10", "11", "12", "13"]);
    let first = state("s1", SplitDistribute, &["0", "1", "2", "3"]);
    // Flink leaves the order of the names open; here it is theirs.
    let old = [subtask(vec![second, first])];
    assert_eq!(spread(&old, 3, "s1"), ["0 1", "2", "3"]);
    assert_eq!(spread(&old, 3, "s2"), ["13", "10 11", "12"]);
}

#[test]
fn names_and_kinds_survive_where_there_are_no_elements() {
    let new = redistribute(&old(SplitDistribute), 11, MAX_PARALLELISM);
    assert_eq!(new[10].operator, [state("s", SplitDistribute, &[])]);
}

#[test]
fn of_no_old_state_there_is_no_new_state() {
    assert_eq!(redistribute(&[], 3, MAX_PARALLELISM), vec![OperatorSnapshot::default(); 3]);
    assert_eq!(
        redistribute(&[subtask(Vec::new())], 2, MAX_PARALLELISM),
        vec![OperatorSnapshot::default(); 2]
    );
}

fn keyed(name: &str, groups: impl IntoIterator<Item = u32>) -> KeyedStateSnapshot {
    let entries = |group: u32| GroupEntries { count: 1, bytes: group.to_le_bytes().to_vec() };
    KeyedStateSnapshot {
        meta: KeyedStateMeta {
            name: name.to_owned(),
            kind: StateKind::Value,
            ttl: false,
            types: StateType::of_each::<u64, (), i64>(),
        },
        groups: groups.into_iter().map(|group| (group, entries(group))).collect(),
        removed: None,
    }
}

#[test]
fn v8_1_keyed_state_goes_with_the_ranges_of_key_groups() {
    let old = [0..64, 64..128].map(|groups| OperatorSnapshot {
        keyed: vec![keyed("count", groups.clone()), keyed("seen", groups.filter(|group| group % 64 == 0))],
        operator: Vec::new(),
        ..OperatorSnapshot::default()
    });
    let new = redistribute(&old, 3, 128);
    let expected = [
        vec![keyed("count", 0..=42), keyed("seen", [0])],
        vec![keyed("count", 43..=85), keyed("seen", [64])],
        vec![keyed("count", 86..=127), keyed("seen", [])],
    ];
    for (subtask, expected) in new.iter().zip(expected) {
        assert_eq!(subtask.keyed, expected);
    }
    assert_eq!(redistribute(&new, 2, 128), old, "and back");
}

#[test]
fn parts_of_one_name_that_differ_in_type_stay_apart() {
    let mut other = keyed("count", [64]);
    other.meta.types = StateType::of_each::<u64, (), String>();
    let old = [keyed("count", [0]), other.clone()].map(|part| OperatorSnapshot {
        keyed: vec![part],
        operator: Vec::new(),
        ..OperatorSnapshot::default()
    });
    assert_eq!(redistribute(&old, 1, 128)[0].keyed, [keyed("count", [0]), other]);
}

/// A few states of each mode in up to seven subtasks; all elements differ, but for the copies of a broadcast state.
fn snapshots() -> impl Strategy<Value = Vec<OperatorSnapshot>> {
    let counts = prop::collection::vec(0_usize..9, 4);
    prop::collection::vec(counts, 1..8).prop_map(|subtasks| {
        let subtask = |(index, counts): (usize, &Vec<usize>)| {
            let of = |name: &str, mode, count: usize| {
                let elements: Vec<_> =
                    (0..count).map(|element| format!("{name}/{index}/{element}")).collect();
                state(name, mode, &elements.iter().map(String::as_str).collect::<Vec<_>>())
            };
            subtask(vec![
                of("split a", SplitDistribute, counts[0]),
                of("split b", SplitDistribute, counts[1]),
                of("union", Union, counts[2]),
                state("broadcast", Broadcast, &["k=v"]),
            ])
        };
        subtasks.iter().enumerate().map(subtask).collect()
    })
}

fn elements(snapshots: &[OperatorSnapshot], name: &str) -> Vec<Vec<Vec<u8>>> {
    let states =
        snapshots.iter().flat_map(|subtask| subtask.operator.iter().filter(|state| state.name == name));
    states.map(|state| state.elements.clone()).collect()
}

proptest! {
    #[test]
    fn nothing_is_lost_or_doubled_and_the_load_is_even(old in snapshots(), parallelism in 1_u32..12) {
        let new = redistribute(&old, parallelism, MAX_PARALLELISM);
        prop_assert_eq!(new.len(), parallelism as usize);
        for name in ["split a", "split b"] {
            let (before, after) = (elements(&old, name), elements(&new, name));
            prop_assert_eq!(after.len(), new.len());
            let sorted = |lists: &[Vec<Vec<u8>>]| {
                let mut all = lists.concat();
                all.sort();
                all
            };
            prop_assert_eq!(sorted(&before), sorted(&after));
            let lengths = after.iter().map(Vec::len);
            let is_even = lengths.clone().max().unwrap_or(0) - lengths.min().unwrap_or(0) <= 1;
            prop_assert!(is_even || old.len() == new.len());
        }
        for list in elements(&new, "union") {
            prop_assert_eq!(list, elements(&old, "union").concat());
        }
        for copy in elements(&new, "broadcast") {
            prop_assert_eq!(copy, vec![b"k=v".to_vec()]);
        }
    }

    #[test]
    fn every_key_group_has_one_owner(
        groups in prop::collection::btree_set(0_u32..128, 0..128), before in 1_u32..9, after in 1_u32..9,
    ) {
        let all = OperatorSnapshot { keyed: vec![keyed("s", groups.iter().copied())], operator: Vec::new(), ..OperatorSnapshot::default() };
        let old = redistribute(std::slice::from_ref(&all), before, MAX_PARALLELISM);
        let new = redistribute(&old, after, MAX_PARALLELISM);
        let owned: Vec<BTreeMap<u32, GroupEntries>> =
            new.iter().map(|subtask| subtask.keyed[0].groups.clone()).collect();
        prop_assert_eq!(owned.iter().map(BTreeMap::len).sum::<usize>(), groups.len());
        prop_assert_eq!(redistribute(&new, 1, MAX_PARALLELISM), vec![all]);
    }
}
