//! What is particular to values, reduced values and accumulators, and to states that merge.

use flott_state::{
    AggregateFunction, AggregatingState, AggregatingStateDescriptor, CurrentKey, KeyedState, KeyedStateStore,
    ListState, ListStateDescriptor, MapStateDescriptor, MergingState, ReducingState, ReducingStateDescriptor,
    StateError, StateHandle, StateRegistry, StateTtlConfig, StateVisibility::ReturnExpiredIfNotCleanedUp,
    ValueStateDescriptor,
};

use crate::kept::Kept;
use crate::support::{Last, at, restored, ttl};

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

/// Sums of ones, plainly and with a snapshot and restore between all steps.
fn sums(config: StateTtlConfig, test: impl Fn(&mut dyn FnMut(i64) -> Option<i64>)) {
    for restarts in [false, true] {
        let descriptor = ReducingStateDescriptor::new("sum", |a: &i64, b: i64| a + b);
        let descriptor = descriptor.enable_time_to_live(config.clone());
        let mut sum = Kept::new(move |state| state.reducing_state(descriptor.clone()).unwrap(), restarts);
        test(&mut |now| {
            let (handle, mut key) = sum.at(now);
            handle.add(&mut key, 1).unwrap();
            let (handle, mut key) = sum.at(now);
            handle.get(&mut key).unwrap().copied()
        });
    }
}

#[test]
fn s26_values_are_not_combined_with_what_has_expired() {
    sums(ttl(), |add_one| assert_eq!([0, 99, 198, 298].map(add_one), [1, 2, 3, 1].map(Some)));
    for restarts in [false, true] {
        let descriptor = AggregatingStateDescriptor::<i64, _>::new("count", Count).enable_time_to_live(ttl());
        let mut count =
            Kept::new(move |state| state.aggregating_state(descriptor.clone()).unwrap(), restarts);
        for (now, expected) in [(0, 1), (99, 2), (198, 3), (298, 1)] {
            let (handle, mut key) = count.at(now);
            handle.add(&mut key, 7).unwrap();
            let (handle, mut key) = count.at(now);
            assert_eq!(handle.get(&mut key).unwrap(), Some(expected));
        }
    }
}

/// As in Flink: what may still be returned may be added to.
#[test]
fn s26_what_has_expired_is_combined_where_it_may_be_returned() {
    let config = ttl().state_visibility(ReturnExpiredIfNotCleanedUp);
    sums(config, |add_one| assert_eq!([0, 500, 599].map(add_one), [1, 2, 3].map(Some)));
}

/// How many values there were.
#[derive(Clone)]
struct Count;

impl AggregateFunction<i64> for Count {
    type Accumulator = i64;
    type Output = i64;

    fn create_accumulator(&self) -> i64 {
        0
    }
    fn add(&self, _: i64, accumulator: &mut i64) {
        *accumulator += 1;
    }
    fn get_result(&self, accumulator: &i64) -> i64 {
        *accumulator
    }
    fn merge(&self, accumulator: &mut i64, other: i64) {
        *accumulator += other;
    }
}

fn in_window<'a>(state: &'a mut KeyedState<u64>, window: &'a i64) -> CurrentKey<'a, u64, i64> {
    let CurrentKey { state, key, hash, .. } = at(state, &1);
    CurrentKey { state, key, hash, namespace: window }
}

/// States of the windows of key 1 that can be merged.
type OfWindows = (ReducingState<i64>, AggregatingState<i64, Last>, ListState<i64>);

fn of_windows(state: &mut KeyedState<u64>) -> OfWindows {
    let mut registry = StateRegistry::<_, i64>::new(state);
    let sum = ReducingStateDescriptor::new("sum", |a: &i64, b: i64| a + b).enable_time_to_live(ttl());
    let last = AggregatingStateDescriptor::<i64, _>::new("last", Last).enable_time_to_live(ttl());
    let list = ListStateDescriptor::new("list").enable_time_to_live(ttl());
    (
        registry.reducing_state(sum).unwrap(),
        registry.aggregating_state(last).unwrap(),
        registry.list_state(list).unwrap(),
    )
}

#[test]
fn s27_what_has_expired_is_left_out_when_namespaces_merge() {
    for restarts in [false, true] {
        let mut windows = Kept::new(of_windows, restarts);
        for (window, now) in [(10, 0), (20, 50), (30, 60)] {
            windows.at(now);
            let (sum, last, list) = windows.handle;
            sum.add(&mut in_window(&mut windows.state, &window), window).unwrap();
            last.add(&mut in_window(&mut windows.state, &window), window).unwrap();
            list.add(&mut in_window(&mut windows.state, &window), window).unwrap();
        }
        let hash = windows.at(110).1.hash;
        let (sum, last, list) = windows.handle;
        sum.merge_namespaces(&mut windows.state, &1, hash, &10, &[20, 30]).unwrap();
        last.merge_namespaces(&mut windows.state, &1, hash, &10, &[20, 30]).unwrap();
        list.merge_namespaces(&mut windows.state, &1, hash, &10, &[20, 30]).unwrap();
        windows.at(110);
        let ((sum, last, list), state) = (windows.handle, &mut windows.state);
        assert_eq!(sum.get(&mut in_window(state, &10)).unwrap(), Some(&50));
        assert_eq!(last.get(&mut in_window(state, &10)).unwrap(), Some(30));
        assert_eq!(list.get(&mut in_window(state, &10)).unwrap(), [20, 30]);
        // A combination is new; elements keep the times of their own.
        windows.at(155);
        let ((sum, _, list), state) = (windows.handle, &mut windows.state);
        assert_eq!(sum.get(&mut in_window(state, &10)).unwrap(), Some(&50));
        assert_eq!(list.get(&mut in_window(state, &10)).unwrap(), [30]);
    }
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
