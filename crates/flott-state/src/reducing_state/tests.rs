use super::*;
use crate::keyed::{KeyedStateStore, tests::state};

#[test]
fn s97_the_first_value_is_stored_and_further_ones_are_combined() {
    let mut state = state::<u64>();
    let descriptor =
        ReducingStateDescriptor::new("path", |stored: &String, added: String| stored.clone() + &added);
    let path = state.reducing_state(descriptor).unwrap();
    let mut at = CurrentKey::new(&mut state, &1, 1);
    assert_eq!(path.get(&mut at).unwrap(), None);
    for part in ["a", "b", "c"] {
        path.add(&mut at, part.to_owned()).unwrap();
    }
    assert_eq!(path.get(&mut at).unwrap().unwrap(), "abc");
    path.clear(&mut at).unwrap();
    assert_eq!(path.get(&mut at).unwrap(), None);
}
