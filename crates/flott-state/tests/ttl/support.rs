//! A state of any kind on a clock that the test moves.

use std::time::Duration;

use flott_core::{encoding, hash::key_hash, key_group::KeyGroupRange};
use flott_state::{
    AggregateFunction, AggregatingState, AggregatingStateDescriptor, BackendScope, CurrentKey, KeyedState,
    KeyedStateSnapshot, KeyedStateStore, ListState, ListStateDescriptor, MapState, MapStateDescriptor,
    ReducingState, ReducingStateDescriptor, StateError, StateTtlConfig, ValueState, ValueStateDescriptor,
};

/// Time to live of 100 ms, without clean-up in the background.
pub(crate) fn ttl() -> StateTtlConfig {
    StateTtlConfig::new(Duration::from_millis(100)).disable_cleanup_in_background()
}

pub(crate) fn restored(parts: Vec<KeyedStateSnapshot>, now: i64) -> KeyedState<u64> {
    let key_groups = KeyGroupRange { start: 0, end: 128 };
    let scope = BackendScope { operator: "ttl".to_owned(), subtask: 0, key_groups, max_parallelism: 128 };
    let mut state = KeyedState::new(&scope, crate::backend().as_ref(), parts).unwrap();
    state.set_processing_time(now);
    state
}

pub(crate) fn at<'a>(state: &'a mut KeyedState<u64>, key: &'a u64) -> CurrentKey<'a, u64> {
    CurrentKey::new(state, key, key_hash(key).unwrap())
}

/// What a snapshot is after it was written somewhere and read again.
pub(crate) fn snapshot(state: &mut KeyedState<u64>) -> Vec<KeyedStateSnapshot> {
    encoding::decode(&encoding::to_vec(&state.snapshot().unwrap()).unwrap()).unwrap()
}

/// One value of a state of any kind; writing replaces it.
pub(crate) trait Cell {
    fn write(&self, at: &mut CurrentKey<'_, u64>, value: i64) -> Result<(), StateError>;
    fn read(&self, at: &mut CurrentKey<'_, u64>) -> Result<Option<i64>, StateError>;
    fn clear(&self, at: &mut CurrentKey<'_, u64>) -> Result<(), StateError>;
}

impl Cell for ValueState<i64> {
    fn write(&self, at: &mut CurrentKey<'_, u64>, value: i64) -> Result<(), StateError> {
        self.update(at, value)
    }
    fn read(&self, at: &mut CurrentKey<'_, u64>) -> Result<Option<i64>, StateError> {
        self.value(at)
    }
    fn clear(&self, at: &mut CurrentKey<'_, u64>) -> Result<(), StateError> {
        (*self).clear(at)
    }
}

impl Cell for ListState<i64> {
    fn write(&self, at: &mut CurrentKey<'_, u64>, value: i64) -> Result<(), StateError> {
        self.update(at, vec![value])
    }
    fn read(&self, at: &mut CurrentKey<'_, u64>) -> Result<Option<i64>, StateError> {
        let elements = self.get(at)?;
        assert!(elements.len() <= 1, "{elements:?}");
        Ok(elements.first().copied())
    }
    fn clear(&self, at: &mut CurrentKey<'_, u64>) -> Result<(), StateError> {
        (*self).clear(at)
    }
}

impl Cell for MapState<String, i64> {
    fn write(&self, at: &mut CurrentKey<'_, u64>, value: i64) -> Result<(), StateError> {
        self.put(at, "entry".to_owned(), value)
    }
    fn read(&self, at: &mut CurrentKey<'_, u64>) -> Result<Option<i64>, StateError> {
        Ok(self.get(at, "entry")?.copied())
    }
    fn clear(&self, at: &mut CurrentKey<'_, u64>) -> Result<(), StateError> {
        (*self).clear(at)
    }
}

impl Cell for ReducingState<i64> {
    fn write(&self, at: &mut CurrentKey<'_, u64>, value: i64) -> Result<(), StateError> {
        self.add(at, value)
    }
    fn read(&self, at: &mut CurrentKey<'_, u64>) -> Result<Option<i64>, StateError> {
        Ok(self.get(at)?.copied())
    }
    fn clear(&self, at: &mut CurrentKey<'_, u64>) -> Result<(), StateError> {
        (*self).clear(at)
    }
}

/// The last value.
#[derive(Clone)]
pub(crate) struct Last;

impl AggregateFunction<i64> for Last {
    type Accumulator = i64;
    type Output = i64;

    fn create_accumulator(&self) -> i64 {
        0
    }
    fn add(&self, value: i64, accumulator: &mut i64) {
        *accumulator = value;
    }
    fn get_result(&self, accumulator: &i64) -> i64 {
        *accumulator
    }
    fn merge(&self, accumulator: &mut i64, other: i64) {
        *accumulator = other;
    }
}

impl Cell for AggregatingState<i64, Last> {
    fn write(&self, at: &mut CurrentKey<'_, u64>, value: i64) -> Result<(), StateError> {
        self.add(at, value)
    }
    fn read(&self, at: &mut CurrentKey<'_, u64>) -> Result<Option<i64>, StateError> {
        self.get(at)
    }
    fn clear(&self, at: &mut CurrentKey<'_, u64>) -> Result<(), StateError> {
        (*self).clear(at)
    }
}

/// Registers a state called `state`, with time to live or without.
pub(crate) type Open = fn(&mut KeyedState<u64>, Option<StateTtlConfig>) -> Result<Box<dyn Cell>, StateError>;

macro_rules! open {
    ($register:ident, $descriptor:expr) => {
        |state, ttl| {
            let descriptor = $descriptor;
            let descriptor = match ttl {
                Some(ttl) => descriptor.enable_time_to_live(ttl),
                None => descriptor,
            };
            Ok(Box::new(state.$register(descriptor)?))
        }
    };
}

pub(crate) const KINDS: [Open; 5] = [
    open!(value_state, ValueStateDescriptor::<i64>::new("state")),
    open!(list_state, ListStateDescriptor::<i64>::new("state")),
    open!(map_state, MapStateDescriptor::<String, i64>::new("state")),
    open!(reducing_state, ReducingStateDescriptor::new("state", |_: &i64, last: i64| last)),
    open!(aggregating_state, AggregatingStateDescriptor::<i64, Last>::new("state", Last)),
];

/// A state under test.
pub(crate) struct Subject {
    open: Open,
    ttl: Option<StateTtlConfig>,
    now: i64,
    restarts: bool,
    pub(crate) state: KeyedState<u64>,
    cell: Box<dyn Cell>,
}

impl Subject {
    pub(crate) fn new(open: Open, ttl: Option<StateTtlConfig>, restarts: bool) -> Self {
        let mut state = restored(Vec::new(), 0);
        let cell = open(&mut state, ttl.clone()).unwrap();
        Self { open, ttl, now: 0, restarts, state, cell }
    }

    /// Takes a snapshot and goes on from it.
    pub(crate) fn restart(&mut self) {
        self.restart_with(self.ttl.clone());
    }

    pub(crate) fn restart_with(&mut self, ttl: Option<StateTtlConfig>) {
        let parts = snapshot(&mut self.state);
        self.ttl = ttl;
        self.state = restored(parts, self.now);
        self.cell = (self.open)(&mut self.state, self.ttl.clone()).unwrap();
    }

    fn step(&mut self) {
        if self.restarts {
            self.restart();
        }
    }

    /// Moves the clock.
    pub(crate) fn at(&mut self, now: i64) -> &mut Self {
        self.step();
        self.now = now;
        self.state.set_processing_time(now);
        self
    }

    pub(crate) fn write(&mut self, key: u64, value: i64) {
        self.step();
        self.cell.write(&mut at(&mut self.state, &key), value).unwrap();
    }

    pub(crate) fn read(&mut self, key: u64) -> Option<i64> {
        self.step();
        self.cell.read(&mut at(&mut self.state, &key)).unwrap()
    }

    pub(crate) fn clear(&mut self, key: u64) {
        self.step();
        self.cell.clear(&mut at(&mut self.state, &key)).unwrap();
    }

    /// How many keys have something stored, expired or not.
    pub(crate) fn stored(&mut self) -> u64 {
        self.state
            .snapshot()
            .unwrap()
            .iter()
            .flat_map(|part| part.groups.values())
            .map(|group| group.count)
            .sum()
    }
}

/// Runs a test for each kind of state: plainly, and with a snapshot and restore between all steps.
pub(crate) fn run(ttl: StateTtlConfig, test: impl Fn(&mut Subject)) {
    for open in KINDS {
        for restarts in [false, true] {
            test(&mut Subject::new(open, Some(ttl.clone()), restarts));
        }
    }
}
