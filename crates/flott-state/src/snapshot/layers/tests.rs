use std::collections::BTreeMap;

use crate::snapshot::{GroupEntries, KeyedStateMeta, KeyedStateSnapshot, OperatorSnapshot, StateKind};

fn part(name: &str, count: u64, is_whole: bool) -> KeyedStateSnapshot {
    let types = crate::StateType::of_each::<u64, (), i64>();
    let meta = KeyedStateMeta { name: name.to_owned(), kind: StateKind::Value, ttl: false, types };
    let groups = BTreeMap::from([(0, GroupEntries { count, bytes: Vec::new() })]);
    KeyedStateSnapshot { meta, groups, removed: (!is_whole).then(BTreeMap::new) }
}

fn layer(keyed: impl IntoIterator<Item = KeyedStateSnapshot>) -> OperatorSnapshot {
    OperatorSnapshot {
        keyed: keyed.into_iter().collect(),
        operator: Vec::new(),
        ..OperatorSnapshot::default()
    }
}

fn parts(of: &OperatorSnapshot) -> Vec<(&str, u64)> {
    of.keyed.iter().map(|part| (part.meta.name.as_str(), part.groups[&0].count)).collect()
}

#[test]
fn changes_come_after_what_they_change() {
    let layers = [layer([part("a", 1, true)]), layer([part("a", 2, false)]), layer([part("a", 3, false)])];
    assert_eq!(parts(&OperatorSnapshot::layered(layers)), [("a", 1), ("a", 2), ("a", 3)]);
}

#[test]
fn a_whole_state_replaces_all_that_was_known_of_it() {
    let first = layer([part("a", 1, true), part("b", 2, true)]);
    let second = layer([part("a", 3, false), part("b", 4, false)]);
    let third = layer([part("a", 5, true), part("b", 6, false)]);
    let all = OperatorSnapshot::layered([first, second, third]);
    assert_eq!(parts(&all), [("b", 2), ("b", 4), ("a", 5), ("b", 6)]);
}

#[test]
fn a_state_in_parts_is_replaced_by_all_of_its_parts() {
    let restored = || layer([part("a", 1, true), part("a", 2, false)]);
    assert_eq!(parts(&OperatorSnapshot::layered([restored(), restored()])), [("a", 1), ("a", 2)]);
}

#[test]
fn a_state_that_is_no_longer_there_is_gone() {
    let all = OperatorSnapshot::layered([layer([part("a", 1, true), part("b", 1, true)]), layer([])]);
    assert!(all.is_empty());
    assert!(OperatorSnapshot::layered([]).is_empty());
}
