use flott_core::hash::key_hash;
use flott_core::key_group::KeyGroupRange;

use super::WindowState;
use crate::{BackendScope, HashMapStateBackend, KeyedState};

fn state() -> KeyedState<u64> {
    let key_groups = KeyGroupRange { start: 0, end: 128 };
    let scope = BackendScope { operator: "w".to_owned(), subtask: 0, key_groups, max_parallelism: 128 };
    KeyedState::new(&scope, &HashMapStateBackend).unwrap()
}

#[test]
fn windows_of_one_key_are_kept_apart() {
    let mut state = state();
    let windows: WindowState<i64, u64> = state.window_state("contents").unwrap();
    let hash = key_hash(&7_u64).unwrap();
    windows.insert(&mut state, hash, &7, &1000, 1).unwrap();
    windows.insert(&mut state, hash, &7, &2000, 2).unwrap();
    *windows.get_mut(&mut state, hash, &7, &1000).unwrap().unwrap() += 10;
    assert_eq!(windows.get(&mut state, hash, &7, &1000).unwrap(), Some(&11));
    assert_eq!(windows.remove(&mut state, hash, &7, &1000).unwrap(), Some(11));
    assert_eq!(windows.get(&mut state, hash, &7, &1000).unwrap(), None);
    assert_eq!(windows.get(&mut state, hash, &7, &2000).unwrap(), Some(&2));
}

#[test]
fn a_handle_of_another_operator_is_refused() {
    let mut other = state();
    let handle: WindowState<i64, u64> = other.window_state("contents").unwrap();
    let error = handle.get(&mut state(), 0, &7, &1000).unwrap_err();
    assert!(error.to_string().contains("WindowState<i64, u64>"), "{error}");
}
