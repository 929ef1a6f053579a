//! Snapshots of what has changed: on top of those before them, they give what a full one gives.

use std::collections::BTreeMap;

use flott_core::{encoding::decode_prefix, hash::key_hash};
use flott_state::{
    CurrentKey, KeyedStateSnapshot, KeyedStateStore, OperatorSnapshot, SnapshotBudget, SnapshotRequest,
    StateError, StateErrorKind, ValueStateDescriptor, redistribute,
};
use proptest::prelude::*;

use crate::{
    interleaved::{Op, apply, op},
    keyed::Refusing,
    support::{Action, STATES, Subject, empty, finish, listed},
};

/// A checkpoint that is complete: what it holds, and on top of which other.
struct Complete {
    base: Option<u64>,
    taken: OperatorSnapshot,
}

fn layered(complete: &BTreeMap<u64, Complete>, id: u64) -> OperatorSnapshot {
    let mut chain: Vec<_> =
        std::iter::successors(complete.get(&id), |of| of.base.and_then(|base| complete.get(&base)))
            .map(|of| of.taken.clone())
            .collect();
    chain.reverse();
    OperatorSnapshot::layered(chain)
}

/// What a subtask that restores this holds at a time.
fn restored(from: &OperatorSnapshot, now: i64) -> BTreeMap<String, String> {
    let mut subject = Subject::new(from.keyed.clone());
    subject.state.set_processing_time(now);
    listed(&subject.state.snapshot().unwrap())
}

fn checkpoint(subject: &mut Subject, id: u64, base: Option<u64>) -> OperatorSnapshot {
    let mut taken = OperatorSnapshot::default();
    subject.state.begin_snapshot(SnapshotRequest::changes(id, base)).unwrap();
    finish(&mut subject.state, &mut taken, 1000);
    taken
}

fn filled(keys: u64) -> Subject {
    let mut subject = Subject::new(Vec::new());
    (0..keys).for_each(|key| subject.act(0, Action::Set, key, 1));
    subject
}

fn part<'a>(taken: &'a OperatorSnapshot, name: &str) -> &'a KeyedStateSnapshot {
    taken.keyed.iter().find(|part| part.meta.name == name).unwrap()
}

fn entries(taken: &OperatorSnapshot, name: &str) -> u64 {
    part(taken, name).groups.values().map(|entries| entries.count).sum()
}

fn removed(taken: &OperatorSnapshot, name: &str) -> Option<Vec<u64>> {
    let mut keys = Vec::new();
    for lost in part(taken, name).removed.as_ref()?.values() {
        let mut bytes = lost.bytes.as_slice();
        (0..lost.count).for_each(|_| keys.push(decode_prefix(&mut bytes).unwrap()));
        assert!(bytes.is_empty());
    }
    keys.sort_unstable();
    Some(keys)
}

#[test]
fn changes_are_what_was_written_and_removed_since_the_base() {
    let mut subject = filled(3000);
    let first = checkpoint(&mut subject, 1, None);
    assert_eq!((entries(&first, "value"), removed(&first, "value")), (3000, None));
    subject.act(0, Action::Change, 5, 8);
    subject.act(0, Action::Read, 6, 8);
    subject.act(0, Action::Clear, 7, 8);
    subject.act(0, Action::Clear, 8, 8);
    subject.act(0, Action::Set, 8, 9);
    subject.act(0, Action::Set, 3001, 9);
    let second = checkpoint(&mut subject, 2, Some(1));
    assert_eq!((entries(&second, "value"), removed(&second, "value")), (3, Some(vec![7, 8])));
    let third = checkpoint(&mut subject, 3, Some(2));
    assert_eq!((entries(&third, "value"), removed(&third, "value")), (0, Some(vec![])));
    let all = OperatorSnapshot::layered([first, second, third]);
    assert_eq!(restored(&all, 0), listed(&subject.state.snapshot().unwrap()));
}

#[test]
fn the_changes_since_a_checkpoint_before_failed_ones_hold_theirs_too() {
    let mut subject = filled(3000);
    let first = checkpoint(&mut subject, 1, None);
    for id in 2..6 {
        subject.act(0, Action::Change, id, 8);
        subject.act(0, Action::Clear, 100 + id, 8);
        checkpoint(&mut subject, id, Some(1));
    }
    subject.state.begin_snapshot(SnapshotRequest::changes(6, Some(1))).unwrap();
    subject.act(0, Action::Change, 50, 8);
    subject.state.abort_snapshot();
    let last = checkpoint(&mut subject, 7, Some(1));
    assert_eq!((entries(&last, "value"), removed(&last, "value")), (5, Some(vec![102, 103, 104, 105])));
    let all = OperatorSnapshot::layered([first, last]);
    assert_eq!(restored(&all, 0), listed(&subject.state.snapshot().unwrap()));
}

#[test]
fn a_savepoint_between_checkpoints_holds_everything_and_breaks_no_chain() {
    let mut subject = filled(3000);
    checkpoint(&mut subject, 1, None);
    subject.act(0, Action::Clear, 7, 8);
    assert_eq!(listed(&subject.state.snapshot().unwrap()).len(), 2999);
    subject.act(0, Action::Clear, 8, 8);
    let third = checkpoint(&mut subject, 3, Some(1));
    assert_eq!((entries(&third, "value"), removed(&third, "value")), (0, Some(vec![7, 8])));
}

#[test]
fn what_changes_most_of_a_state_is_given_as_a_whole() {
    for (changed, is_whole) in [(300, false), (2700, true)] {
        let mut subject = filled(3000);
        checkpoint(&mut subject, 1, None);
        (0..changed).for_each(|key| subject.act(0, Action::Change, key, 8));
        assert_eq!(removed(&checkpoint(&mut subject, 2, Some(1)), "value").is_none(), is_whole);
    }
}

#[test]
fn a_state_that_loses_too_many_keys_is_given_as_a_whole_once() {
    let mut subject = filled(9000);
    checkpoint(&mut subject, 1, None);
    (0..4000).for_each(|key| subject.act(0, Action::Clear, key, 8));
    assert_eq!(entries(&checkpoint(&mut subject, 2, Some(1)), "value"), 5000);
    subject.act(0, Action::Clear, 5000, 8);
    assert_eq!(removed(&checkpoint(&mut subject, 3, Some(2)), "value"), Some(vec![5000]));
}

#[test]
fn keys_that_expire_and_are_swept_are_removed_from_what_the_base_holds() {
    let mut subject = Subject::new(Vec::new());
    (0..100).for_each(|key| subject.act(5, Action::Set, key, 1));
    subject.state.set_processing_time(20);
    (100..3000).for_each(|key| subject.act(5, Action::Set, key, 1));
    let first = checkpoint(&mut subject, 1, None);
    subject.state.set_processing_time(30);
    // A sweep ends at the last table; the next begins with the first.
    (0..2).for_each(|_| subject.state.records_processed(1000));
    let second = checkpoint(&mut subject, 2, Some(1));
    assert_eq!(removed(&second, "expiring map"), Some((0..100).collect()));
    let all = OperatorSnapshot::layered([first, second]);
    assert_eq!(restored(&all, 30), listed(&subject.state.snapshot().unwrap()));
}

#[test]
fn keys_lost_while_changes_are_written_belong_to_the_next() {
    let mut subject = filled(9000);
    let first = checkpoint(&mut subject, 1, None);
    subject.act(0, Action::Clear, 1, 8);
    subject.state.begin_snapshot(SnapshotRequest::changes(2, Some(1))).unwrap();
    let expected = listed(&filled(9000).state.snapshot().unwrap()).len() - 1;
    (100..5000).for_each(|key| subject.act(0, Action::Clear, key, 8));
    let mut second = OperatorSnapshot::default();
    finish(&mut subject.state, &mut second, 10);
    assert_eq!(removed(&second, "value"), Some(vec![1]));
    assert_eq!(restored(&OperatorSnapshot::layered([first, second]), 0).len(), expected);
}

#[test]
fn an_unknown_base_gives_everything() {
    let mut subject = filled(100);
    checkpoint(&mut subject, 1, None);
    checkpoint(&mut subject, 2, Some(1));
    checkpoint(&mut subject, 3, Some(2));
    for base in [Some(7), Some(1), None] {
        assert_eq!(entries(&checkpoint(&mut subject, 4, base), "value"), 100, "{base:?}");
    }
}

#[test]
fn a_state_registered_after_the_base_is_given_as_a_whole() {
    let mut state = empty(Vec::new());
    state.begin_snapshot(SnapshotRequest::changes(1, None)).unwrap();
    finish(&mut state, &mut OperatorSnapshot::default(), 1);
    let value = state.value_state(ValueStateDescriptor::<u64>::new("value")).unwrap();
    value.update(&mut CurrentKey::new(&mut state, &1, key_hash(&1u64).unwrap()), 1).unwrap();
    let mut taken = OperatorSnapshot::default();
    state.begin_snapshot(SnapshotRequest::changes(2, Some(1))).unwrap();
    finish(&mut state, &mut taken, 1);
    assert_eq!((entries(&taken, "value"), removed(&taken, "value")), (1, None));
}

#[test]
fn parts_of_a_state_that_nobody_registers_go_on_from_snapshot_to_snapshot() {
    let mut subject = filled(3000);
    let first = checkpoint(&mut subject, 1, None);
    subject.act(0, Action::Clear, 7, 8);
    let second = checkpoint(&mut subject, 2, Some(1));
    let mut all = OperatorSnapshot::layered([first, second]);
    for _ in 0..3 {
        let mut nobody = empty(all.keyed);
        all = OperatorSnapshot {
            keyed: nobody.snapshot().unwrap(),
            operator: Vec::new(),
            ..OperatorSnapshot::default()
        };
    }
    assert_eq!(restored(&all, 0), listed(&subject.state.snapshot().unwrap()));
}

#[test]
fn changes_are_spread_over_other_subtasks_behind_what_they_change() {
    let mut subject = filled(3000);
    let first = checkpoint(&mut subject, 1, None);
    (0..20).for_each(|key| subject.act(0, Action::Clear, key, 8));
    (20..40).for_each(|key| subject.act(0, Action::Change, key, 9));
    let second = checkpoint(&mut subject, 2, Some(1));
    (0..5).for_each(|key| subject.act(0, Action::Set, key, 10));
    let third = checkpoint(&mut subject, 3, Some(2));
    let all = OperatorSnapshot::layered([first, second, third]);
    let spread = redistribute(&[all], 3, 3);
    let together: BTreeMap<_, _> = spread.iter().flat_map(|of| restored(of, 0)).collect();
    assert_eq!(together, listed(&subject.state.snapshot().unwrap()));
}

#[test]
fn a_sink_that_takes_whole_states_only_says_so() {
    let mut subject = filled(10);
    checkpoint(&mut subject, 1, None);
    subject.state.begin_snapshot(SnapshotRequest::changes(2, Some(1))).unwrap();
    let refused: StateError =
        subject.state.drain_snapshot(&mut SnapshotBudget::default(), &mut Refusing).unwrap_err();
    assert!(matches!(refused.kind(), StateErrorKind::ChangesNotTaken { .. }), "{refused}");
}

#[derive(Clone, Debug)]
enum Step {
    Do(Op),
    /// Ends the checkpoint at hand, if it is drained: complete or not.
    End(bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        20 => op().prop_map(Step::Do),
        2 => prop::bool::weighted(0.8).prop_map(Step::End),
    ];
    prop::collection::vec(step, 0..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_chain_of_changes_gives_the_state_at_the_beginning_of_each_checkpoint(steps in steps()) {
        let (mut drained, mut at_once) = (Subject::new(Vec::new()), Subject::new(Vec::new()));
        for of in 0..STATES {
            for subject in [&mut drained, &mut at_once] {
                (0..300).for_each(|key| subject.act(of, Action::Set, key, 7));
            }
        }
        let (mut now, mut same, mut id) = (0, 0, 0);
        let (mut complete, mut last) = (BTreeMap::new(), None);
        let mut at_hand = None;
        for step in steps {
            let op = match step {
                Step::End(is_complete) => {
                    match at_hand.take() {
                        Some((expected, then, true, taken)) if is_complete => {
                            complete.insert(id, Complete { base: last, taken });
                            last = Some(id);
                            prop_assert_eq!(restored(&layered(&complete, id), then), expected);
                        }
                        Some((_, _, false, _)) => drained.state.abort_snapshot(),
                        _ => {}
                    }
                    continue;
                }
                Step::Do(op) => op,
            };
            apply(&op, &mut drained, &mut now);
            apply(&op, &mut at_once, &mut same);
            match op {
                Op::Begin if at_hand.is_none() => {
                    id += 1;
                    drained.state.begin_snapshot(SnapshotRequest::changes(id, last)).unwrap();
                    let expected = listed(&at_once.state.snapshot().unwrap());
                    at_hand = Some((expected, now, false, OperatorSnapshot::default()));
                }
                Op::Drain { slots, bytes } => {
                    if let Some((_, _, is_drained, taken)) = &mut at_hand {
                        let mut budget = SnapshotBudget::new(slots, bytes);
                        *is_drained |= drained.state.drain_snapshot(&mut budget, taken).unwrap();
                    }
                }
                _ => {}
            }
        }
    }
}
