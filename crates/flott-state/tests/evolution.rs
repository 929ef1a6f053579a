//! State written by one version of a program and restored by the next, of which a type has changed.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::{fmt::Debug, time::Duration};

use flott_core::{Data, Key, hash::key_hash, key_group::KeyGroupRange};
use flott_state::{
    BackendScope, CurrentKey, HashMapStateBackend, KeyedState, KeyedStateSnapshot, KeyedStateStore,
    ListStateDescriptor, MapStateDescriptor, OperatorState, OperatorStateStore, ReducingStateDescriptor,
    StateErrorKind, StateTtlConfig, ValueStateDescriptor,
};
use serde::{Deserialize, Serialize};

mod before {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub(super) struct Total {
        pub(super) count: u32,
        pub(super) dropped: Vec<String>,
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub(super) struct Id {
        pub(super) number: u32,
    }
}

mod after {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub(super) struct Total {
        #[serde(default)]
        pub(super) added: u8,
        pub(super) count: u64,
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub(super) struct Id {
        pub(super) number: u64,
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub(super) struct Renamed {
        pub(super) number: u32,
    }

    #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub(super) struct Retyped {
        pub(super) count: String,
    }
}

fn total(count: u32) -> before::Total {
    before::Total { count, dropped: vec!["x".to_owned(); 3] }
}

fn migrated(count: u64) -> after::Total {
    after::Total { added: 0, count }
}

fn state<K: Key>(restored: Vec<KeyedStateSnapshot>) -> KeyedState<K> {
    let key_groups = KeyGroupRange { start: 0, end: 8 };
    let scope = BackendScope { operator: "o".to_owned(), subtask: 0, key_groups, max_parallelism: 8 };
    KeyedState::new(&scope, &HashMapStateBackend, restored).unwrap()
}

fn at<'a, K: Key>(state: &'a mut KeyedState<K>, key: &'a K) -> CurrentKey<'a, K> {
    CurrentKey::new(state, key, key_hash(key).unwrap())
}

/// What `write` does at some keys, as a snapshot.
fn written<K: Key>(
    keys: impl IntoIterator<Item = K>,
    mut write: impl FnMut(&mut KeyedState<K>, &K),
) -> Vec<KeyedStateSnapshot> {
    let mut before = state(Vec::new());
    keys.into_iter().for_each(|key| write(&mut before, &key));
    before.snapshot().unwrap()
}

fn value<V: Data>(ttl: bool) -> ValueStateDescriptor<V> {
    let descriptor = ValueStateDescriptor::new("value");
    if ttl {
        descriptor.enable_time_to_live(StateTtlConfig::new(Duration::from_secs(60)))
    } else {
        descriptor
    }
}

#[test]
fn values_are_migrated_with_and_without_times_of_access() {
    for (ttl_before, ttl_after) in [(false, false), (true, true), (false, true), (true, false)] {
        let parts = written(0..100_u64, |state, key| {
            let handle = state.value_state(value(ttl_before)).unwrap();
            handle.update(&mut at(state, key), total(*key as u32)).unwrap();
        });
        let mut state = state(parts);
        let handle = state.value_state(value::<after::Total>(ttl_after)).unwrap();
        for key in 0..100_u64 {
            assert_eq!(handle.value(&mut at(&mut state, &key)).unwrap(), Some(migrated(key)));
        }
    }
}

#[test]
fn lists_are_migrated_with_and_without_times_of_access() {
    fn list<T: Data>(ttl: bool) -> ListStateDescriptor<T> {
        let descriptor = ListStateDescriptor::new("list");
        if ttl {
            descriptor.enable_time_to_live(StateTtlConfig::new(Duration::from_secs(60)))
        } else {
            descriptor
        }
    }
    for (ttl_before, ttl_after) in [(false, false), (true, true), (false, true), (true, false)] {
        let parts = written([7_u64], |state, key| {
            let handle = state.list_state(list(ttl_before)).unwrap();
            handle.add_all(&mut at(state, key), [total(1), total(2)]).unwrap();
        });
        let mut state = state(parts);
        let handle = state.list_state(list::<after::Total>(ttl_after)).unwrap();
        assert_eq!(handle.get(&mut at(&mut state, &7_u64)).unwrap(), [migrated(1), migrated(2)]);
    }
}

#[test]
fn keys_and_values_of_maps_are_migrated_with_and_without_times_of_access() {
    fn map<UK: Data + Eq + std::hash::Hash, UV: Data>(ttl: bool) -> MapStateDescriptor<UK, UV> {
        let descriptor = MapStateDescriptor::new("map");
        if ttl {
            descriptor.enable_time_to_live(StateTtlConfig::new(Duration::from_secs(60)))
        } else {
            descriptor
        }
    }
    for (ttl_before, ttl_after) in [(false, false), (true, true), (false, true), (true, false)] {
        let parts = written([7_u64], |state, key| {
            let handle = state.map_state(map(ttl_before)).unwrap();
            let entries = (0..5).map(|number| (before::Id { number }, total(number)));
            handle.put_all(&mut at(state, key), entries).unwrap();
        });
        let mut state = state(parts);
        let handle = state.map_state(map::<after::Id, after::Total>(ttl_after)).unwrap();
        for number in 0..5 {
            let read = handle.get(&mut at(&mut state, &7_u64), &after::Id { number }).unwrap().cloned();
            assert_eq!(read, Some(migrated(number)));
        }
    }
}

#[test]
fn reduced_values_are_migrated_and_reduced_on() {
    let parts = written([7_u64], |state, key| {
        let sum = ReducingStateDescriptor::new("sum", |a: &u32, b: u32| a + b);
        state.reducing_state(sum).unwrap().add(&mut at(state, key), u32::MAX).unwrap();
    });
    let mut state = state(parts);
    let sum = ReducingStateDescriptor::new("sum", |a: &u64, b: u64| a + b);
    let sum = state.reducing_state(sum).unwrap();
    let mut context = at(&mut state, &7_u64);
    sum.add(&mut context, 1).unwrap();
    assert_eq!(sum.get(&mut context).unwrap(), Some(&(1 << 32)));
}

#[test]
fn what_was_migrated_is_written_as_the_new_type() {
    let parts = written([7_u64], |state, key| {
        let handle = state.value_state(value(false)).unwrap();
        handle.update(&mut at(state, key), total(5)).unwrap();
    });
    let mut first = state::<u64>(parts);
    first.value_state(value::<after::Total>(false)).unwrap();
    let mut second = state(first.snapshot().unwrap());
    let handle = second.value_state(value::<after::Total>(false)).unwrap();
    assert_eq!(handle.value(&mut at(&mut second, &7_u64)).unwrap(), Some(migrated(5)));
}

#[test]
fn a_key_must_not_change_but_may_be_renamed() {
    let parts = written([before::Id { number: 7 }], |state, key| {
        let handle = state.value_state(value(false)).unwrap();
        handle.update(&mut at(state, key), total(5)).unwrap();
    });
    let mut renamed = state::<after::Renamed>(parts.clone());
    let handle = renamed.value_state(value::<before::Total>(false)).unwrap();
    let key = after::Renamed { number: 7 };
    assert_eq!(handle.value(&mut at(&mut renamed, &key)).unwrap(), Some(total(5)));

    let error = state::<after::Id>(parts).value_state(value::<before::Total>(false)).err().unwrap();
    assert_eq!(
        error.to_string(),
        "cannot restore state 'value', whose key was written by evolution::before::Id and is read by \
         evolution::after::Id: it was written as Id and is Id now, but the bytes of a key decide where it belongs, so \
         its type must not change; undo the change, or give the new state a name of its own"
    );
}

#[test]
fn a_type_that_cannot_follow_is_refused_before_anything_is_read() {
    let parts = written([7_u64], |state, key| {
        let handle = state.value_state(value(false)).unwrap();
        handle.update(&mut at(state, key), total(5)).unwrap();
    });
    let no_entries = parts.into_iter().map(|part| KeyedStateSnapshot { groups: Default::default(), ..part });
    let error = state::<u64>(no_entries.collect()).value_state(value::<after::Retyped>(false)).err().unwrap();
    let StateErrorKind::TypeDiffers { name, part, cause, .. } = error.kind() else { panic!("{error}") };
    assert_eq!((name.as_str(), *part), ("value", "value"));
    assert_eq!(cause.to_string(), "`count` was written as u32 and is str now");
}

#[test]
fn elements_of_operator_state_are_migrated() {
    let mut before = OperatorState::new(None);
    let list = before.list_state(ListStateDescriptor::new("list")).unwrap();
    list.add_all(&mut before, [total(1), total(2)]).unwrap();
    let rules = before.broadcast_state(MapStateDescriptor::new("rules")).unwrap();
    rules.put(&mut before, before::Id { number: 3 }, total(4)).unwrap();
    let restored = || OperatorState::new(Some(before.snapshot().unwrap()));

    let mut after = restored();
    let list = after.list_state(ListStateDescriptor::<after::Total>::new("list")).unwrap();
    assert_eq!(list.get(&after).unwrap(), [migrated(1), migrated(2)]);
    let rules = MapStateDescriptor::<after::Id, after::Total>::new("rules");
    let rules = after.broadcast_state(rules).unwrap();
    assert_eq!(rules.get(&after, &after::Id { number: 3 }).unwrap(), Some(&migrated(4)));

    let mut after = restored();
    let error = after.list_state(ListStateDescriptor::<after::Retyped>::new("list")).err().unwrap();
    assert!(error.to_string().contains("`count` was written as u32 and is str now"), "{error}");
}
