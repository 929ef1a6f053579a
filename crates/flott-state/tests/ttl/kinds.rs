//! What is particular to lists, maps, reduced values and accumulators.

use flott_state::{
    AggregatingStateDescriptor, CurrentKey, KeyedState, KeyedStateStore, ListState, ListStateDescriptor,
    MapState, MapStateDescriptor, MergingState, ReducingStateDescriptor, StateError, StateHandle,
    StateRegistry, StateTtlConfig, StateVisibility::ReturnExpiredIfNotCleanedUp, UpdateType::OnReadAndWrite,
    ValueStateDescriptor,
};

use crate::support::{Last, at, restored, snapshot, ttl};

fn list(config: StateTtlConfig) -> (KeyedState<u64>, ListState<i64>) {
    let mut state = restored(Vec::new(), 0);
    let list = state.list_state(ListStateDescriptor::new("list").enable_time_to_live(config)).unwrap();
    for (now, element) in [(0, 1), (60, 2), (90, 3)] {
        state.set_processing_time(now);
        list.add(&mut at(&mut state, &1), element).unwrap();
    }
    (state, list)
}

#[test]
fn s23_s24_elements_of_a_list_expire_one_by_one() {
    let (mut state, list) = list(ttl());
    assert_eq!(list.get(&mut at(&mut state, &1)).unwrap(), [1, 2, 3]);
    state.set_processing_time(100);
    assert_eq!(list.get(&mut at(&mut state, &1)).unwrap(), [2, 3]);
    state.set_processing_time(160);
    assert_eq!(list.take(&mut at(&mut state, &1)).unwrap(), [3]);
}

#[test]
fn s24_reading_a_list_lets_the_elements_that_have_not_expired_live_on() {
    let (mut state, list) = list(ttl().update_type(OnReadAndWrite));
    state.set_processing_time(110);
    assert_eq!(list.get(&mut at(&mut state, &1)).unwrap(), [2, 3]);
    state.set_processing_time(209);
    assert_eq!(list.get(&mut at(&mut state, &1)).unwrap(), [2, 3]);
    state.set_processing_time(309);
    assert!(list.get(&mut at(&mut state, &1)).unwrap().is_empty());
}

#[test]
fn s19_s24_expired_elements_are_returned_once_in_their_places() {
    let (mut state, list) = list(ttl().state_visibility(ReturnExpiredIfNotCleanedUp));
    state.set_processing_time(170);
    assert_eq!(list.get(&mut at(&mut state, &1)).unwrap(), [1, 2, 3]);
    assert_eq!(list.get(&mut at(&mut state, &1)).unwrap(), [3]);
}

#[test]
fn s28_a_snapshot_leaves_out_single_elements_and_entries() {
    let config = ttl().cleanup_full_snapshot();
    let (mut state, _) = list(config.clone());
    let map_descriptor = MapStateDescriptor::<u8, i64>::new("map").enable_time_to_live(config.clone());
    let map = state.map_state(map_descriptor.clone()).unwrap();
    state.set_processing_time(0);
    map.put(&mut at(&mut state, &1), 1, 1).unwrap();
    state.set_processing_time(100);
    map.put(&mut at(&mut state, &1), 2, 2).unwrap();
    let mut state = restored(snapshot(&mut state), 0);
    let list = state.list_state(ListStateDescriptor::<i64>::new("list").enable_time_to_live(config)).unwrap();
    let map = state.map_state(map_descriptor).unwrap();
    assert_eq!(list.get(&mut at(&mut state, &1)).unwrap(), [2, 3]);
    assert_eq!(entries(map, &mut state), [(2, 2)]);
}

fn map(config: StateTtlConfig) -> (KeyedState<u64>, MapState<u8, i64>) {
    let mut state = restored(Vec::new(), 0);
    let map = state.map_state(MapStateDescriptor::new("map").enable_time_to_live(config)).unwrap();
    map.put_all(&mut at(&mut state, &1), [(1, 10), (2, 20)]).unwrap();
    state.set_processing_time(60);
    map.put(&mut at(&mut state, &1), 3, 30).unwrap();
    (state, map)
}

fn entries(map: MapState<u8, i64>, state: &mut KeyedState<u64>) -> Vec<(u8, i64)> {
    let mut entries: Vec<_> =
        map.iter(&mut at(state, &1)).unwrap().map(|(key, value)| (*key, *value)).collect();
    entries.sort_unstable();
    entries
}

#[test]
fn s23_s25_entries_of_a_map_expire_one_by_one() {
    let (mut state, map) = map(ttl());
    assert_eq!(entries(map, &mut state), [(1, 10), (2, 20), (3, 30)]);
    state.set_processing_time(100);
    assert!(!map.contains(&mut at(&mut state, &1), &1).unwrap());
    assert!(map.contains(&mut at(&mut state, &1), &3).unwrap());
    assert_eq!(entries(map, &mut state), [(3, 30)]);
    state.set_processing_time(160);
    assert_eq!(map.take(&mut at(&mut state, &1), &3).unwrap(), None);
    assert!(state.snapshot().unwrap()[0].groups.is_empty());
}

#[test]
fn s25_is_empty_looks_at_what_is_stored() {
    let (mut state, map) = map(ttl());
    state.set_processing_time(500);
    assert!(!map.is_empty(&mut at(&mut state, &1)).unwrap());
    assert_eq!(entries(map, &mut state), []);
    assert!(map.is_empty(&mut at(&mut state, &1)).unwrap());
}

#[test]
fn s25_reading_an_entry_lets_it_live_on_and_no_other() {
    let (mut state, map) = map(ttl().update_type(OnReadAndWrite));
    state.set_processing_time(90);
    assert_eq!(map.get(&mut at(&mut state, &1), &1).unwrap(), Some(&10));
    state.set_processing_time(170);
    assert_eq!(entries(map, &mut state), [(1, 10)]);
    state.set_processing_time(260);
    assert_eq!(entries(map, &mut state), [(1, 10)]);
}

#[test]
fn s19_s25_expired_entries_are_returned_once() {
    let (mut state, map) = map(ttl().state_visibility(ReturnExpiredIfNotCleanedUp));
    state.set_processing_time(120);
    assert_eq!(map.get(&mut at(&mut state, &1), &1).unwrap(), Some(&10));
    assert_eq!(map.get(&mut at(&mut state, &1), &1).unwrap(), None);
    assert_eq!(entries(map, &mut state), [(2, 20), (3, 30)]);
    assert_eq!(entries(map, &mut state), [(3, 30)]);
}

#[test]
fn changing_a_value_in_place_counts_as_writing_it() {
    let mut state = restored(Vec::new(), 0);
    let value = state.value_state(ValueStateDescriptor::new("v").enable_time_to_live(ttl())).unwrap();
    let map = state.map_state(MapStateDescriptor::new("m").enable_time_to_live(ttl())).unwrap();
    let step = |state: &mut KeyedState<u64>, now, expected: i64| {
        state.set_processing_time(now);
        *value.get_or_insert_with(&mut at(state, &1), || 10_i64).unwrap() += 1;
        *map.get_or_insert_with(&mut at(state, &1), 'k', || 10_i64).unwrap() += 1;
        assert_eq!(value.get_mut(&mut at(state, &1)).unwrap(), Some(&mut { expected }));
        assert_eq!(map.get_mut(&mut at(state, &1), &'k').unwrap(), Some(&mut { expected }));
    };
    step(&mut state, 0, 11);
    step(&mut state, 99, 12);
    step(&mut state, 198, 13);
    step(&mut state, 298, 11);
    state.set_processing_time(398);
    assert_eq!(value.get_mut(&mut at(&mut state, &1)).unwrap(), None);
    assert_eq!(map.get_mut(&mut at(&mut state, &1), &'k').unwrap(), None);
}

#[test]
fn s26_values_are_not_combined_with_what_has_expired() {
    let mut state = restored(Vec::new(), 0);
    let sum = ReducingStateDescriptor::new("sum", |a: &i64, b: i64| a + b).enable_time_to_live(ttl());
    let sum = state.reducing_state(sum).unwrap();
    let last = AggregatingStateDescriptor::<i64, _>::new("last", Last).enable_time_to_live(ttl());
    let last = state.aggregating_state(last).unwrap();
    for (now, expected) in [(0, 1), (99, 2), (198, 3), (298, 1)] {
        state.set_processing_time(now);
        sum.add(&mut at(&mut state, &1), 1).unwrap();
        last.add(&mut at(&mut state, &1), now).unwrap();
        assert_eq!(sum.get(&mut at(&mut state, &1)).unwrap(), Some(&expected));
        assert_eq!(last.get(&mut at(&mut state, &1)).unwrap(), Some(now));
    }
}

/// As in Flink: what may still be returned may be added to.
#[test]
fn s26_what_has_expired_is_combined_where_it_may_be_returned() {
    let mut state = restored(Vec::new(), 0);
    let config = ttl().state_visibility(ReturnExpiredIfNotCleanedUp);
    let sum = ReducingStateDescriptor::new("sum", |a: &i64, b: i64| a + b).enable_time_to_live(config);
    let sum = state.reducing_state(sum).unwrap();
    for (now, expected) in [(0, 1), (500, 2), (599, 3)] {
        state.set_processing_time(now);
        sum.add(&mut at(&mut state, &1), 1).unwrap();
        assert_eq!(sum.get(&mut at(&mut state, &1)).unwrap(), Some(&expected));
    }
}

fn in_window<'a>(state: &'a mut KeyedState<u64>, window: &'a i64) -> CurrentKey<'a, u64, i64> {
    let CurrentKey { state, key, hash, .. } = at(state, &1);
    CurrentKey { state, key, hash, namespace: window }
}

#[test]
fn s27_what_has_expired_is_left_out_when_namespaces_merge() {
    let mut state = restored(Vec::new(), 0);
    let mut registry = StateRegistry::<_, i64>::new(&mut state);
    let sum = ReducingStateDescriptor::new("sum", |a: &i64, b: i64| a + b).enable_time_to_live(ttl());
    let sum = registry.reducing_state(sum).unwrap();
    let last = AggregatingStateDescriptor::<i64, _>::new("last", Last).enable_time_to_live(ttl());
    let last = registry.aggregating_state(last).unwrap();
    let list = registry.list_state(ListStateDescriptor::new("list").enable_time_to_live(ttl())).unwrap();
    for (window, now) in [(10, 0), (20, 50), (30, 60)] {
        state.set_processing_time(now);
        sum.add(&mut in_window(&mut state, &window), window).unwrap();
        last.add(&mut in_window(&mut state, &window), window).unwrap();
        list.add(&mut in_window(&mut state, &window), window).unwrap();
    }
    state.set_processing_time(110);
    let hash = at(&mut state, &1).hash;
    sum.merge_namespaces(&mut state, &1, hash, &10, &[20, 30]).unwrap();
    last.merge_namespaces(&mut state, &1, hash, &10, &[20, 30]).unwrap();
    list.merge_namespaces(&mut state, &1, hash, &10, &[20, 30]).unwrap();
    assert_eq!(sum.get(&mut in_window(&mut state, &10)).unwrap(), Some(&50));
    assert_eq!(last.get(&mut in_window(&mut state, &10)).unwrap(), Some(30));
    assert_eq!(list.get(&mut in_window(&mut state, &10)).unwrap(), [20, 30]);
    // A combination is new; elements keep the times of their own.
    state.set_processing_time(155);
    assert_eq!(sum.get(&mut in_window(&mut state, &10)).unwrap(), Some(&50));
    assert_eq!(list.get(&mut in_window(&mut state, &10)).unwrap(), [30]);
}

#[test]
fn every_key_that_has_something_stored_is_visited_whatever_the_kind() {
    fn visited(state: &mut KeyedState<u64>, handle: impl StateHandle<u64, ()>) -> Vec<u64> {
        let mut keys = Vec::new();
        state
            .for_each_key(handle, |current| {
                keys.push(*current.key);
                Ok::<(), StateError>(())
            })
            .unwrap();
        keys
    }
    let mut state = restored(Vec::new(), 0);
    let value = state.value_state(ValueStateDescriptor::<i64>::new("v").enable_time_to_live(ttl())).unwrap();
    let list = state.list_state(ListStateDescriptor::<i64>::new("l").enable_time_to_live(ttl())).unwrap();
    let map = state.map_state(MapStateDescriptor::<i64, i64>::new("m").enable_time_to_live(ttl())).unwrap();
    let sum = ReducingStateDescriptor::new("r", |a: &i64, b: i64| a + b).enable_time_to_live(ttl());
    let sum = state.reducing_state(sum).unwrap();
    let last = AggregatingStateDescriptor::<i64, _>::new("a", Last).enable_time_to_live(ttl());
    let last = state.aggregating_state(last).unwrap();
    value.update(&mut at(&mut state, &1), 0).unwrap();
    list.add(&mut at(&mut state, &2), 0).unwrap();
    map.put(&mut at(&mut state, &3), 0, 0).unwrap();
    sum.add(&mut at(&mut state, &4), 0).unwrap();
    last.add(&mut at(&mut state, &5), 0).unwrap();
    assert_eq!(visited(&mut state, value), [1]);
    assert_eq!(visited(&mut state, list), [2]);
    assert_eq!(visited(&mut state, map), [3]);
    assert_eq!(visited(&mut state, sum), [4]);
    assert_eq!(visited(&mut state, last), [5]);
}
