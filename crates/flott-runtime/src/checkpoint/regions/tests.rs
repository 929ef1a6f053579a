use proptest::prelude::*;

use super::*;
use crate::checkpoint::topology::tests::{job, task};
use crate::exchange::Partitioning::{self, Forward, Hash, Rebalance};

#[test]
fn v3_8_a_connected_streaming_job_is_one_region() {
    let regions = Regions::of(&job(&[2, 2, 1], &[(0, 1, Hash), (1, 2, Rebalance)]));
    assert_eq!(regions.count(), 1);
    assert_eq!(regions.to_restart(task(1, 1), FailoverStrategy::Region).len(), 5);
}

#[test]
fn v3_8_a_job_of_forward_exchanges_has_one_region_per_slice() {
    let regions = Regions::of(&job(&[3, 3], &[(0, 1, Forward)]));
    assert_eq!(regions.count(), 3);
    let restarted = regions.to_restart(task(1, 2), FailoverStrategy::Region);
    assert_eq!(restarted.into_iter().collect::<Vec<_>>(), [task(0, 2), task(1, 2)]);
}

#[test]
fn v3_8_two_streams_that_never_meet_fail_apart() {
    let regions = Regions::of(&job(&[1, 2, 1, 1], &[(0, 1, Hash), (2, 3, Hash)]));
    assert_eq!(regions.count(), 2);
    assert_eq!(regions.to_restart(task(3, 0), FailoverStrategy::Region).len(), 2);
}

#[test]
fn a_vertex_is_divided_if_its_tasks_can_fail_apart() {
    let regions = Regions::of(&job(&[3, 3, 2, 2], &[(0, 1, Forward), (2, 3, Hash)]));
    assert_eq!(regions.divided_vertices().into_iter().collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn v3_8_full_failover_restarts_every_task() {
    let regions = Regions::of(&job(&[3, 3], &[(0, 1, Forward)]));
    assert_eq!(regions.to_restart(task(0, 0), FailoverStrategy::Full).len(), 6);
}

#[test]
fn the_failure_of_a_task_that_the_job_does_not_have_restarts_nothing() {
    let regions = Regions::of(&job(&[1], &[]));
    assert!(regions.to_restart(task(7, 0), FailoverStrategy::Full).is_empty());
}

proptest! {
    #[test]
    fn a_region_is_what_can_be_reached_along_exchanges(
        parallelisms in prop::collection::vec(1..4u32, 1..5),
        pairs in prop::collection::vec((0..5u32, 0..5u32, any::<bool>()), 0..6),
    ) {
        let count = parallelisms.len() as u32;
        let edges: Vec<(u32, u32, Partitioning)> = pairs
            .into_iter()
            .filter(|(from, to, _)| from < to && *to < count)
            .map(|(from, to, all)| {
                let same = parallelisms[from as usize] == parallelisms[to as usize];
                (from, to, if same && !all { Forward } else { Hash })
            })
            .collect();
        let job = job(&parallelisms, &edges);
        let regions = Regions::of(&job);
        for start in job.tasks() {
            let mut reached = BTreeSet::from([start]);
            loop {
                let before = reached.len();
                for task in job.tasks() {
                    for sender in job.upstream(task) {
                        if reached.contains(&task) || reached.contains(&sender) {
                            reached.extend([task, sender]);
                        }
                    }
                }
                if reached.len() == before {
                    break;
                }
            }
            prop_assert_eq!(regions.to_restart(start, FailoverStrategy::Region), reached);
        }
    }
}
