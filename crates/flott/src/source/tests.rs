//! Sources read with checkpoints and failures at random moments, at changing parallelism: each record comes once.

use std::sync::Arc;

use flott_runtime::seam::SystemClock;
use flott_runtime::source::testing::{Replay, ReplayStep};
use proptest::prelude::*;

use super::*;

fn steps(readers: u32) -> impl Strategy<Value = Vec<ReplayStep>> {
    let step = prop_oneof![
        6 => (0..readers).prop_map(ReplayStep::Poll),
        4 => (0..readers).prop_map(ReplayStep::Serve),
        2 => Just(ReplayStep::Checkpoint),
        1 => (1..=readers).prop_map(ReplayStep::Restore),
        1 => (0..4u32).prop_map(ReplayStep::RestoreReader),
    ];
    prop::collection::vec(step, 0..60)
}

fn read<S: Source<Out = u64>>(source: &S, parallelism: u32, steps: Vec<ReplayStep>) -> Vec<u64> {
    let mut replay = Replay::start(source, parallelism, Arc::new(SystemClock::new())).unwrap();
    steps.into_iter().for_each(|step| replay.step(step).unwrap());
    let mut records = replay.finish().unwrap();
    records.sort_unstable();
    records
}

proptest! {
    #[test]
    fn a_generator_makes_each_record_once(steps in steps(4), parallelism in 1..5u32, count in 0..20_000u64) {
        let source = GeneratorSource::new(count, |index| index);
        prop_assert_eq!(read(&source, parallelism, steps), (0..count).collect::<Vec<_>>());
    }

    #[test]
    fn an_iterator_yields_each_record_once(steps in steps(1), count in 0..20_000u64) {
        let source = IteratorSource::new(move || 0..count);
        prop_assert_eq!(read(&source, 1, steps), (0..count).collect::<Vec<_>>());
    }
}
