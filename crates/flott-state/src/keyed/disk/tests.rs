use std::collections::BTreeMap;

use flott_core::{hash::key_hash, key_group::KeyGroupRange};

use super::*;
use crate::{
    keyed::{CurrentKey, KeyedStateStore, StateRegistry, tests::scope},
    list_state::ListStateDescriptor,
    map_state::MapStateDescriptor,
    snapshot::SnapshotRequest,
    testing::SortedMapStateBackend,
    value_state::{ValueState, ValueStateDescriptor},
};

const ALL: KeyGroupRange = KeyGroupRange { start: 0, end: 128 };

/// A state of numbers and one of texts on a backend that caches so many bytes.
struct Subject {
    backend: SortedMapStateBackend,
    state: KeyedState<u64>,
    numbers: ValueState<i64>,
    texts: ValueState<String>,
}

impl Subject {
    fn caching(bytes: usize) -> Self {
        let backend = SortedMapStateBackend::with_cache_bytes(bytes);
        let mut state = KeyedState::new(&scope(ALL, 128), &backend, Vec::new()).unwrap();
        let numbers = state.value_state(ValueStateDescriptor::new("numbers")).unwrap();
        let texts = state.value_state(ValueStateDescriptor::new("texts")).unwrap();
        Self { backend, state, numbers, texts }
    }

    /// Processes a batch: the numbers of these keys are increased.
    fn count(&mut self, keys: &[u64]) -> Result<(), StateError> {
        let hashes = hashes(keys);
        self.state.load(keys, &hashes)?;
        for (key, &hash) in keys.iter().zip(&hashes) {
            *self.numbers.get_or_insert_with(&mut CurrentKey::new(&mut self.state, key, hash), || 0)? += 1;
        }
        Ok(())
    }

    fn number(&mut self, key: u64) -> Option<i64> {
        self.numbers.value(&mut at(&mut self.state, &key)).unwrap()
    }

    fn cached_bytes(&mut self) -> usize {
        self.state.stores.iter_mut().map(|store| store.any_mut().cached_bytes()).sum()
    }
}

fn hashes(keys: &[u64]) -> Vec<u64> {
    keys.iter().map(|key| key_hash(key).unwrap()).collect()
}

fn at<'a>(state: &'a mut KeyedState<u64>, key: &'a u64) -> CurrentKey<'a, u64> {
    CurrentKey::new(state, key, key_hash(key).unwrap())
}

#[test]
fn what_left_the_cache_comes_back() {
    let mut subject = Subject::caching(20_000);
    for round in 1..=3 {
        for keys in (0..5000).collect::<Vec<u64>>().chunks(100) {
            subject.count(keys).unwrap();
            assert!(subject.cached_bytes() <= 20_000 + 100 * 2 * 64, "{}", subject.cached_bytes());
        }
        assert!((0..5000).all(|key| subject.number(key) == Some(round)));
    }
    assert_eq!(subject.number(5000), None);
}

#[test]
fn the_missing_keys_of_a_batch_are_looked_up_at_once() {
    let mut subject = Subject::caching(20_000);
    for keys in (0..3000).collect::<Vec<u64>>().chunks(100) {
        subject.count(keys).unwrap();
    }
    let before = subject.backend.lookups();
    // Of these keys the last batch is in the cache, and one comes twice.
    let batch: Vec<u64> = (0..90).chain([5, 2999, 2998]).collect();
    subject.count(&batch).unwrap();
    assert_eq!(subject.backend.lookups(), before + 1, "texts have nothing stored and are not asked");
    assert_eq!((subject.number(5), subject.number(6), subject.number(2999)), (Some(3), Some(2), Some(2)));
    assert_eq!(subject.backend.lookups(), before + 1);
}

#[test]
fn a_key_that_is_not_stored_is_looked_up_once_while_it_is_cached() {
    let mut subject = Subject::caching(1 << 20);
    subject.count(&[1]).unwrap();
    subject.state.snapshot().unwrap();
    assert_eq!(subject.number(2), None);
    let before = subject.backend.lookups();
    assert_eq!((subject.number(2), subject.number(1)), (None, Some(1)));
    assert_eq!(subject.backend.lookups(), before);
}

#[test]
fn nothing_is_looked_up_before_anything_was_stored() {
    let mut subject = Subject::caching(1 << 20);
    (0..1000).for_each(|key| subject.count(&[key, key + 1]).unwrap());
    assert_eq!(subject.backend.lookups(), 0);
}

#[test]
fn long_values_leave_the_cache_sooner() {
    let mut subject = Subject::caching(64 * 1024);
    for key in 0..1000 {
        subject.state.load(&[key], &hashes(&[key])).unwrap();
        subject.texts.update(&mut at(&mut subject.state, &key), "x".repeat(1000)).unwrap();
        assert!(subject.cached_bytes() <= 64 * 1024 + 2 * 1100, "{}", subject.cached_bytes());
    }
    for key in 0..1000 {
        let text = subject.texts.value(&mut at(&mut subject.state, &key)).unwrap();
        assert_eq!(text.map(|text| text.len()), Some(1000));
    }
}

#[test]
fn single_accesses_keep_to_the_limit_too() {
    let mut subject = Subject::caching(64 * 1024);
    subject.count(&[1]).unwrap();
    subject.state.snapshot().unwrap();
    for key in 0..10_000 {
        assert_eq!(subject.number(key), (key == 1).then_some(1));
    }
    assert!(subject.cached_bytes() <= 64 * 1024 + 1024, "{}", subject.cached_bytes());
}

#[test]
fn what_is_removed_stays_removed() {
    let mut subject = Subject::caching(20_000);
    subject.count(&[1, 2, 3]).unwrap();
    subject.state.snapshot().unwrap();
    subject.numbers.clear(&mut at(&mut subject.state, &2)).unwrap();
    for keys in (10..3000).collect::<Vec<u64>>().chunks(100) {
        subject.count(keys).unwrap();
    }
    assert_eq!([1, 2, 3].map(|key| subject.number(key)), [Some(1), None, Some(1)]);
    let held = subject.state.snapshot().unwrap();
    assert_eq!(held[0].groups.values().map(|group| group.count).sum::<u64>(), 2992);
}

#[test]
fn every_kind_and_namespace_is_fetched_by_its_own_key() {
    let backend = SortedMapStateBackend::with_cache_bytes(8 * 1024);
    let mut state = KeyedState::<String>::new(&scope(ALL, 128), &backend, Vec::new()).unwrap();
    let list = state.list_state(ListStateDescriptor::<u32>::new("list")).unwrap();
    let map = state.map_state(MapStateDescriptor::<String, u32>::new("map")).unwrap();
    let mut registry = StateRegistry::<String, (i64, i64)>::new(&mut state);
    let of_windows = registry.value_state(ValueStateDescriptor::<u32>::new("windows")).unwrap();
    let mut expected: BTreeMap<(String, i64), u32> = BTreeMap::new();
    for round in 0..2000_u32 {
        let key = format!("key {}", round % 97);
        let hash = key_hash(&key).unwrap();
        let mut current = CurrentKey::new(&mut state, &key, hash);
        list.add(&mut current, round).unwrap();
        map.put(&mut current, format!("{}", round % 5), round).unwrap();
        let window = (i64::from(round % 7), 0);
        let mut current = CurrentKey { state: &mut state, key: &key, hash, namespace: &window };
        *of_windows.get_or_insert_with(&mut current, || 0).unwrap() += round;
        *expected.entry((key, window.0)).or_default() += round;
    }
    for ((key, window), sum) in &expected {
        let (hash, namespace) = (key_hash(key).unwrap(), (*window, 0));
        let mut current = CurrentKey { state: &mut state, key, hash, namespace: &namespace };
        assert_eq!(of_windows.value(&mut current).unwrap(), Some(*sum));
    }
    for of in 0..97_u32 {
        let key = format!("key {of}");
        let mut current = CurrentKey::new(&mut state, &key, key_hash(&key).unwrap());
        let rounds: Vec<u32> = (of..2000).step_by(97).collect();
        assert_eq!(list.get(&mut current).unwrap(), rounds);
        let last = rounds.iter().rev().find(|round| *round % 5 == 3).copied();
        assert_eq!(map.get(&mut current, "3").unwrap().copied(), last);
    }
}

#[test]
fn every_key_is_visited_wherever_it_is() {
    let mut subject = Subject::caching(8 * 1024);
    for keys in (0..1000).collect::<Vec<u64>>().chunks(100) {
        subject.count(keys).unwrap();
    }
    let numbers = subject.numbers;
    let mut seen = Vec::new();
    let visited: Result<(), StateError> = subject.state.for_each_key(numbers, |mut current| {
        seen.push(*current.key);
        numbers.clear(&mut current)
    });
    visited.unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (0..1000).collect::<Vec<_>>());
    assert!((0..1000).all(|key| subject.number(key).is_none()));
}

#[test]
fn a_store_that_fails_ends_what_needs_it() {
    let mut subject = Subject::caching(8 * 1024);
    subject.backend.fail_writes_after(3);
    let mut batches = (0..10_000).collect::<Vec<u64>>();
    let failed = batches.chunks_mut(100).find_map(|keys| subject.count(keys).err()).unwrap();
    assert_eq!(failed.to_string(), "the state backend can't write in memory: the test says so");
    assert!(subject.state.begin_snapshot(SnapshotRequest::whole(1)).is_err());
}
