//! How a snapshot begins, goes on and ends.

use flott_core::hash::key_hash;
use flott_state::{
    CurrentKey, KeyedStateMeta, KeyedStateStore, OperatorSnapshot, OperatorStateSnapshot, SnapshotBudget,
    SnapshotRequest, SnapshotSink, StateError, StateErrorKind, ValueStateDescriptor,
};

use crate::support::{Action, Subject, empty, finish, listed};

fn filled(keys: u64) -> Subject {
    let mut subject = Subject::new(Vec::new());
    (0..keys).for_each(|key| subject.act(0, Action::Set, key, key as u8));
    subject
}

#[test]
fn a_second_snapshot_waits_for_the_first_to_end() {
    let mut subject = filled(1000);
    let mut taken = OperatorSnapshot::default();
    subject.state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
    let refused = subject.state.begin_snapshot(SnapshotRequest::whole(1)).unwrap_err();
    assert_eq!(*refused.kind(), StateErrorKind::SnapshotInProgress);
    assert!(!subject.state.drain_snapshot(&mut SnapshotBudget::new(1, 1), &mut taken).unwrap());
    assert!(subject.state.begin_snapshot(SnapshotRequest::whole(1)).is_err());
    finish(&mut subject.state, &mut taken, 100);
    assert_eq!(listed(&taken.keyed).len(), 1000);
    subject.state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
}

#[test]
fn without_a_snapshot_there_is_nothing_to_drain() {
    let mut subject = filled(10);
    let mut taken = OperatorSnapshot::default();
    assert!(subject.state.drain_snapshot(&mut SnapshotBudget::default(), &mut taken).unwrap());
    assert!(taken.is_empty());
}

#[test]
fn a_snapshot_that_was_given_up_leaves_no_trace_in_the_next() {
    let mut subject = filled(1000);
    subject.state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
    subject.act(0, Action::Set, 3, 99);
    subject.state.abort_snapshot();
    let taken = subject.state.snapshot().unwrap();
    assert_eq!(listed(&taken).len(), 1000);
    assert!(listed(&taken).iter().any(|(at, value)| at.ends_with(" 3 ()") && value == "99"));
}

#[test]
fn a_state_registered_after_the_beginning_is_not_in_the_snapshot_but_what_it_restores_is() {
    let before = filled(100).state.snapshot().unwrap();
    let mut state = empty(before.clone());
    state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
    let value = state.value_state(ValueStateDescriptor::<i64>::new("value")).unwrap();
    let new = state.value_state(ValueStateDescriptor::<i64>::new("of windows 2")).unwrap();
    for key in 0..100 {
        let at = &mut CurrentKey::new(&mut state, &key, key_hash(&key).unwrap());
        value.update(at, -1).unwrap();
        new.update(at, -1).unwrap();
    }
    let mut taken = OperatorSnapshot::default();
    finish(&mut state, &mut taken, 10);
    assert_eq!(taken.keyed, before);
}

#[test]
fn the_entries_are_in_the_snapshot_whatever_the_budget() {
    let expected = listed(&filled(3000).state.snapshot().unwrap());
    for slots in [1, 64, 1000, usize::MAX] {
        let mut subject = filled(3000);
        subject.state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
        let mut taken = OperatorSnapshot::default();
        finish(&mut subject.state, &mut taken, slots);
        assert_eq!(listed(&taken.keyed), expected);
    }
}

/// Takes nothing.
pub(crate) struct Refusing;

impl SnapshotSink for Refusing {
    fn keyed_state(&mut self, _: &KeyedStateMeta) -> Result<u32, StateError> {
        Ok(0)
    }

    fn entries(&mut self, _: u32, _: u32, _: u64, _: &[u8]) -> Result<(), StateError> {
        Err(StateErrorKind::CannotHash { reason: "the disk is full".to_owned() }.into())
    }

    fn operator_state(&mut self, _: &OperatorStateSnapshot) -> Result<(), StateError> {
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_ends_the_snapshot() {
    let mut subject = filled(100);
    subject.state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
    assert!(subject.state.drain_snapshot(&mut SnapshotBudget::default(), &mut Refusing).is_err());
    assert_eq!(listed(&subject.state.snapshot().unwrap()).len(), 100);
}
