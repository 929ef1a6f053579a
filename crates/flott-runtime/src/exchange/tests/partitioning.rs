//! To whom an upstream subtask sends.

use crate::exchange::Partitioning;

fn targets(partitioning: Partitioning, upstream: u32, downstream: u32) -> Vec<Vec<u32>> {
    (0..upstream).map(|from| partitioning.targets(from, upstream, downstream)).collect()
}

#[test]
fn forward_goes_to_the_subtask_of_the_same_index() {
    assert_eq!(targets(Partitioning::Forward, 3, 3), [[0], [1], [2]]);
}

#[test]
fn global_goes_to_the_first_subtask() {
    assert_eq!(targets(Partitioning::Global, 2, 3), [[0], [0]]);
}

#[test]
fn the_other_kinds_may_go_to_every_subtask() {
    use Partitioning::{Broadcast, Custom, Hash, Rebalance, Shuffle};
    for partitioning in [Rebalance, Shuffle, Broadcast, Hash, Custom] {
        assert_eq!(targets(partitioning, 2, 3), [[0, 1, 2], [0, 1, 2]], "{partitioning}");
    }
}

#[test]
fn rescale_keeps_to_a_local_group() {
    assert_eq!(targets(Partitioning::Rescale, 2, 6), [[0, 1, 2], [3, 4, 5]]);
    assert_eq!(targets(Partitioning::Rescale, 6, 2), [[0], [0], [0], [1], [1], [1]]);
    assert_eq!(targets(Partitioning::Rescale, 3, 2), [[0], [1], [1]]);
    assert_eq!(targets(Partitioning::Rescale, 2, 2), [[0], [1]]);
}

#[test]
fn rescale_reaches_every_subtask_and_uses_every_sender() {
    for upstream in 1..=16 {
        for downstream in 1..=16 {
            let targets = targets(Partitioning::Rescale, upstream, downstream);
            assert!(targets.iter().all(|own| !own.is_empty()), "{upstream} to {downstream}: {targets:?}");
            let mut reached = targets.concat();
            reached.dedup();
            assert_eq!(reached, (0..downstream).collect::<Vec<_>>(), "{upstream} to {downstream}");
        }
    }
}
