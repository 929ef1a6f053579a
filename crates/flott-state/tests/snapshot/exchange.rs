//! A snapshot taken on one backend is restored on another.

use std::collections::BTreeMap;

use flott_core::encoding;
use flott_state::{HashMapStateBackend, KeyedStateSnapshot, StateBackend, StateTtlConfig};
use proptest::prelude::*;

use crate::{
    interleaved::{Op, apply, op},
    support::{Subject, listed},
};

/// What a snapshot holds that has not expired at a time: what has may still be there, or have been cleaned up.
fn live(of: &[KeyedStateSnapshot], now: i64) -> BTreeMap<String, String> {
    let mut filtering = Subject::on(&HashMapStateBackend, of.to_vec(), StateTtlConfig::cleanup_full_snapshot);
    filtering.state.set_processing_time(now);
    listed(&filtering.state.snapshot().unwrap())
}

/// A snapshot as it is read from a file.
fn stored(subject: &mut Subject) -> Vec<KeyedStateSnapshot> {
    encoding::decode(&encoding::to_vec(&subject.state.snapshot().unwrap()).unwrap()).unwrap()
}

fn on(backend: &dyn StateBackend, restored: Vec<KeyedStateSnapshot>, now: i64) -> Subject {
    let mut subject = Subject::on(backend, restored, |ttl| ttl);
    subject.state.set_processing_time(now);
    subject
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    /// The same happens on both, and from time to time they swap their snapshots.
    #[test]
    fn s105_each_backend_goes_on_from_the_snapshots_of_the_other(
        runs in prop::collection::vec(prop::collection::vec(op(), 0..80), 1..5),
    ) {
        let other = crate::backend();
        let (mut heap, mut tested) = (on(&HashMapStateBackend, vec![], 0), on(other.as_ref(), vec![], 0));
        let (mut now, mut same) = (0, 0);
        for ops in runs {
            for op in ops.iter().filter(|op| !matches!(op, Op::Records(_))) {
                apply(op, &mut heap, &mut now);
                apply(op, &mut tested, &mut same);
            }
            let (of_heap, of_tested) = (stored(&mut heap), stored(&mut tested));
            prop_assert_eq!(live(&of_heap, now), live(&of_tested, now));
            heap = on(&HashMapStateBackend, of_tested, now);
            tested = on(other.as_ref(), of_heap, now);
        }
    }
}
