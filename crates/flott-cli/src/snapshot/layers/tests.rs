use flott_core::encoding::to_vec;
use flott_state::{StateKind, StateType};

use super::*;

fn meta(name: &str) -> KeyedStateMeta {
    let types = StateType::of_each::<String, (), i64>();
    KeyedStateMeta { name: name.to_owned(), kind: StateKind::Value, ttl: false, types }
}

fn entries<T: serde::Serialize>(of: &[T]) -> GroupEntries {
    let bytes = of.iter().flat_map(|one| to_vec(one).unwrap()).collect();
    GroupEntries { count: of.len() as u64, bytes }
}

fn part(name: &str, changed: &[(&str, i64)], removed: Option<&[&str]>) -> KeyedStateSnapshot {
    let one = |entries: GroupEntries| match entries.count {
        0 => BTreeMap::new(),
        _ => BTreeMap::from([(7, entries)]),
    };
    KeyedStateSnapshot {
        meta: meta(name),
        groups: one(entries(changed)),
        removed: removed.map(|removed| one(entries(removed))),
    }
}

#[test]
fn changes_lie_on_top_of_what_they_change() {
    let layers = vec![
        part("a", &[("x", 1), ("y", 2), ("z", 3)], None),
        part("b", &[("x", 1)], None),
        part("a", &[("y", 20)], Some(&["x", "y", "never there"])),
        part("a", &[("w", 4)], Some(&[])),
        part("b", &[], Some(&["x"])),
    ];
    let flat = flattened(layers).unwrap();
    assert_eq!(flat, [part("a", &[("w", 4), ("y", 20), ("z", 3)], None), part("b", &[], None)]);
}

/// Asks the input what it is, so that nothing can be learned from how it is read.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(untagged)]
enum Odd {
    Number(u8),
    Text(String),
}

#[test]
fn a_state_that_can_not_be_read_stays_in_layers() {
    let mut layers = vec![part("a", &[("x", 1)], None), part("a", &[("x", 2)], Some(&[]))];
    for layer in &mut layers {
        layer.meta.types[0] = StateType::of::<Odd>();
        assert!(!is_known(&layer.meta.types), "a type that can't be traced");
    }
    assert_eq!(flattened(layers.clone()).unwrap(), layers);
}
