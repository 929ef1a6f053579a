use super::*;
use crate::{
    error::StateErrorKind,
    keyed::{KeyedStateStore, StateRegistry, tests::state},
};

/// Hashes need not spread for these tests, only differ.
fn at<'a>(state: &'a mut KeyedState<String>, key: &'a String) -> CurrentKey<'a, String> {
    CurrentKey::new(state, key, key.len() as u64 * 1_000_003)
}

#[test]
fn each_key_has_its_own_value() {
    let mut state = state();
    let sum = state.value_state(ValueStateDescriptor::<i64>::new("sum")).unwrap();
    let (short, long) = ("a".to_owned(), "a longer key".to_owned());
    sum.update(&mut at(&mut state, &short), 1).unwrap();
    *sum.get_or_insert_with(&mut at(&mut state, &long), || 10).unwrap() += 1;
    assert_eq!(sum.value(&mut at(&mut state, &short)).unwrap(), Some(1));
    assert_eq!(sum.get(&mut at(&mut state, &long)).unwrap(), Some(&11));
}

#[test]
fn s94_s98_a_value_is_changed_in_place_and_cleared() {
    let mut state = state();
    let names = state.value_state(ValueStateDescriptor::<Vec<String>>::new("names")).unwrap();
    let key = "k".to_owned();
    let mut context = at(&mut state, &key);
    assert_eq!(names.get_mut(&mut context).unwrap(), None);
    names.update(&mut context, vec!["x".to_owned()]).unwrap();
    names.get_mut(&mut context).unwrap().unwrap().push("y".to_owned());
    assert_eq!(names.value(&mut context).unwrap(), Some(vec!["x".to_owned(), "y".to_owned()]));
    names.clear(&mut context).unwrap();
    assert_eq!(names.value(&mut context).unwrap(), None);
}

#[test]
fn a_handle_that_was_never_obtained_says_to_obtain_it_in_open() {
    let mut state = state();
    let key = "k".to_owned();
    assert_eq!(
        ValueState::<i64>::default().value(&mut at(&mut state, &key)).unwrap_err().to_string(),
        "ValueState<i64> is bound to no state; obtain it in open() from its descriptor before using it"
    );
}

#[test]
fn a_handle_of_another_operator_is_refused_where_it_doesnt_fit() {
    let (mut mine, mut other) = (state(), state::<String>());
    let foreign = other.value_state(ValueStateDescriptor::<i64>::new("sum")).unwrap();
    let key = "k".to_owned();
    let expected = StateErrorKind::Foreign { handle: "ValueState<i64>".to_owned() };
    assert_eq!(*foreign.update(&mut at(&mut mine, &key), 1).unwrap_err().kind(), expected);
    mine.value_state(ValueStateDescriptor::<String>::new("name")).unwrap();
    assert_eq!(*foreign.update(&mut at(&mut mine, &key), 1).unwrap_err().kind(), expected);
}

#[test]
fn windows_of_one_key_are_kept_apart() {
    let mut state = state::<u64>();
    let counts =
        StateRegistry::<_, i64>::new(&mut state).value_state(ValueStateDescriptor::new("count")).unwrap();
    let mut in_window = |window, value| {
        counts.update(&mut CurrentKey { state: &mut state, key: &7, hash: 7, namespace: &window }, value)
    };
    in_window(1000_i64, 1_u64).unwrap();
    in_window(2000, 2).unwrap();
    let mut first = CurrentKey { state: &mut state, key: &7, hash: 7, namespace: &1000_i64 };
    assert_eq!(counts.take(&mut first).unwrap(), Some(1));
    assert_eq!(counts.get(&mut first).unwrap(), None);
    let mut second = CurrentKey { state: &mut state, key: &7, hash: 7, namespace: &2000_i64 };
    assert_eq!(counts.get(&mut second).unwrap(), Some(&2));
}

#[test]
fn a_window_s_handle_is_refused_where_no_window_is() {
    let mut state = state::<u64>();
    let count = StateRegistry::<_, i64>::new(&mut state)
        .value_state(ValueStateDescriptor::<u64>::new("count"))
        .unwrap();
    let expected = StateErrorKind::Foreign { handle: "ValueState<u64>".to_owned() };
    assert_eq!(*count.value(&mut CurrentKey::new(&mut state, &7, 7)).unwrap_err().kind(), expected);
}

#[test]
fn a_handle_can_be_a_field_of_a_function_that_is_sent_and_cloned() {
    fn fits<T: Send + Sync + Copy + Default>() {}
    fits::<ValueState<std::cell::Cell<u8>>>();
}
