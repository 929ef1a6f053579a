use std::collections::HashMap;

use flott_core::encoding::{decode_prefix, encode};
use proptest::prelude::*;

use super::*;
use crate::{namespace::mix_word, table::SweepBudget};

type Pairs = Table<u64, i64, i64>;

fn write_entry(key: &u64, namespace: &i64, value: &i64, into: &mut Vec<u8>) -> Result<bool, EncodeError> {
    encode(&(key, namespace, value), into).map(|()| true)
}

fn epoch(number: u32) -> Epoch {
    Epoch::new(number).unwrap()
}

/// The entries of a piece, added to those of the pieces before it; none may come twice.
fn add(piece: Option<GroupEntries>, to: &mut HashMap<(u64, i64), i64>) {
    let Some(piece) = piece else { return };
    let mut bytes = piece.bytes.as_slice();
    for _ in 0..piece.count {
        let (key, namespace, value) = decode_prefix(&mut bytes).unwrap();
        assert_eq!(to.insert((key, namespace), value), None, "{key} is written twice");
    }
    assert!(bytes.is_empty());
}

fn take(table: &mut Pairs) -> Result<Option<GroupEntries>, EncodeError> {
    let piece = table.written(0)?.cloned();
    table.forget_written();
    Ok(piece)
}

/// Writes a few strides; whether nothing is owed any more.
fn step(table: &mut Pairs, now: Epoch, slots: usize, to: &mut HashMap<(u64, i64), i64>) -> bool {
    let (mut bytes, budget) = (Vec::new(), &mut SnapshotBudget::new(slots, usize::MAX));
    let Owed { count, is_done } = table.write_owed(now, &write_entry, 1 << 20, budget, &mut bytes).unwrap();
    add(Some(GroupEntries { count, bytes }), to);
    add(take(table).unwrap(), to);
    if is_done {
        table.thaw();
    }
    is_done
}

#[test]
fn a_table_that_does_not_change_is_written_once_as_it_is() {
    for keys in [0, 1, 63, 64, 1000, 40_000] {
        let mut table = Pairs::default();
        for key in 0..keys {
            table.insert(mix_word(key, 7), &key, &0, epoch(1), key as i64);
        }
        table.freeze(Epoch::MIN, Arc::new(write_entry));
        let mut written = HashMap::new();
        while !step(&mut table, epoch(2), 1000, &mut written) {}
        assert_eq!(written.len(), keys as usize);
        assert!(written.iter().all(|((key, _), value)| *key as i64 == *value));
        assert_eq!(table.len(), keys as usize);
    }
}

#[test]
fn a_budget_ends_a_step_after_as_many_slots() {
    let mut table = Pairs::default();
    (0..10_000).for_each(|key| assert_eq!(table.insert(mix_word(key, 7), &key, &0, epoch(1), 0), None));
    table.freeze(Epoch::MIN, Arc::new(write_entry));
    let (mut written, mut steps) = (HashMap::new(), 1);
    while !step(&mut table, epoch(2), 10 * STRIDE, &mut written) {
        steps += 1;
    }
    assert!(steps >= table.capacity() / (10 * STRIDE), "{steps}");
    assert_eq!(written.len(), 10_000);
}

#[test]
fn what_cannot_be_encoded_fails_the_snapshot_and_not_the_write() {
    let refuse = |_: &u64, _: &i64, value: &i64, into: &mut Vec<u8>| {
        into.push(1);
        if *value == 7 { Err(flott_core::encoding::to_vec(&Refused).unwrap_err()) } else { Ok(true) }
    };
    let mut table = Pairs::default();
    (0..10).for_each(|key| assert_eq!(table.insert(mix_word(key, 7), &key, &0, epoch(1), key as i64), None));
    table.freeze(Epoch::MIN, Arc::new(refuse));
    assert_eq!(table.remove(mix_word(7, 7), &7, &0, epoch(2)), Some(7));
    *table.get_mut(mix_word(8, 7), &8, &0, epoch(2)).unwrap() = 9;
    assert!(take(&mut table).unwrap_err().to_string().contains("refused"));
    table.thaw();
    assert_eq!(table.get(mix_word(8, 7), &8, &0), Some(&9));
}

struct Refused;

impl serde::Serialize for Refused {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("refused"))
    }
}

#[derive(Clone, Debug)]
enum Op {
    Insert(u64, i64),
    Add(u64, i64),
    Change(u64, i64),
    Remove(u64),
    Sweep(usize),
    Fill(u64),
    /// Freezes what was written in the last so many epochs.
    Freeze(u32),
    Step(usize),
    GiveUp,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let key = 0..500u64;
    let op = prop_oneof![
        4 => (key.clone(), any::<i64>()).prop_map(|(k, v)| Op::Insert(k, v)),
        4 => (key.clone(), -9..9i64).prop_map(|(k, v)| Op::Add(k, v)),
        4 => (key.clone(), any::<i64>()).prop_map(|(k, v)| Op::Change(k, v)),
        4 => key.clone().prop_map(Op::Remove),
        1 => (0..100usize).prop_map(Op::Sweep),
        1 => key.prop_map(Op::Fill),
        1 => prop_oneof![Just(u32::MAX), 0..3u32].prop_map(Op::Freeze),
        3 => (1..200usize).prop_map(Op::Step),
    ];
    prop::collection::vec(prop_oneof![300 => op, 1 => Just(Op::GiveUp)], 0..800)
}

proptest! {
    #[test]
    fn what_is_written_is_what_was_owed_when_the_table_was_frozen(
        ops in ops(),
        // From all keys at a few places, where probes are long and wrap around, to all keys apart.
        places in prop_oneof![Just(1u64), Just(3), Just(100_000)],
        base in prop_oneof![Just(0u64), Just(u64::MAX - 5), any::<u64>()],
    ) {
        let place = |key: u64| {
            base.wrapping_add((mix_word(key, 3) % places).wrapping_mul(u64::MAX / places)).wrapping_add(key)
        };
        let (mut table, mut model) = (Pairs::default(), HashMap::new());
        let (mut now, mut at, mut snapshot) = (epoch(1), 0, None);
        for op in ops {
            match op {
                Op::Insert(k, v) => {
                    prop_assert_eq!(table.insert(place(k), &k, &0, now, v), model.insert((k, 0), v));
                }
                Op::Add(k, v) => {
                    *table.get_or_insert_with(place(k), &k, &0, now, || 5) ^= v;
                    *model.entry((k, 0)).or_insert(5) ^= v;
                }
                Op::Change(k, v) => {
                    let (value, expected) = (table.get_mut(place(k), &k, &0, now), model.get_mut(&(k, 0)));
                    prop_assert_eq!(value.is_some(), expected.is_some());
                    if let (Some(value), Some(expected)) = (value, expected) {
                        (*value, *expected) = (v, v);
                    }
                }
                Op::Remove(k) => {
                    prop_assert_eq!(table.remove(place(k), &k, &0, now), model.remove(&(k, 0)));
                }
                Op::Sweep(entries) => {
                    // Odd values are due; of these, every second one goes.
                    let mut budget = SweepBudget { entries, steps: 10 * entries };
                    table.sweep(&mut at, &mut budget, now, &|v| v % 2 != 0, &|v| {
                        *v &= !1;
                        *v % 4 == 0
                    }, &mut |k, n| assert!(model.remove(&(*k, *n)).is_some()));
                    at = if at < table.capacity() { at } else { 0 };
                    let left: HashMap<_, _> = table.iter().map(|(k, n, v, _)| ((*k, *n), *v)).collect();
                    prop_assert_eq!(left.len(), model.len());
                    model = left;
                }
                Op::Fill(from) => for k in from..from + 200 {
                    table.insert(place(k), &k, &0, now, 0);
                    model.insert((k, 0), 0);
                }
                Op::Freeze(back) if snapshot.is_none() => {
                    let since = epoch(now.get().saturating_sub(back).max(1));
                    now = now.checked_add(1).unwrap();
                    table.freeze(since, Arc::new(write_entry));
                    let owed = table.iter().filter(|entry| entry.3 >= since).map(|(k, n, v, _)| ((*k, *n), *v));
                    snapshot = Some((owed.collect::<HashMap<_, _>>(), HashMap::new()));
                }
                Op::Step(slots) => if let Some((expected, mut written)) = snapshot.take() {
                    if step(&mut table, now, slots, &mut written) {
                        prop_assert_eq!(written, expected);
                    } else {
                        snapshot = Some((expected, written));
                    }
                }
                Op::GiveUp => {
                    table.thaw();
                    snapshot = None;
                }
                Op::Freeze(_) => {}
            }
        }
        if let Some((expected, mut written)) = snapshot {
            while !step(&mut table, now, 1, &mut written) {}
            prop_assert_eq!(written, expected);
        }
        let held: HashMap<_, _> = table.iter().map(|(k, n, v, _)| ((*k, *n), *v)).collect();
        prop_assert_eq!(held, model);
    }
}

#[test]
fn large_values_do_not_come_many_at_a_time() {
    const LARGE: usize = 100_000;
    let encode = |key: &u64, _: &i64, _: &i64, into: &mut Vec<u8>| {
        into.resize(into.len() + LARGE, *key as u8);
        Ok(true)
    };
    let mut table = Pairs::default();
    (0..1_000).for_each(|key| assert_eq!(table.insert(mix_word(key, 7), &key, &0, epoch(1), 0), None));
    table.freeze(Epoch::MIN, Arc::new(encode));
    let (mut most, mut written, mut is_done) = (0, 0, false);
    while !is_done {
        let budget = &mut SnapshotBudget::new(usize::MAX, 1);
        let owed = table.write_owed(epoch(2), &encode, 1, budget, &mut Vec::new()).unwrap();
        is_done = owed.is_done;
        written += owed.count;
        most = owed.count.max(most);
    }
    assert_eq!(written, 1_000);
    assert!(most < 8, "{most} at a time");
}
