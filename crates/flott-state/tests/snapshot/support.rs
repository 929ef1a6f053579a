//! A subtask with one state of each kind, and its snapshots in a form that can be compared.

use std::{collections::BTreeMap, fmt::Debug, time::Duration};

use flott_core::{encoding::decode_prefix, hash::key_hash, key_group::KeyGroupRange, time::Timestamp};
use flott_state::{
    AggregateFunction, AggregatingState, AggregatingStateDescriptor, BackendScope, CurrentKey, KeyedState,
    KeyedStateSnapshot, KeyedStateStore, ListState, ListStateDescriptor, MapState, MapStateDescriptor,
    ReducingState, ReducingStateDescriptor, SnapshotBudget, StateBackend, StateRegistry, StateTtlConfig,
    UpdateType, ValueState, ValueStateDescriptor,
};
use serde::de::DeserializeOwned;

/// Few, so that the tables are large.
const GROUPS: u32 = 3;

pub(crate) fn empty(restored: Vec<KeyedStateSnapshot>) -> KeyedState<u64> {
    empty_on(crate::backend().as_ref(), restored)
}

fn empty_on(backend: &dyn StateBackend, restored: Vec<KeyedStateSnapshot>) -> KeyedState<u64> {
    let key_groups = KeyGroupRange { start: 0, end: GROUPS };
    let scope = BackendScope { operator: "o".to_owned(), subtask: 0, key_groups, max_parallelism: GROUPS };
    KeyedState::new(&scope, backend, restored).unwrap()
}

#[derive(Clone)]
pub(crate) struct Count;

impl AggregateFunction<i64> for Count {
    type Accumulator = (u64, i64);
    type Output = i64;

    fn create_accumulator(&self) -> (u64, i64) {
        (0, 0)
    }

    fn add(&self, value: i64, accumulator: &mut (u64, i64)) {
        *accumulator = (accumulator.0 + 1, accumulator.1 ^ value);
    }

    fn get_result(&self, accumulator: &(u64, i64)) -> i64 {
        accumulator.1
    }

    fn merge(&self, accumulator: &mut (u64, i64), other: (u64, i64)) {
        *accumulator = (accumulator.0 + other.0, accumulator.1 ^ other.1);
    }
}

/// What is done to one state at one key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Set,
    Change,
    Read,
    Clear,
}

/// The number of states of [`Subject`].
pub(crate) const STATES: usize = 9;

pub(crate) struct Subject {
    pub(crate) state: KeyedState<u64>,
    value: ValueState<i64>,
    expiring: ValueState<String>,
    list: ListState<i32>,
    expiring_list: ListState<i32>,
    map: MapState<u8, String>,
    expiring_map: MapState<u8, i64>,
    sum: ReducingState<i64>,
    count: AggregatingState<i64, Count>,
    of_windows: ValueState<i64>,
}

impl Subject {
    pub(crate) fn new(restored: Vec<KeyedStateSnapshot>) -> Self {
        Self::on(crate::backend().as_ref(), restored, |ttl| ttl)
    }

    /// A subject on some backend, which changes each time to live by `change`.
    pub(crate) fn on(
        backend: &dyn StateBackend,
        restored: Vec<KeyedStateSnapshot>,
        change: fn(StateTtlConfig) -> StateTtlConfig,
    ) -> Self {
        let mut state = empty_on(backend, restored);
        let ttl = |ms| change(StateTtlConfig::new(Duration::from_millis(ms)));
        let expiring =
            ValueStateDescriptor::new("expiring").enable_time_to_live(ttl(30).cleanup_full_snapshot());
        let expiring_list = ListStateDescriptor::new("expiring list")
            .enable_time_to_live(ttl(40).update_type(UpdateType::OnReadAndWrite));
        let expiring_map = MapStateDescriptor::new("expiring map")
            .enable_time_to_live(ttl(25).cleanup_incrementally(20, true));
        Self {
            value: state.value_state(ValueStateDescriptor::new("value")).unwrap(),
            expiring: state.value_state(expiring).unwrap(),
            list: state.list_state(ListStateDescriptor::new("list")).unwrap(),
            expiring_list: state.list_state(expiring_list).unwrap(),
            map: state.map_state(MapStateDescriptor::new("map")).unwrap(),
            expiring_map: state.map_state(expiring_map).unwrap(),
            sum: state.reducing_state(ReducingStateDescriptor::new("sum", |a: &i64, b| a ^ b)).unwrap(),
            count: state.aggregating_state(AggregatingStateDescriptor::new("count", Count)).unwrap(),
            of_windows: StateRegistry::<u64, i64>::new(&mut state)
                .value_state(ValueStateDescriptor::new("of windows"))
                .unwrap(),
            state,
        }
    }

    pub(crate) fn act(&mut self, of: usize, action: Action, key: u64, with: u8) {
        let hash = key_hash(&key).unwrap();
        let at = &mut CurrentKey::new(&mut self.state, &key, hash);
        let (number, text) = (i64::from(with), "x".repeat(with as usize % 40));
        let element = i32::from(with);
        let acted = match (of, action) {
            (0, Action::Set) => self.value.update(at, number),
            (0, Action::Change) => self.value.get_mut(at).map(|v| v.into_iter().for_each(|v| *v ^= number)),
            (0, Action::Read) => self.value.get(at).map(|_| ()),
            (0, Action::Clear) => self.value.clear(at),
            (1, Action::Set) => self.expiring.update(at, text),
            (1, Action::Change) => self.expiring.get_or_insert_with(at, || text).map(|v| v.push('y')),
            (1, Action::Read) => self.expiring.get(at).map(|_| ()),
            (1, Action::Clear) => self.expiring.clear(at),
            (2, Action::Set) => self.list.update(at, vec![element; with as usize % 5]),
            (2, Action::Change) => self.list.add(at, element),
            (2, Action::Read) => self.list.get(at).map(|_| ()),
            (2, Action::Clear) => self.list.clear(at),
            (3, Action::Set) => self.expiring_list.update(at, vec![element; with as usize % 5]),
            (3, Action::Change) => self.expiring_list.add(at, element),
            (3, Action::Read) => self.expiring_list.get(at).map(|_| ()),
            (3, Action::Clear) => self.expiring_list.clear(at),
            (4, Action::Set) => self.map.put(at, with % 6, text),
            (4, Action::Change) => self.map.remove(at, &(with % 6)),
            (4, Action::Read) => self.map.get(at, &(with % 6)).map(|_| ()),
            (4, Action::Clear) => self.map.clear(at),
            (5, Action::Set) => self.expiring_map.put(at, with % 6, number),
            (5, Action::Change) => self.expiring_map.remove(at, &(with % 6)),
            (5, Action::Read) => self.expiring_map.get(at, &(with % 6)).map(|_| ()),
            (5, Action::Clear) => self.expiring_map.clear(at),
            (6, Action::Set | Action::Change) => self.sum.add(at, number),
            (6, Action::Read) => self.sum.get(at).map(|_| ()),
            (6, Action::Clear) => self.sum.clear(at),
            (7, Action::Set | Action::Change) => self.count.add(at, number),
            (7, Action::Read) => self.count.get(at).map(|_| ()),
            (7, Action::Clear) => self.count.clear(at),
            (_, action) => {
                let window = i64::from(with % 3);
                let at = &mut CurrentKey { state: &mut self.state, key: &key, hash, namespace: &window };
                match action {
                    Action::Set => self.of_windows.update(at, number),
                    Action::Change => {
                        self.of_windows.get_mut(at).map(|v| v.into_iter().for_each(|v| *v ^= number))
                    }
                    Action::Read => self.of_windows.get(at).map(|_| ()),
                    Action::Clear => self.of_windows.clear(at),
                }
            }
        };
        acted.unwrap();
    }
}

/// The rest of a snapshot that has begun, or all of it, as far as the sink has not got it yet.
pub(crate) fn finish(state: &mut KeyedState<u64>, sink: &mut flott_state::OperatorSnapshot, slots: usize) {
    while !state.drain_snapshot(&mut SnapshotBudget::new(slots, usize::MAX), sink).unwrap() {}
}

/// Every entry by state, key group, key and namespace. None may be there twice.
pub(crate) fn listed(states: &[KeyedStateSnapshot]) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    for state in states {
        let list = match (state.meta.name.as_str(), state.meta.ttl) {
            ("value", _) => list::<(), i64>,
            ("expiring", _) => list::<(), (Timestamp, String)>,
            ("list", _) => list::<(), Vec<i32>>,
            ("expiring list", _) => list::<(), Vec<(Timestamp, i32)>>,
            ("map", _) => list::<(), Vec<(u8, String)>>,
            ("expiring map", _) => list::<(), Vec<(u8, (Timestamp, i64))>>,
            ("sum", _) => list::<(), i64>,
            ("count", _) => list::<(), (u64, i64)>,
            _ => list::<i64, i64>,
        };
        list(state, &mut entries);
    }
    entries
}

fn list<N: DeserializeOwned + Debug, V: DeserializeOwned + Debug>(
    state: &KeyedStateSnapshot,
    into: &mut BTreeMap<String, String>,
) {
    for (group, entries) in &state.groups {
        assert!(entries.count > 0, "a group without entries is left out");
        let mut bytes = entries.bytes.as_slice();
        for _ in 0..entries.count {
            let (key, namespace, value): (u64, N, V) = decode_prefix(&mut bytes).unwrap();
            let at = format!("{} {group} {key} {namespace:?}", state.meta.name);
            assert_eq!(into.insert(at.clone(), format!("{value:?}")), None, "{at} is there twice");
        }
        assert!(bytes.is_empty());
    }
}
