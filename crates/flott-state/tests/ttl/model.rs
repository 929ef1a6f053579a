//! State of random configurations under random use, compared with the plainest model of it.

use std::time::Duration;

use flott_state::{
    KeyedState, KeyedStateStore, ListStateDescriptor, MapStateDescriptor, ReducingStateDescriptor,
    StateTtlConfig, StateVisibility, UpdateType, ValueStateDescriptor,
};
use proptest::prelude::*;

use crate::support::{at, restored, snapshot};

const TTL_MS: i64 = 10;

#[derive(Clone, Copy, Debug)]
struct Rules {
    update_on_read: bool,
    return_expired: bool,
}

impl Rules {
    fn config(self) -> StateTtlConfig {
        let update =
            if self.update_on_read { UpdateType::OnReadAndWrite } else { UpdateType::OnCreateAndWrite };
        let visibility = if self.return_expired {
            StateVisibility::ReturnExpiredIfNotCleanedUp
        } else {
            StateVisibility::NeverReturnExpired
        };
        StateTtlConfig::new(Duration::from_millis(TTL_MS as u64))
            .update_type(update)
            .state_visibility(visibility)
            .disable_cleanup_in_background()
    }
}

#[derive(Clone, Debug)]
enum Op {
    Wait(i64),
    Restart,
    /// Writes or adds under key and entry.
    Write(u64, u8, i64),
    Read(u64, u8),
    /// Reads a list or all entries of a map.
    ReadAll(u64),
    Remove(u64, u8),
    Clear(u64),
    /// Reads and then writes in place.
    Change(u64, u8),
}

fn op() -> impl Strategy<Value = Op> {
    let (key, entry) = (0..3_u64, 0..4_u8);
    prop_oneof![
        3 => (1..8_i64).prop_map(Op::Wait),
        1 => Just(Op::Restart),
        6 => (key.clone(), entry.clone(), 0..100_i64).prop_map(|(key, entry, value)| Op::Write(key, entry, value)),
        4 => (key.clone(), entry.clone()).prop_map(|(key, entry)| Op::Read(key, entry)),
        2 => key.clone().prop_map(Op::ReadAll),
        1 => (key.clone(), entry.clone()).prop_map(|(key, entry)| Op::Remove(key, entry)),
        1 => key.clone().prop_map(Op::Clear),
        2 => (key, entry).prop_map(|(key, entry)| Op::Change(key, entry)),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    (any::<bool>(), any::<bool>())
        .prop_map(|(update_on_read, return_expired)| Rules { update_on_read, return_expired })
}

/// One thing that expires by itself.
#[derive(Clone, Copy, Debug)]
struct Item {
    key: u64,
    entry: u8,
    value: i64,
    stamp: i64,
}

/// Everything that is stored, in the order in which it was.
struct Model {
    rules: Rules,
    now: i64,
    items: Vec<Item>,
}

impl Model {
    fn expired(&self, item: &Item) -> bool {
        item.stamp + TTL_MS <= self.now
    }

    /// What a read of the items that `of` picks returns, and what it leaves.
    fn read(&mut self, of: impl Fn(&Item) -> bool) -> Vec<(u8, i64)> {
        let (now, rules) = (self.now, self.rules);
        let picked: Vec<Item> = self.items.iter().filter(|item| of(item)).copied().collect();
        let returned = picked.iter().filter(|item| rules.return_expired || !self.expired(item));
        let returned = returned.map(|item| (item.entry, item.value)).collect();
        self.items.retain(|item| !of(item) || item.stamp + TTL_MS > now);
        if rules.update_on_read {
            self.items.iter_mut().filter(|item| of(item)).for_each(|item| item.stamp = now);
        }
        returned
    }

    /// The item that is there for writing, marked as written.
    fn for_writing(&mut self, key: u64, entry: u8) -> Option<&mut Item> {
        let (now, hides) = (self.now, !self.rules.return_expired);
        let is = |item: &Item| item.key == key && item.entry == entry;
        self.items.retain(|item| !(is(item) && hides && item.stamp + TTL_MS <= now));
        let item = self.items.iter_mut().find(|item| is(item))?;
        item.stamp = now;
        Some(item)
    }

    fn append(&mut self, key: u64, entry: u8, value: i64) {
        self.items.push(Item { key, entry, value, stamp: self.now });
    }

    fn put(&mut self, key: u64, entry: u8, value: i64) {
        self.remove(key, entry);
        self.append(key, entry, value);
    }

    fn remove(&mut self, key: u64, entry: u8) {
        self.items.retain(|item| item.key != key || item.entry != entry);
    }

    fn clear(&mut self, key: u64) {
        self.items.retain(|item| item.key != key);
    }
}

/// Runs the operations on the states that `register` makes and on the model.
fn compare<H: Copy>(
    rules: Rules,
    ops: &[Op],
    register: impl Fn(&mut KeyedState<u64>) -> H,
    apply: impl Fn(&Op, H, &mut KeyedState<u64>, &mut Model) -> Result<(), TestCaseError>,
) -> Result<(), TestCaseError> {
    let mut model = Model { rules, now: 0, items: Vec::new() };
    let mut state = restored(Vec::new(), 0);
    let mut handle = register(&mut state);
    for op in ops {
        match op {
            Op::Wait(ms) => {
                model.now += ms;
                state.set_processing_time(model.now);
            }
            Op::Restart => {
                state = restored(snapshot(&mut state), model.now);
                handle = register(&mut state);
            }
            other => apply(other, handle, &mut state, &mut model)?,
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn map_state_does_what_the_model_does(rules in rules(), ops in prop::collection::vec(op(), 1..80)) {
        let descriptor = MapStateDescriptor::<u8, i64>::new("map").enable_time_to_live(rules.config());
        compare(rules, &ops, |state| state.map_state(descriptor.clone()).unwrap(), |op, map, state, model| {
            match *op {
                Op::Write(key, entry, value) => {
                    map.put(&mut at(state, &key), entry, value).unwrap();
                    model.put(key, entry, value);
                }
                Op::Read(key, entry) => {
                    let expected = model.read(|item| item.key == key && item.entry == entry);
                    let read = map.get(&mut at(state, &key), &entry).unwrap().copied();
                    prop_assert_eq!(read, expected.first().map(|(_, value)| *value));
                }
                Op::ReadAll(key) => {
                    let mut expected = model.read(|item| item.key == key);
                    let mut read: Vec<(u8, i64)> = map
                        .iter(&mut at(state, &key))
                        .unwrap()
                        .map(|(entry, value)| (*entry, *value))
                        .collect();
                    expected.sort_unstable();
                    read.sort_unstable();
                    prop_assert_eq!(read, expected);
                }
                Op::Remove(key, entry) => {
                    map.remove(&mut at(state, &key), &entry).unwrap();
                    model.remove(key, entry);
                }
                Op::Clear(key) => {
                    map.clear(&mut at(state, &key)).unwrap();
                    model.clear(key);
                }
                Op::Change(key, entry) => {
                    let changed = map.get_mut(&mut at(state, &key), &entry).unwrap().map(|value| {
                        *value += 1;
                        *value
                    });
                    let expected = model.for_writing(key, entry).map(|item| {
                        item.value += 1;
                        item.value
                    });
                    prop_assert_eq!(changed, expected);
                }
                Op::Wait(_) | Op::Restart => {}
            }
            let empty = map.is_empty(&mut at(state, &0)).unwrap();
            prop_assert_eq!(empty, model.items.iter().all(|item| item.key != 0));
            Ok(())
        })?;
    }

    #[test]
    fn list_state_does_what_the_model_does(rules in rules(), ops in prop::collection::vec(op(), 1..80)) {
        let descriptor = ListStateDescriptor::<i64>::new("list").enable_time_to_live(rules.config());
        compare(rules, &ops, |state| state.list_state(descriptor.clone()).unwrap(), |op, list, state, model| {
            match *op {
                Op::Write(key, _, value) => {
                    list.add(&mut at(state, &key), value).unwrap();
                    model.append(key, 0, value);
                }
                Op::Read(key, _) | Op::ReadAll(key) => {
                    let expected: Vec<i64> =
                        model.read(|item| item.key == key).into_iter().map(|(_, value)| value).collect();
                    prop_assert_eq!(list.get(&mut at(state, &key)).unwrap().to_vec(), expected);
                }
                Op::Clear(key) => {
                    list.clear(&mut at(state, &key)).unwrap();
                    model.clear(key);
                }
                Op::Change(key, _) | Op::Remove(key, _) => {
                    list.update(&mut at(state, &key), vec![1, 2]).unwrap();
                    model.clear(key);
                    model.append(key, 0, 1);
                    model.append(key, 0, 2);
                }
                Op::Wait(_) | Op::Restart => {}
            }
            Ok(())
        })?;
    }

    #[test]
    fn value_state_does_what_the_model_does(rules in rules(), ops in prop::collection::vec(op(), 1..80)) {
        let descriptor = ValueStateDescriptor::<i64>::new("value").enable_time_to_live(rules.config());
        compare(rules, &ops, |state| state.value_state(descriptor.clone()).unwrap(), |op, cell, state, model| {
            match *op {
                Op::Write(key, _, value) => {
                    cell.update(&mut at(state, &key), value).unwrap();
                    model.put(key, 0, value);
                }
                Op::Read(key, _) | Op::ReadAll(key) => {
                    let expected = model.read(|item| item.key == key);
                    let read = cell.value(&mut at(state, &key)).unwrap();
                    prop_assert_eq!(read, expected.first().map(|(_, value)| *value));
                }
                Op::Remove(key, _) | Op::Clear(key) => {
                    cell.clear(&mut at(state, &key)).unwrap();
                    model.clear(key);
                }
                Op::Change(key, _) => {
                    let changed = *cell.get_or_insert_with(&mut at(state, &key), || 7).unwrap();
                    if model.for_writing(key, 0).is_none() {
                        model.append(key, 0, 7);
                    }
                    let expected = model.for_writing(key, 0).map(|item| item.value);
                    prop_assert_eq!(Some(changed), expected);
                }
                Op::Wait(_) | Op::Restart => {}
            }
            Ok(())
        })?;
    }

    #[test]
    fn reducing_state_does_what_the_model_does(rules in rules(), ops in prop::collection::vec(op(), 1..80)) {
        let descriptor = ReducingStateDescriptor::new("sum", |a: &i64, b: i64| a + b).enable_time_to_live(rules.config());
        compare(rules, &ops, |state| state.reducing_state(descriptor.clone()).unwrap(), |op, sum, state, model| {
            match *op {
                Op::Write(key, _, value) => {
                    sum.add(&mut at(state, &key), value).unwrap();
                    match model.for_writing(key, 0) {
                        Some(item) => item.value += value,
                        None => model.append(key, 0, value),
                    }
                }
                Op::Remove(key, _) | Op::Clear(key) => {
                    sum.clear(&mut at(state, &key)).unwrap();
                    model.clear(key);
                }
                Op::Read(key, _) | Op::ReadAll(key) | Op::Change(key, _) => {
                    let expected = model.read(|item| item.key == key);
                    let read = sum.get(&mut at(state, &key)).unwrap().copied();
                    prop_assert_eq!(read, expected.first().map(|(_, value)| *value));
                }
                Op::Wait(_) | Op::Restart => {}
            }
            Ok(())
        })?;
    }
}
