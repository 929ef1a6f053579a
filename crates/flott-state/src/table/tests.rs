use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::namespace::mix_word;

const FIRST: Epoch = Epoch::MIN;

fn epoch(number: u32) -> Epoch {
    Epoch::new(number).unwrap()
}

fn place(key: u64) -> u64 {
    mix_word(key, 7)
}

#[test]
fn a_slot_of_two_words_and_a_version_is_three_words() {
    assert_eq!(size_of::<Option<Slot<u64, (), i64>>>(), 24);
}

#[test]
fn a_table_descriptor_is_four_words() {
    assert_eq!(size_of::<Table<u64, (), i64>>(), 32);
}

#[test]
fn a_growing_table_among_128_stays_below_48_bytes_an_entry_at_any_fill() {
    let mut table = Table::<u64, (), i64>::default();
    let mut grown_from = 0;
    for key in 0..200_000 {
        let before = table.memory_bytes();
        table.insert(place(key), &key, &(), FIRST, 0);
        if table.memory_bytes() != before {
            grown_from = before;
        }
        // While one table grows its old array still exists, but the other 127 have only one each.
        let peak = table.memory_bytes() + grown_from / 128;
        if table.len() >= 10_000 {
            assert!(peak <= 48 * table.len(), "{} bytes at {} entries", peak, table.len());
        }
    }
}

#[test]
fn an_empty_table_finds_nothing_and_owns_nothing() {
    let mut table = Table::<u64, (), i64>::default();
    assert_eq!(table.get(0, &1, &()), None);
    assert_eq!(table.get_mut(0, &1, &(), FIRST), None);
    assert_eq!(table.remove(u64::MAX, &1, &(), FIRST), None);
    table.prefetch(u64::MAX);
    assert_eq!(table.memory_bytes(), 0);
}

#[test]
fn keys_that_all_have_the_same_place_are_told_apart() {
    for place in [0, 1 << 63, u64::MAX] {
        let mut table = Table::<String, (), usize>::default();
        let keys: Vec<String> = (0..200).map(|i| format!("key {i}")).collect();
        for (i, key) in keys.iter().enumerate() {
            assert_eq!(table.insert(place, key, &(), FIRST, i), None);
        }
        for (i, key) in keys.iter().enumerate().step_by(2) {
            assert_eq!(table.remove(place, key, &(), FIRST), Some(i));
        }
        for (i, key) in keys.iter().enumerate() {
            assert_eq!(table.get(place, key, &()).copied(), (i % 2 == 1).then_some(i));
        }
    }
}

#[test]
fn a_write_stamps_the_epoch_and_a_read_does_not() {
    let mut table = Table::<u64, (), i64>::default();
    let version = |table: &Table<u64, (), i64>| table.iter().next().unwrap().3;
    table.get_or_insert_with(place(1), &1, &(), epoch(1), || 0);
    table.get(place(1), &1, &());
    assert_eq!(version(&table), epoch(1));
    table.get_mut(place(1), &1, &(), epoch(2));
    assert_eq!(version(&table), epoch(2));
    table.get_or_insert_with(place(1), &1, &(), epoch(3), || 0);
    assert_eq!(version(&table), epoch(3));
    table.insert(place(1), &1, &(), epoch(4), 5);
    assert_eq!(version(&table), epoch(4));
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u64, i64, i64),
    Add(u64, i64, i64),
    Change(u64, i64, i64),
    Remove(u64, i64),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = 0..60u64;
    let namespace = 0..3i64;
    let op = prop_oneof![
        (key.clone(), namespace.clone(), any::<i64>()).prop_map(|(k, n, v)| Op::Insert(k, n, v)),
        (key.clone(), namespace.clone(), -9..9i64).prop_map(|(k, n, v)| Op::Add(k, n, v)),
        (key.clone(), namespace.clone(), any::<i64>()).prop_map(|(k, n, v)| Op::Change(k, n, v)),
        (key, namespace).prop_map(|(k, n)| Op::Remove(k, n)),
    ];
    prop::collection::vec(op, 0..600)
}

proptest! {
    #[test]
    fn a_table_behaves_like_a_map(
        ops in ops(),
        // From all keys at a few places, where probes are long and wrap around, to all keys apart.
        places in prop_oneof![Just(1u64), Just(3), Just(1000)],
        base in prop_oneof![Just(0u64), Just(u64::MAX - 5), any::<u64>()],
    ) {
        let place = |key: u64, namespace: i64| {
            base.wrapping_add((key % places).wrapping_mul(u64::MAX / places)).wrapping_add(namespace as u64)
        };
        let mut table = Table::<u64, i64, i64>::default();
        let mut model = HashMap::new();
        for op in ops {
            match op {
                Op::Insert(k, n, v) => {
                    prop_assert_eq!(table.insert(place(k, n), &k, &n, FIRST, v), model.insert((k, n), v));
                }
                Op::Add(k, n, v) => {
                    let value = table.get_or_insert_with(place(k, n), &k, &n, FIRST, || 100);
                    let expected = model.entry((k, n)).or_insert(100);
                    prop_assert_eq!(*value, *expected);
                    *value = value.wrapping_add(v);
                    *expected = expected.wrapping_add(v);
                }
                Op::Change(k, n, v) => {
                    let (value, expected) = (table.get_mut(place(k, n), &k, &n, FIRST), model.get_mut(&(k, n)));
                    prop_assert_eq!(value.is_some(), expected.is_some());
                    if let (Some(value), Some(expected)) = (value, expected) {
                        (*value, *expected) = (v, v);
                    }
                }
                Op::Remove(k, n) => {
                    prop_assert_eq!(table.remove(place(k, n), &k, &n, FIRST), model.remove(&(k, n)));
                }
            }
            prop_assert_eq!(table.len(), model.len());
        }
        for (&(k, n), v) in &model {
            prop_assert_eq!(table.get(place(k, n), &k, &n), Some(v));
        }
        let listed: HashMap<_, _> = table.iter().map(|(k, n, v, _)| ((*k, *n), *v)).collect();
        prop_assert_eq!(listed, model);
    }
}
