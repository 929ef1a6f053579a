use super::*;
use crate::{
    AggregatingStateDescriptor, KeyedStateStore, ListStateDescriptor, ReducingStateDescriptor,
    StateErrorKind, StateRegistry, aggregating_state::tests::Mean, keyed::tests::state,
    list_state::ListState,
};

fn in_window<'a>(state: &'a mut KeyedState<u64>, window: &'a i64) -> CurrentKey<'a, u64, i64> {
    CurrentKey { state, key: &7, hash: 7, namespace: window }
}

#[test]
fn lists_are_joined_in_order_behind_what_the_target_has() {
    let mut state = state::<u64>();
    let list = StateRegistry::<_, i64>::new(&mut state).list_state(ListStateDescriptor::new("list")).unwrap();
    for window in [30, 10, 20] {
        list.add_all(&mut in_window(&mut state, &window), [window, window + 1]).unwrap();
    }
    list.merge_namespaces(&mut state, &7, 7, &10, &[20, 15, 30]).unwrap();
    assert_eq!(list.get(&mut in_window(&mut state, &10)).unwrap(), [10, 11, 20, 21, 30, 31]);
    assert!(list.get(&mut in_window(&mut state, &20)).unwrap().is_empty());
    assert!(list.get(&mut in_window(&mut state, &30)).unwrap().is_empty());
}

#[test]
fn what_only_a_source_has_moves_to_the_target() {
    let mut state = state::<u64>();
    let descriptor = ReducingStateDescriptor::new("text", |a: &String, b: String| a.clone() + &b);
    let text = StateRegistry::<_, i64>::new(&mut state).reducing_state(descriptor).unwrap();
    text.merge_namespaces(&mut state, &7, 7, &40, &[10, 20]).unwrap();
    assert_eq!(text.get(&mut in_window(&mut state, &40)).unwrap(), None);
    text.add(&mut in_window(&mut state, &20), "b".to_owned()).unwrap();
    text.add(&mut in_window(&mut state, &10), "a".to_owned()).unwrap();
    text.merge_namespaces(&mut state, &7, 7, &40, &[10, 20]).unwrap();
    assert_eq!(text.get(&mut in_window(&mut state, &40)).unwrap().unwrap(), "ab");
}

#[test]
fn s6_accumulators_are_merged_by_the_function() {
    let mut state = state::<u64>();
    let descriptor = AggregatingStateDescriptor::new("mean", Mean);
    let mean = StateRegistry::<_, i64>::new(&mut state).aggregating_state(descriptor).unwrap();
    for (window, value) in [(10, 1), (20, 3), (20, 5)] {
        mean.add(&mut in_window(&mut state, &window), value).unwrap();
    }
    mean.merge_namespaces(&mut state, &7, 7, &10, &[20]).unwrap();
    assert_eq!(mean.get(&mut in_window(&mut state, &10)).unwrap(), Some(3.0));
    assert_eq!(mean.get(&mut in_window(&mut state, &20)).unwrap(), None);
}

#[test]
fn a_handle_that_fits_no_state_is_refused() {
    let mut state = state::<u64>();
    let error = ListState::<u8>::default().merge_namespaces(&mut state, &7, 7, &10, &[20]).unwrap_err();
    assert_eq!(*error.kind(), StateErrorKind::Unbound { handle: "ListState<u8>".to_owned() });
}
