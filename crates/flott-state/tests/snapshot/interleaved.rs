//! A subtask whose snapshots are drained between random accesses, beside one that does the same accesses and takes its snapshots at
//! once.

use flott_state::{OperatorSnapshot, SnapshotBudget, SnapshotRequest};
use proptest::prelude::*;

use crate::support::{Action, STATES, Subject, finish, listed};

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Act { of: usize, action: Action, key: u64, with: u8 },
    Fill { of: usize, from: u64, with: u8 },
    Advance(i64),
    Records(usize),
    Begin,
    Drain { slots: usize, bytes: usize },
    Abort,
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    let action =
        prop_oneof![Just(Action::Set), Just(Action::Change), Just(Action::Read), Just(Action::Clear)];
    prop_oneof![
        40 => (0..STATES, action, 0..40u64, any::<u8>())
            .prop_map(|(of, action, key, with)| Op::Act { of, action, key, with }),
        1 => (0..STATES, 0..40u64, any::<u8>()).prop_map(|(of, from, with)| Op::Fill { of, from, with }),
        4 => (0..12i64).prop_map(Op::Advance),
        1 => (0..40usize).prop_map(Op::Records),
        3 => Just(Op::Begin),
        6 => (1..100usize, 1..2000usize).prop_map(|(slots, bytes)| Op::Drain { slots, bytes }),
        1 => Just(Op::Abort),
    ]
}

pub(crate) fn apply(op: &Op, subject: &mut Subject, now: &mut i64) {
    match *op {
        Op::Act { of, action, key, with } => subject.act(of, action, key, with),
        Op::Fill { of, from, with } => {
            (from..from + 600).for_each(|key| subject.act(of, Action::Set, key, with));
        }
        Op::Advance(by) => {
            *now += by;
            subject.state.set_processing_time(*now);
        }
        Op::Records(records) => subject.state.records_processed(records),
        Op::Begin | Op::Drain { .. } | Op::Abort => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]
    #[test]
    fn a_snapshot_drained_between_changes_holds_the_state_at_its_beginning(
        ops in prop::collection::vec(op(), 0..300),
        slots in 1..500usize,
    ) {
        let (mut drained, mut at_once) = (Subject::new(Vec::new()), Subject::new(Vec::new()));
        let (mut now, mut same) = (0, 0);
        let mut snapshot = None;
        for op in ops {
            apply(&op, &mut drained, &mut now);
            apply(&op, &mut at_once, &mut same);
            match op {
                Op::Begin if snapshot.is_none() => {
                    drained.state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
                    let expected = listed(&at_once.state.snapshot().unwrap());
                    snapshot = Some((expected, OperatorSnapshot::default()));
                }
                Op::Drain { slots, bytes } => {
                    let Some((expected, mut taken)) = snapshot.take() else { continue };
                    let mut budget = SnapshotBudget::new(slots, bytes);
                    if drained.state.drain_snapshot(&mut budget, &mut taken).unwrap() {
                        prop_assert_eq!(listed(&taken.keyed), expected);
                    } else {
                        snapshot = Some((expected, taken));
                    }
                }
                Op::Abort => {
                    drained.state.abort_snapshot();
                    snapshot = None;
                }
                _ => {}
            }
        }
        if let Some((expected, mut taken)) = snapshot {
            finish(&mut drained.state, &mut taken, slots);
            prop_assert_eq!(listed(&taken.keyed), expected);
        }
        let (held, expected) = (drained.state.snapshot().unwrap(), at_once.state.snapshot().unwrap());
        prop_assert_eq!(listed(&held), listed(&expected));
        let mut restored = Subject::new(held);
        restored.state.set_processing_time(now);
        prop_assert_eq!(listed(&restored.state.snapshot().unwrap()), listed(&expected));
    }
}
