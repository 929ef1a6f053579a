//! What is particular to lists, maps, reduced values and accumulators.

use flott_state::{
    AggregateFunction, AggregatingState, AggregatingStateDescriptor, CurrentKey, KeyedState, KeyedStateStore,
    ListState, ListStateDescriptor, MapState, MapStateDescriptor, MergingState, ReducingState,
    ReducingStateDescriptor, StateError, StateHandle, StateRegistry, StateTtlConfig,
    StateVisibility::ReturnExpiredIfNotCleanedUp, UpdateType::OnReadAndWrite, ValueStateDescriptor,
};

use crate::support::{Last, at, restored, snapshot, ttl};

type Register<H> = dyn Fn(&mut KeyedState<u64>) -> H;

/// A state of one kind, used with key 1.
struct Kept<H> {
    state: KeyedState<u64>,
    handle: H,
    register: Box<Register<H>>,
    now: i64,
    restarts: bool,
}

impl<H: Copy> Kept<H> {
    fn new(register: impl Fn(&mut KeyedState<u64>) -> H + 'static, restarts: bool) -> Self {
        let mut state = restored(Vec::new(), 0);
        Self { handle: register(&mut state), state, register: Box::new(register), now: 0, restarts }
    }

    /// The state and key 1 at this time, behind a snapshot and restore if asked for.
    fn at(&mut self, now: i64) -> (H, CurrentKey<'_, u64>) {
        if self.restarts {
            let parts = snapshot(&mut self.state);
            self.state = restored(parts, self.now);
            self.handle = (self.register)(&mut self.state);
        }
        self.now = now;
        self.state.set_processing_time(now);
        (self.handle, at(&mut self.state, &1))
    }
}

/// Lists with elements of the times 0, 60 and 90, plainly and with a snapshot and restore between all steps.
fn lists(config: StateTtlConfig, test: impl Fn(&mut Kept<ListState<i64>>)) {
    for restarts in [false, true] {
        let descriptor = ListStateDescriptor::new("list").enable_time_to_live(config.clone());
        let mut list = Kept::new(move |state| state.list_state(descriptor.clone()).unwrap(), restarts);
        for (now, element) in [(0, 1), (60, 2), (90, 3)] {
            let (list, mut key) = list.at(now);
            list.add(&mut key, element).unwrap();
        }
        test(&mut list);
    }
}

fn elements(list: &mut Kept<ListState<i64>>, now: i64) -> Vec<i64> {
    let (list, mut key) = list.at(now);
    list.get(&mut key).unwrap().to_vec()
}

#[test]
fn s23_s24_elements_of_a_list_expire_one_by_one() {
    lists(ttl(), |list| {
        assert_eq!(elements(list, 90), [1, 2, 3]);
        assert_eq!(elements(list, 100), [2, 3]);
        let (list, mut key) = list.at(160);
        assert_eq!(list.take(&mut key).unwrap(), [3]);
    });
}

#[test]
fn s24_updating_a_list_stamps_all_its_elements() {
    lists(ttl(), |list| {
        let (handle, mut key) = list.at(95);
        handle.update(&mut key, vec![7, 8]).unwrap();
        assert_eq!(elements(list, 194), [7, 8]);
        assert!(elements(list, 195).is_empty());
    });
}

#[test]
fn s16_s24_reading_a_list_lets_the_elements_that_have_not_expired_live_on() {
    lists(ttl().update_type(OnReadAndWrite), |list| {
        assert_eq!(elements(list, 110), [2, 3]);
        assert_eq!(elements(list, 209), [2, 3]);
        assert!(elements(list, 309).is_empty());
    });
}

#[test]
fn s19_s24_expired_elements_are_returned_once_in_their_places() {
    lists(ttl().state_visibility(ReturnExpiredIfNotCleanedUp), |list| {
        assert_eq!(elements(list, 170), [1, 2, 3]);
        assert_eq!(elements(list, 170), [3]);
    });
}

#[test]
fn s28_a_snapshot_leaves_out_single_elements_and_entries() {
    lists(ttl().cleanup_full_snapshot(), |list| {
        list.at(100);
        list.restarts = true;
        list.at(100);
        list.restarts = false;
        assert_eq!(elements(list, 50), [2, 3], "back to a time when all would have lived");
    });
    maps(ttl().cleanup_full_snapshot(), |map| {
        map.at(100);
        map.restarts = true;
        map.at(100);
        map.restarts = false;
        assert_eq!(entries(map, 90), [(3, 30)]);
    });
}

/// Maps with two entries of the time 0 and one of 60, plainly and with a snapshot and restore between all steps.
fn maps(config: StateTtlConfig, test: impl Fn(&mut Kept<MapState<u8, i64>>)) {
    for restarts in [false, true] {
        let descriptor = MapStateDescriptor::new("map").enable_time_to_live(config.clone());
        let mut map = Kept::new(move |state| state.map_state(descriptor.clone()).unwrap(), restarts);
        let (handle, mut key) = map.at(0);
        handle.put_all(&mut key, [(1, 10), (2, 20)]).unwrap();
        let (handle, mut key) = map.at(60);
        handle.put(&mut key, 3, 30).unwrap();
        test(&mut map);
    }
}

fn entries(map: &mut Kept<MapState<u8, i64>>, now: i64) -> Vec<(u8, i64)> {
    let (map, mut key) = map.at(now);
    let mut entries: Vec<_> = map.iter(&mut key).unwrap().map(|(key, value)| (*key, *value)).collect();
    entries.sort_unstable();
    entries
}

fn entry(map: &mut Kept<MapState<u8, i64>>, now: i64, entry: u8) -> Option<i64> {
    let (map, mut key) = map.at(now);
    map.get(&mut key, &entry).unwrap().copied()
}

#[test]
fn s23_s25_entries_of_a_map_expire_one_by_one() {
    maps(ttl(), |map| {
        assert_eq!(entries(map, 60), [(1, 10), (2, 20), (3, 30)]);
        let (handle, mut key) = map.at(100);
        assert!(!handle.contains(&mut key, &1).unwrap());
        assert!(handle.contains(&mut key, &3).unwrap());
        assert_eq!(entries(map, 100), [(3, 30)]);
        let (handle, mut key) = map.at(160);
        assert_eq!(handle.take(&mut key, &3).unwrap(), None);
        assert!(map.state.snapshot().unwrap()[0].groups.is_empty());
    });
}

#[test]
fn s25_is_empty_looks_at_what_is_stored() {
    maps(ttl(), |map| {
        let (handle, mut key) = map.at(500);
        assert!(!handle.is_empty(&mut key).unwrap());
        assert_eq!(entries(map, 500), []);
        let (handle, mut key) = map.at(500);
        assert!(handle.is_empty(&mut key).unwrap());
    });
}

#[test]
fn s16_s25_reading_an_entry_lets_it_live_on_and_no_other() {
    maps(ttl().update_type(OnReadAndWrite), |map| {
        assert_eq!(entry(map, 90, 1), Some(10));
        assert_eq!(entries(map, 170), [(1, 10)]);
        assert_eq!(entries(map, 260), [(1, 10)]);
    });
}

#[test]
fn s19_s25_expired_entries_are_returned_once() {
    maps(ttl().state_visibility(ReturnExpiredIfNotCleanedUp), |map| {
        assert_eq!(entry(map, 120, 1), Some(10));
        assert_eq!(entry(map, 120, 1), None);
        assert_eq!(entries(map, 120), [(2, 20), (3, 30)]);
        assert_eq!(entries(map, 120), [(3, 30)]);
    });
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
