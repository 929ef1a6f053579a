use proptest::prelude::*;

use super::*;

/// Commits what is due to `target`.
fn commit(committables: &mut Committables<u32>, target: &mut Vec<u32>) -> bool {
    committables
        .commit(|committable| {
            target.push(*committable);
            Ok(())
        })
        .unwrap()
        .is_none()
}

fn three_checkpoints() -> Committables<u32> {
    let mut committables = Committables::default();
    for (checkpoint, committable) in [(0, 42), (1, 43), (2, 44)] {
        committables.add(checkpoint, [committable]);
    }
    committables
}

#[test]
fn v8_9_1_a_notice_commits_its_checkpoint_and_all_before_it() {
    let (mut committables, mut target) = (three_checkpoints(), Vec::new());
    committables.complete(1);
    assert!(commit(&mut committables, &mut target));
    assert_eq!(target, [42, 43]);
    assert_eq!(committables.len(), 1, "that of checkpoint 2 waits");
}

#[test]
fn v8_9_2_a_late_notice_of_a_smaller_checkpoint_is_ignored() {
    let (mut committables, mut target) = (three_checkpoints(), Vec::new());
    committables.complete(2);
    commit(&mut committables, &mut target);
    committables.complete(1);
    assert!(commit(&mut committables, &mut target));
    assert_eq!(target, [42, 43, 44]);
    assert!(committables.is_empty());
}

#[test]
fn v8_9_3_after_a_failure_before_the_notice_the_restored_are_committed_and_later_ones_are_gone() {
    let mut before = Committables::default();
    before.add(0, [42]);
    before.add(1, [43]);
    let bytes = flott_core::encoding::to_vec(&before.snapshot()).unwrap();
    before.add(2, [44]);
    let mut restored = Committables::restored([flott_core::encoding::decode(&bytes).unwrap()]);
    let mut target = Vec::new();
    assert!(commit(&mut restored, &mut target));
    assert_eq!(target, [42, 43]);
    assert!(restored.is_empty());
}

#[test]
fn nothing_is_committed_before_a_notice() {
    let (mut committables, mut target) = (three_checkpoints(), Vec::new());
    assert!(commit(&mut committables, &mut target));
    assert_eq!((target, committables.len()), (vec![], 3));
}

#[test]
fn a_commit_that_must_be_retried_stays_in_the_snapshot_until_it_succeeds() {
    let mut committables = three_checkpoints();
    committables.complete(1);
    let why = committables
        .commit(|committable| match committable {
            42 => Err(CommitError::RetryLater("the target is away".into())),
            _ => Ok(()),
        })
        .unwrap();
    assert_eq!(why.unwrap().to_string(), "the target is away");
    assert_eq!(committables.snapshot().pending, BTreeMap::from([(0, vec![42]), (2, vec![44])]));
    let mut target = Vec::new();
    assert!(commit(&mut committables, &mut target));
    assert_eq!(target, [42]);
}

#[test]
fn what_was_committed_before_counts_as_committed() {
    let mut committables = three_checkpoints();
    committables.complete(2);
    assert!(committables.commit(|_| Err(CommitError::AlreadyCommitted)).unwrap().is_none());
    assert!(committables.is_empty());
}

#[test]
fn a_commit_that_can_never_succeed_is_an_error_and_loses_nothing_behind_it() {
    let mut committables = three_checkpoints();
    committables.complete(2);
    let error = committables
        .commit(|committable| match committable {
            43 => Err(CommitError::Failed("the transaction has expired".into())),
            _ => Ok(()),
        })
        .unwrap_err();
    assert_eq!(error.to_string(), "the transaction has expired");
    assert_eq!(committables.snapshot().pending, BTreeMap::from([(1, vec![43]), (2, vec![44])]));
}

#[test]
fn what_several_subtasks_had_prepared_is_committed_by_one_after_rescaling() {
    let state = |checkpoint, committable| CommittablesState {
        pending: BTreeMap::from([(checkpoint, vec![committable])]),
    };
    let (mut restored, mut target) =
        (Committables::restored([state(7, 1), state(8, 2), state(7, 3)]), Vec::new());
    assert!(commit(&mut restored, &mut target));
    assert_eq!(target, [1, 3, 2]);
}

#[derive(Clone, Debug)]
enum Step {
    /// A barrier, with this many committables.
    Barrier(usize),
    /// A notice of the checkpoint so far back.
    Notice(u64),
    /// A commit of which those fail for now whose number has this remainder by 3.
    Commit(u32),
    /// A failure of the task, from which it restores the last checkpoint a notice was sent of.
    Restore,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..3usize).prop_map(Step::Barrier),
        (0..4u64).prop_map(Step::Notice),
        (0..6u32).prop_map(Step::Commit),
        Just(Step::Restore),
    ]
}

proptest! {
    #[test]
    fn what_a_complete_checkpoint_has_prepared_is_committed_and_nothing_else(steps in prop::collection::vec(step(), 1..40)) {
        let mut committables = Committables::default();
        let (mut checkpoint, mut number, mut complete) = (0u64, 0u32, 0u64);
        let mut snapshots = BTreeMap::from([(0, committables.snapshot())]);
        let mut prepared: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
        let mut target = std::collections::BTreeSet::new();
        for step in steps {
            match step {
                Step::Barrier(count) => {
                    checkpoint += 1;
                    let new: Vec<u32> = (number..).take(count).collect();
                    number += count as u32;
                    committables.add(checkpoint, new.iter().copied());
                    prepared.insert(checkpoint, new);
                    snapshots.insert(checkpoint, committables.snapshot());
                }
                Step::Notice(back) => {
                    let of = checkpoint.saturating_sub(back);
                    // Checkpoints under way at a failure never complete.
                    if snapshots.contains_key(&of) {
                        complete = complete.max(of);
                        committables.complete(of);
                    }
                }
                Step::Commit(away) => {
                    committables.commit(|committable| {
                        if committable % 3 == away {
                            return Err(CommitError::RetryLater("away".into()));
                        }
                        target.insert(*committable);
                        Ok(())
                    }).unwrap();
                }
                Step::Restore => {
                    prepared.retain(|of, _| *of <= complete);
                    snapshots.retain(|of, _| *of <= complete);
                    committables = Committables::restored([snapshots[&complete].clone()]);
                }
            }
            let allowed: std::collections::BTreeSet<u32> =
                prepared.range(..=complete).flat_map(|(_, all)| all.iter().copied()).collect();
            prop_assert!(target.is_subset(&allowed));
        }
        committables.commit(|committable| {
            target.insert(*committable);
            Ok(())
        }).unwrap();
        let due: std::collections::BTreeSet<u32> =
            prepared.range(..=complete).flat_map(|(_, all)| all.iter().copied()).collect();
        prop_assert_eq!(target, due);
    }
}
