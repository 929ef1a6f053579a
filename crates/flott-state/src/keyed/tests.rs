use super::*;
use crate::{
    aggregating_state::{AggregatingStateDescriptor, tests::Mean},
    backend::HashMapStateBackend,
    list_state::ListStateDescriptor,
    map_state::MapStateDescriptor,
    reducing_state::ReducingStateDescriptor,
    value_state::ValueStateDescriptor as Descriptor,
};

pub(crate) fn scope(key_groups: KeyGroupRange, max_parallelism: u32) -> BackendScope {
    BackendScope { operator: "sum".to_owned(), subtask: 0, key_groups, max_parallelism }
}

pub(crate) fn state<K: Key>() -> KeyedState<K> {
    KeyedState::new(&scope(KeyGroupRange { start: 0, end: 128 }, 128), &HashMapStateBackend, Vec::new())
        .unwrap()
}

fn text<T>(result: Result<T, StateError>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn the_same_name_and_type_give_the_same_state() {
    let mut state = state::<u64>();
    let first = state.value_state(Descriptor::<i64>::new("sum")).unwrap();
    let again = state.value_state(Descriptor::<i64>::new("sum")).unwrap();
    let mut at = CurrentKey::new(&mut state, &1, 1);
    first.update(&mut at, 5).unwrap();
    assert_eq!(again.value(&mut at).unwrap(), Some(5));
}

#[test]
fn s99_the_same_name_with_another_type_is_refused() {
    let mut state = state::<u64>();
    state.value_state(Descriptor::<i64>::new("sum")).unwrap();
    assert_eq!(
        text(state.value_state(Descriptor::<u64>::new("sum"))),
        "state 'sum' is already registered as ValueState<i64>, asked for as ValueState<u64>; give each state its own \
         name"
    );
}

#[test]
fn impossible_key_groups_are_refused() {
    let open = |start, end, max| {
        KeyedState::<u64>::new(&scope(KeyGroupRange { start, end }, max), &HashMapStateBackend, Vec::new())
    };
    assert!(open(0, 128, 128).is_ok());
    assert!(text(open(5, 5, 128)).starts_with("cannot open keyed state for no key group of 128:"));
    assert!(text(open(0, 129, 128)).starts_with("cannot open keyed state for key groups 0 to 128 of 128:"));
    assert!(open(0, 1, 40_000).is_err());
}

#[test]
fn memory_is_that_of_all_states() {
    let mut state = state::<u64>();
    let (a, b) =
        (state.value_state(Descriptor::<i64>::new("a")), state.value_state(Descriptor::<u8>::new("b")));
    let empty = state.memory_bytes();
    let mut at = CurrentKey::new(&mut state, &1, 1);
    a.unwrap().update(&mut at, 1).unwrap();
    b.unwrap().update(&mut at, 1).unwrap();
    state.prefetch(&[1, u64::MAX]);
    assert_eq!(state.memory_bytes() - empty, 8 * 24 + 8 * 24);
}

#[test]
fn s99_a_name_stands_for_one_kind_of_state() {
    let mut state = state::<u64>();
    state.list_state(ListStateDescriptor::<i64>::new("x")).unwrap();
    let asked_as = |asked| {
        format!(
            "state 'x' is already registered as ListState<i64>, asked for as {asked}; give each state its own name"
        )
    };
    assert_eq!(text(state.value_state(Descriptor::<i64>::new("x"))), asked_as("ValueState<i64>"));
    assert_eq!(
        text(state.value_state(Descriptor::<Vec<i64>>::new("x"))),
        asked_as("ValueState<alloc::vec::Vec<i64>>")
    );
    assert_eq!(text(state.map_state(MapStateDescriptor::<u8, i64>::new("x"))), asked_as("MapState<u8, i64>"));
    let reducing = ReducingStateDescriptor::new("x", |a: &i64, b: i64| a + b);
    assert_eq!(text(state.reducing_state(reducing)), asked_as("ReducingState<i64>"));
    let aggregating = AggregatingStateDescriptor::new("x", Mean);
    assert!(text(state.aggregating_state(aggregating)).contains("asked for as AggregatingState<i64, "));
    assert!(state.list_state(ListStateDescriptor::<i64>::new("x")).is_ok());
}
