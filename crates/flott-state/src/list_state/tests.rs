use super::*;
use crate::keyed::{KeyedStateStore, tests::state};

#[test]
fn s95_elements_come_in_the_order_in_which_they_were_added() {
    let mut state = state::<u64>();
    let names = state.list_state(ListStateDescriptor::<String>::new("names")).unwrap();
    let mut at = CurrentKey::new(&mut state, &1, 1);
    assert!(names.get(&mut at).unwrap().is_empty());
    names.add(&mut at, "a".to_owned()).unwrap();
    names.add_all(&mut at, ["b".to_owned(), "c".to_owned()]).unwrap();
    assert_eq!(names.get(&mut at).unwrap(), ["a", "b", "c"]);
    names.update(&mut at, vec!["d".to_owned()]).unwrap();
    assert_eq!(names.get(&mut at).unwrap(), ["d"]);
    assert_eq!(names.take(&mut at).unwrap(), ["d"]);
    assert!(names.get(&mut at).unwrap().is_empty());
}

#[test]
fn a_key_with_an_empty_list_takes_no_room() {
    let mut state = state::<u64>();
    let list = state.list_state(ListStateDescriptor::<u64>::new("list")).unwrap();
    let empty = state.memory_bytes();
    let mut at = CurrentKey::new(&mut state, &1, 1);
    list.add_all(&mut at, []).unwrap();
    list.update(&mut at, Vec::new()).unwrap();
    assert_eq!(state.memory_bytes(), empty);
}

#[test]
fn s98_clear_removes_the_list_of_the_current_key_only() {
    let mut state = state::<u64>();
    let list = state.list_state(ListStateDescriptor::<u64>::new("list")).unwrap();
    for key in [1, 2] {
        list.add(&mut CurrentKey::new(&mut state, &key, key), key).unwrap();
    }
    list.clear(&mut CurrentKey::new(&mut state, &1, 1)).unwrap();
    assert!(list.get(&mut CurrentKey::new(&mut state, &1, 1)).unwrap().is_empty());
    assert_eq!(list.get(&mut CurrentKey::new(&mut state, &2, 2)).unwrap(), [2]);
}
