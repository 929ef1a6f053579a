use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Entry, KeyTable};

#[derive(Clone, Debug)]
enum Op {
    Put(u16, u32),
    Remove(u16),
    Clear,
    /// A snapshot begins, if there is none, or goes on by so many entries.
    Freeze,
    Drain(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        20 => (0_u16..60, any::<u32>()).prop_map(|(key, value)| Op::Put(key, value)),
        10 => (0_u16..60).prop_map(Op::Remove),
        1 => Just(Op::Clear),
        3 => Just(Op::Freeze),
        6 => (1_usize..8).prop_map(Op::Drain),
    ]
}

/// Few hashes, so that keys collide.
fn hash(key: u16) -> u64 {
    u64::from(key % 7) << 33 | u64::from(key % 5)
}

/// What a snapshot holds so far, and what it should in the end.
#[derive(Default)]
struct Snapshot {
    given: BTreeMap<u16, u32>,
    expected: BTreeMap<u16, u32>,
}

impl Snapshot {
    fn give(&mut self, entry: Option<&Entry<u16, u32>>) -> bool {
        let is_there = entry.is_some();
        if let Some(entry) = entry {
            assert_eq!(self.given.insert(entry.key, entry.value), None, "{} was given twice", entry.key);
        }
        is_there
    }

    fn finish(&mut self, table: &mut KeyTable<u16, u32>) {
        while self.give(table.take_owed()) {}
        assert_eq!(self.given, self.expected);
        assert!(!table.is_frozen());
    }
}

proptest! {
    #[test]
    fn a_key_table_does_what_a_map_does(ops in prop::collection::vec(op(), 0..200)) {
        let (mut table, mut model) = (KeyTable::default(), BTreeMap::new());
        let mut snapshot = Snapshot::default();
        for op in ops {
            match op {
                Op::Put(key, value) => {
                    match table.find(hash(key), &key) {
                        Some(at) => {
                            snapshot.give(table.owed_at(at));
                            table.entries_mut()[at].value = value;
                        }
                        None => { table.insert(hash(key), key, value); }
                    }
                    model.insert(key, value);
                }
                Op::Remove(key) => {
                    let removed = table.find(hash(key), &key).map(|at| {
                        snapshot.give(table.owed_at(at));
                        snapshot.give(table.owed_at(table.entries().len() - 1));
                        table.swap_remove(at).value
                    });
                    prop_assert_eq!(removed, model.remove(&key));
                }
                Op::Clear => {
                    snapshot.finish(&mut table);
                    table.clear();
                    model.clear();
                }
                Op::Freeze if !table.is_frozen() => {
                    snapshot.finish(&mut table);
                    table.freeze();
                    snapshot = Snapshot { given: BTreeMap::new(), expected: model.clone() };
                }
                Op::Freeze => {}
                Op::Drain(entries) => {
                    for _ in 0..entries {
                        snapshot.give(table.take_owed());
                    }
                }
            }
            prop_assert_eq!(table.entries().len(), model.len());
            for key in 0..60 {
                prop_assert_eq!(table.get(hash(key), &key), model.get(&key));
            }
        }
        snapshot.finish(&mut table);
    }
}

#[test]
fn a_table_made_for_far_more_keys_is_oversized_and_one_that_is_used_or_small_is_not() {
    let filled = |table: &mut KeyTable<u64, ()>, keys: u64| {
        table.clear();
        (0..keys).for_each(|key| {
            table.insert(key << 32 | key, key, ());
        });
        table.is_oversized()
    };
    let mut large = KeyTable::default();
    assert!(!filled(&mut large, 10_000));
    assert!(!filled(&mut large, 1_000));
    assert!(filled(&mut large, 100));
    assert!(filled(&mut large, 0));
    let mut small = KeyTable::default();
    assert!(!filled(&mut small, 500));
    assert!(!filled(&mut small, 0));
}
