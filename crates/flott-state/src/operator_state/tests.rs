//! Lists and broadcast maps of one subtask, and what a restore makes of them.

use super::*;
use crate::snapshot::RedistributionMode::{Broadcast, SplitDistribute, Union};

fn list<T>(name: &str) -> ListStateDescriptor<T> {
    ListStateDescriptor::new(name)
}

fn map<K, V>(name: &str) -> MapStateDescriptor<K, V> {
    MapStateDescriptor::new(name)
}

/// The state as a restart at the same parallelism gives it back.
fn restored(state: &OperatorState) -> OperatorState {
    OperatorState::new(Some(state.snapshot().unwrap()))
}

#[test]
fn s36_s39_a_list_belongs_to_the_subtask_and_needs_no_key() {
    let mut state = OperatorState::new(None);
    let offsets = state.list_state(list::<(u32, u64)>("offsets")).unwrap();
    assert_eq!(offsets.get(&state).unwrap(), []);
    offsets.add(&mut state, (0, 10)).unwrap();
    offsets.add_all(&mut state, [(1, 20), (2, 30)]).unwrap();
    assert_eq!(offsets.get(&state).unwrap(), [(0, 10), (1, 20), (2, 30)]);
    offsets.update(&mut state, vec![(7, 70)]).unwrap();
    assert_eq!(offsets.get(&state).unwrap(), [(7, 70)]);
    offsets.clear(&mut state).unwrap();
    assert_eq!(offsets.get(&state).unwrap(), []);
}

#[test]
fn s44_a_broadcast_state_is_a_map() {
    let mut state = OperatorState::new(None);
    let rules = state.broadcast_state(map::<String, i64>("rules")).unwrap();
    rules.put(&mut state, "a".to_owned(), 1).unwrap();
    rules.put_all(&mut state, [("b".to_owned(), 2), ("a".to_owned(), 3)]).unwrap();
    assert_eq!(rules.get(&state, "a").unwrap(), Some(&3));
    assert!(rules.contains(&state, "b").unwrap() && !rules.contains(&state, "c").unwrap());
    assert_eq!(rules.remove(&mut state, "a").unwrap(), Some(3));
    assert_eq!(rules.iter(&state).unwrap().collect::<Vec<_>>(), [(&"b".to_owned(), &2)]);
    rules.clear(&mut state).unwrap();
    assert_eq!(rules.iter(&state).unwrap().len(), 0);
}

#[test]
fn s44_where_the_context_is_read_only_a_broadcast_state_can_be_read() {
    struct ReadOnly<'a>(&'a OperatorState);
    impl HasReadOnlyOperatorState for ReadOnly<'_> {
        fn operator_state(&self) -> &OperatorState {
            self.0
        }
    }
    let mut state = OperatorState::new(None);
    let rules = state.broadcast_state(map::<u8, u8>("rules")).unwrap();
    rules.put(&mut state, 1, 2).unwrap();
    // rules.put(&mut ReadOnly(&state), …) does not compile: it is no HasOperatorState.
    assert_eq!(rules.get(&ReadOnly(&state), &1).unwrap(), Some(&2));
}

#[test]
fn s37_is_restored_tells_a_restore_from_a_first_start() {
    assert!(!OperatorState::new(None).is_restored());
    assert!(OperatorState::new(Some(Vec::new())).is_restored(), "even if the subtask gets nothing");
}

#[test]
fn s38_s46_the_kind_by_which_a_state_was_obtained_is_in_the_snapshot() {
    let mut state = OperatorState::new(None);
    let split = state.list_state(list::<u8>("split")).unwrap();
    let union = state.union_list_state(list::<u8>("union")).unwrap();
    let broadcast = state.broadcast_state(map::<u8, u16>("broadcast")).unwrap();
    split.add_all(&mut state, [1, 2]).unwrap();
    union.add(&mut state, 3).unwrap();
    broadcast.put(&mut state, 4, 5).unwrap();
    let snapshot = state.snapshot().unwrap();
    let told: Vec<_> = snapshot
        .iter()
        .map(|s| (s.name.as_str(), s.mode, s.element_type.name.as_str(), s.elements.clone()))
        .collect();
    let expected = [
        ("split", SplitDistribute, "u8", vec![vec![1], vec![2]]),
        ("union", Union, "u8", vec![vec![3]]),
        ("broadcast", Broadcast, "(u8, u16)", vec![vec![4, 5, 0]]),
    ];
    assert_eq!(told, expected);
}

#[test]
fn s12_operator_state_has_no_time_to_live() {
    let ttl = || StateTtlConfig::new(std::time::Duration::from_secs(1));
    let mut state = OperatorState::new(None);
    let refused = [
        state.list_state(list::<u8>("s").enable_time_to_live(ttl())).map(drop),
        state.union_list_state(list::<u8>("s").enable_time_to_live(ttl())).map(drop),
        state.broadcast_state(map::<u8, u8>("s").enable_time_to_live(ttl())).map(drop),
    ];
    for error in refused {
        assert_eq!(
            error.unwrap_err().to_string(),
            "state 's' has no valid time to live: only keyed state expires; leave enable_time_to_live out"
        );
    }
}

#[test]
fn a_restored_state_has_what_it_had_and_in_the_same_order() {
    let mut state = OperatorState::new(None);
    let split = state.list_state(list::<String>("split")).unwrap();
    let rules = state.broadcast_state(map::<u32, u32>("rules")).unwrap();
    split.add_all(&mut state, ["b".to_owned(), "a".to_owned()]).unwrap();
    rules.put_all(&mut state, (0..100).map(|key| (key * 7 % 101, key))).unwrap();
    rules.remove(&mut state, &14).unwrap();
    let order: Vec<_> = rules.iter(&state).unwrap().map(|(key, value)| (*key, *value)).collect();

    let mut state = restored(&state);
    let rules = state.broadcast_state(map::<u32, u32>("rules")).unwrap();
    let split = state.list_state(list::<String>("split")).unwrap();
    assert_eq!(split.get(&state).unwrap(), ["b", "a"]);
    assert_eq!(rules.iter(&state).unwrap().map(|(key, value)| (*key, *value)).collect::<Vec<_>>(), order);
    split.clear(&mut state).unwrap();
    let mut state = restored(&state);
    let split = state.list_state(list::<String>("split")).unwrap();
    assert_eq!(split.get(&state).unwrap().len(), 0, "what was taken over once does not come back");
}

#[test]
fn what_nobody_registers_is_kept_and_written_again() {
    let mut state = OperatorState::new(None);
    let split = state.list_state(list::<u64>("old")).unwrap();
    split.add(&mut state, 7).unwrap();
    let before = state.snapshot().unwrap();
    let mut state = restored(&state);
    state.list_state(list::<u64>("new")).unwrap();
    let after = state.snapshot().unwrap();
    assert_eq!(after.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["new", "old"]);
    assert_eq!(after[1], before[0]);
    let split = state.list_state(list::<u64>("old")).unwrap();
    assert_eq!(split.get(&state).unwrap(), [7], "it can be registered late");
    assert_eq!(state.snapshot().unwrap().len(), 2);
}

#[test]
fn the_same_name_gives_the_same_state() {
    let mut state = OperatorState::new(None);
    let first = state.list_state(list::<u64>("s")).unwrap();
    let second = state.list_state(list::<u64>("s")).unwrap();
    first.add(&mut state, 1).unwrap();
    assert_eq!(second.get(&state).unwrap(), [1]);
}

#[test]
fn a_name_that_is_taken_by_another_kind_or_type_is_an_error() {
    let mut state = OperatorState::new(None);
    state.list_state(list::<u64>("s")).unwrap();
    let errors = [
        state.list_state(list::<i64>("s")).map(drop),
        state.union_list_state(list::<u64>("s")).map(drop),
        state.broadcast_state(map::<u64, u64>("s")).map(drop),
    ];
    let told = errors.map(|error| error.unwrap_err().to_string());
    let expected = ["list state of i64", "union list state of u64", "broadcast state of (u64, u64)"].map(|asked| {
        format!(
            "state 's' is already registered as list state of u64, asked for as {asked}; give each state its own name"
        )
    });
    assert_eq!(told, expected);
}

#[test]
fn a_restored_state_of_another_kind_or_type_is_an_error_and_stays_what_it_is() {
    let mut state = OperatorState::new(None);
    let split = state.list_state(list::<u16>("s")).unwrap();
    split.add(&mut state, 7).unwrap();
    let mut state = restored(&state);
    assert_eq!(
        state.union_list_state(list::<u16>("s")).map(drop).unwrap_err().to_string(),
        "state 's' was written as list state of u16 and can't be restored as union list state of u16; ask for it as \
         what it was, or give the new state a name of its own"
    );
    assert_eq!(
        state.list_state(list::<String>("s")).map(drop).unwrap_err().to_string(),
        "cannot restore state 's', whose element was written by u16 and is read by alloc::string::String: it was \
         written as u16 and is str now; undo the change, or give the new state a name of its own"
    );
    let split = state.list_state(list::<u16>("s")).unwrap();
    assert_eq!(split.get(&state).unwrap(), [7]);
}

#[test]
fn a_value_that_cannot_be_encoded_fails_the_snapshot_and_is_named() {
    #[derive(Clone, serde::Deserialize)]
    struct Stubborn;
    impl serde::Serialize for Stubborn {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never"))
        }
    }
    let mut state = OperatorState::new(None);
    let split = state.list_state(list::<Stubborn>("s")).unwrap();
    split.add(&mut state, Stubborn).unwrap();
    let told = state.snapshot().unwrap_err().to_string();
    assert!(
        told.starts_with("state 's' can't be written to a snapshot, as a ") && told.contains("never"),
        "{told}"
    );
}

#[test]
fn a_handle_of_no_state_or_of_another_operator_is_an_error() {
    let state = OperatorState::new(None);
    assert_eq!(
        OperatorListState::<u64>::default().get(&state).unwrap_err().to_string(),
        "OperatorListState<u64> is bound to no state; obtain it in open() from its descriptor before using it"
    );
    let foreign = OperatorState::new(None).broadcast_state(map::<u8, u8>("s")).unwrap();
    assert_eq!(
        foreign.get(&state, &1).unwrap_err().to_string(),
        "BroadcastState<u8, u8> belongs to the state of another operator; obtain a handle in the open() of this one"
    );
}
