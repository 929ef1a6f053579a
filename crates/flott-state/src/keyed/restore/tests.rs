use std::borrow::Cow;

use flott_core::{hash::key_hash, key_group::KeyGroupRange};

use super::*;
use crate::{
    AggregatingStateDescriptor, CurrentKey, HashMapStateBackend, KeyedStateMeta, KeyedStateStore,
    ListStateDescriptor, MapStateDescriptor, OperatorSnapshot, ReducingStateDescriptor, SnapshotBudget,
    StateKind, StateRegistry, ValueStateDescriptor, aggregating_state::tests::Mean, keyed::tests::scope,
};

const ALL: KeyGroupRange = KeyGroupRange { start: 0, end: 128 };

fn restored(key_groups: KeyGroupRange, parts: Vec<KeyedStateSnapshot>) -> KeyedState<u64> {
    KeyedState::new(&scope(key_groups, 128), &HashMapStateBackend, parts).unwrap()
}

fn at<'a>(state: &'a mut KeyedState<u64>, key: &'a u64) -> CurrentKey<'a, u64> {
    CurrentKey::new(state, key, key_hash(key).unwrap())
}

/// Key → 10 × key in a value state called `value`.
fn with_values(keys: std::ops::Range<u64>) -> KeyedState<u64> {
    let mut state = restored(ALL, Vec::new());
    let value = state.value_state(ValueStateDescriptor::new("value")).unwrap();
    for key in keys {
        value.update(&mut at(&mut state, &key), key * 10).unwrap();
    }
    state
}

#[test]
fn each_kind_of_state_comes_back_as_it_was() {
    let mut state = with_values(1..2);
    let list = ListStateDescriptor::<String>::new("list");
    let map = MapStateDescriptor::<String, Option<i64>>::new("map");
    let reducing = ReducingStateDescriptor::new("reducing", |a: &i64, b: i64| *a.max(&b));
    let aggregating = AggregatingStateDescriptor::new("mean", Mean);
    let handles = |state: &mut KeyedState<u64>| {
        (
            state.value_state(ValueStateDescriptor::<u64>::new("value")).unwrap(),
            state.list_state(list.clone()).unwrap(),
            state.map_state(map.clone()).unwrap(),
            state.reducing_state(reducing.clone()).unwrap(),
            state.aggregating_state(aggregating.clone()).unwrap(),
        )
    };
    let (_, l, m, r, a) = handles(&mut state);
    let mut context = at(&mut state, &1);
    l.add_all(&mut context, ["a".to_owned(), "b".to_owned()]).unwrap();
    m.put_all(&mut context, [("z".to_owned(), None), ("y".to_owned(), Some(1)), ("x".to_owned(), Some(2))])
        .unwrap();
    m.remove(&mut context, "z").unwrap();
    for value in [3, 9] {
        r.add(&mut context, value).unwrap();
        a.add(&mut context, value).unwrap();
    }
    let before: Vec<_> = m.keys(&mut context).unwrap().map(Cow::into_owned).collect();

    let mut state = restored(ALL, state.snapshot().unwrap());
    let (v, l, m, r, a) = handles(&mut state);
    let mut context = at(&mut state, &1);
    assert_eq!(v.get(&mut context).unwrap(), Some(&10));
    assert_eq!(l.get(&mut context).unwrap(), ["a", "b"]);
    assert_eq!(m.keys(&mut context).unwrap().map(Cow::into_owned).collect::<Vec<_>>(), before);
    assert_eq!(m.get(&mut context, "x").unwrap(), Some(&Some(2)));
    assert_eq!(r.get(&mut context).unwrap(), Some(&9));
    assert_eq!(a.get(&mut context).unwrap(), Some(6.0));
    assert_eq!(v.get(&mut at(&mut state, &2)).unwrap(), None);
}

#[test]
fn state_of_windows_comes_back_for_each_window() {
    let mut state = restored(ALL, Vec::new());
    let register = |state: &mut KeyedState<u64>| {
        StateRegistry::<_, i64>::new(state).list_state(ListStateDescriptor::<i64>::new("contents")).unwrap()
    };
    let contents = register(&mut state);
    for window in [1000, 2000] {
        let mut at =
            CurrentKey { state: &mut state, key: &7, hash: key_hash(&7_u64).unwrap(), namespace: &window };
        contents.add(&mut at, window + 1).unwrap();
    }
    let mut state = restored(ALL, state.snapshot().unwrap());
    let contents = register(&mut state);
    let hash = key_hash(&7_u64).unwrap();
    let mut first = CurrentKey { state: &mut state, key: &7, hash, namespace: &1000_i64 };
    assert_eq!(contents.get(&mut first).unwrap(), [1001]);
}

#[test]
fn subtasks_of_another_parallelism_share_the_keys_among_them() {
    let whole = with_values(0..1000).snapshot().unwrap();
    let halves = [KeyGroupRange { start: 0, end: 64 }, KeyGroupRange { start: 64, end: 128 }];
    let mut parts = Vec::new();
    for half in halves {
        let mut state = restored(half, whole.clone());
        let value = state.value_state(ValueStateDescriptor::<u64>::new("value")).unwrap();
        let mut visited = 0;
        state
            .for_each_key(value, |mut current| {
                assert_eq!(value.value(&mut current)?, Some(current.key * 10));
                visited += 1;
                Ok::<(), StateError>(())
            })
            .unwrap();
        assert!((400..600).contains(&visited), "{visited} keys");
        parts.extend(state.snapshot().unwrap());
    }
    let mut joined = restored(ALL, parts);
    let value = joined.value_state(ValueStateDescriptor::<u64>::new("value")).unwrap();
    for key in 0..1000 {
        assert_eq!(value.value(&mut at(&mut joined, &key)).unwrap(), Some(key * 10));
    }
}

#[test]
fn state_that_is_not_registered_is_kept_for_the_next_snapshot() {
    let whole = with_values(0..100).snapshot().unwrap();
    let mut state = restored(ALL, whole.clone());
    state.value_state(ValueStateDescriptor::<String>::new("other")).unwrap();
    let mut again = state.snapshot().unwrap();
    assert_eq!(again.remove(0).meta.name, "other");
    assert_eq!(again, whole);
    let mut state = restored(KeyGroupRange { start: 0, end: 1 }, whole);
    assert!(state.snapshot().unwrap()[0].groups.keys().all(|group| *group == 0));
}

#[test]
fn a_name_that_has_become_another_kind_is_refused() {
    let mut state = restored(ALL, with_values(0..10).snapshot().unwrap());
    assert_eq!(
        state.list_state(ListStateDescriptor::<u64>::new("value")).err().unwrap().to_string(),
        "state 'value' was written as a value state, but is registered as ListState<u64> now; register it as what it \
         was, or give the new state a name of its own"
    );
}

#[test]
fn entries_of_another_type_are_refused() {
    let mut state = restored(ALL, with_values(1..2).snapshot().unwrap());
    let error = state.value_state(ValueStateDescriptor::<String>::new("value")).err().unwrap();
    assert_eq!(
        error.to_string(),
        "cannot restore state 'value', whose value was written by u64 and is read by alloc::string::String: it was written \
         as u64 and is str now; undo the change, or give the new state a name of its own"
    );
    let mut state = restored(ALL, with_values(1..2).snapshot().unwrap());
    let error = state.value_state(ValueStateDescriptor::<u32>::new("value")).err().unwrap().to_string();
    assert!(error.contains("it was written as u64 and is u32 now"), "{error}");
}

#[test]
fn a_damaged_snapshot_is_refused_whatever_is_wrong() {
    let whole = with_values(1..2).snapshot().unwrap();
    let (&group, entries) = whole[0].groups.iter().next().unwrap();
    let refused = |change: &dyn Fn(&mut KeyedStateSnapshot)| {
        let mut damaged = whole.clone();
        change(&mut damaged[0]);
        let mut state = restored(ALL, damaged);
        state.value_state(ValueStateDescriptor::<u64>::new("value")).err().unwrap().to_string()
    };
    let twice = refused(&|part| {
        let entries = part.groups.get_mut(&group).unwrap();
        entries.bytes = [&*entries.bytes, &*entries.bytes].concat();
        entries.count = 2;
    });
    assert!(twice.contains("a key is in it twice"), "{twice}");
    let elsewhere = refused(&|part| part.groups = [((group + 1) % 128, entries.clone())].into());
    assert!(elsewhere.contains(&format!("one of its keys belongs to key group {group}")), "{elsewhere}");
    let endless = refused(&|part| part.groups.get_mut(&group).unwrap().count = u64::MAX);
    assert!(endless.contains("cannot restore state 'value'"), "{endless}");
}

#[test]
fn entries_without_bytes_do_not_go_on_for_ever() {
    let groups = [(0, crate::GroupEntries { count: u64::MAX, bytes: Vec::new() })].into();
    let types = crate::StateType::of_each::<(), (), ()>();
    let part = KeyedStateSnapshot {
        meta: KeyedStateMeta { name: "v".to_owned(), kind: StateKind::Value, ttl: false, types },
        groups,
        removed: None,
    };
    let mut state = KeyedState::<()>::new(&scope(ALL, 128), &HashMapStateBackend, vec![part]).unwrap();
    assert!(state.value_state(ValueStateDescriptor::<()>::new("v")).is_err());
}

#[test]
fn timers_come_back_by_domain_and_key_group() {
    let mut timers = TimerQueue::<u64, ()>::default();
    for key in 0..1000_u64 {
        timers.register(key as i64, key_hash(&key).unwrap(), key, ());
        timers.register(key as i64, key_hash(&key).unwrap(), key, ());
    }
    timers.delete(5, key_hash(&5_u64).unwrap(), &5, &());
    let mut taken = OperatorSnapshot::default();
    let mut no_timers = TimerQueue::<u64, ()>::default();
    for (queue, domain) in
        [(&mut timers, TimeDomain::EventTime), (&mut no_timers, TimeDomain::ProcessingTime)]
    {
        queue.begin_snapshot("user-timers", domain, 128).unwrap();
        assert!(queue.drain_snapshot(&mut SnapshotBudget::unlimited(), &mut taken).unwrap());
    }
    let mut fired = Vec::new();
    for half in [KeyGroupRange { start: 0, end: 64 }, KeyGroupRange { start: 64, end: 128 }] {
        let mut state = restored(half, taken.keyed.clone());
        let mut timers = state.restore_timers::<()>("user-timers", TimeDomain::EventTime).unwrap();
        while let Some(timer) = timers.pop_due(i64::MAX) {
            assert!(half.contains(flott_core::key_group::key_place(timer.hash, 128).group));
            fired.push(timer.key);
        }
        let mut none = state.restore_timers::<()>("user-timers", TimeDomain::ProcessingTime).unwrap();
        assert_eq!(none.pop_due(i64::MAX), None);
        assert!(state.snapshot().unwrap().is_empty());
    }
    fired.sort_unstable();
    assert_eq!(fired, (0..1000).filter(|key| *key != 5).collect::<Vec<_>>());
}

#[test]
fn every_key_of_a_state_is_visited_and_may_be_changed_and_cleared() {
    let mut state = with_values(0..100);
    let value = state.value_state(ValueStateDescriptor::<u64>::new("value")).unwrap();
    let other = state.list_state(ListStateDescriptor::<u64>::new("other")).unwrap();
    state
        .for_each_key(value, |mut current| {
            let key = *current.key;
            other.add(&mut current, key)?;
            if key % 2 == 0 { value.clear(&mut current) } else { value.update(&mut current, key) }
        })
        .unwrap();
    for key in 0..100 {
        assert_eq!(value.value(&mut at(&mut state, &key)).unwrap(), (key % 2 == 1).then_some(key));
        assert_eq!(other.get(&mut at(&mut state, &key)).unwrap(), [key]);
    }
    let unbound = crate::ValueState::<u64>::default();
    assert!(state.for_each_key(unbound, |_| Ok::<(), StateError>(())).is_err());
}
