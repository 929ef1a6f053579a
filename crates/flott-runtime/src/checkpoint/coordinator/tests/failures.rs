//! Checkpoints that fail, and when the job does.

use super::*;

const COUNTED: [FailureReason; 5] = [
    FailureReason::Expired,
    FailureReason::TaskSnapshot,
    FailureReason::AsyncSnapshot,
    FailureReason::TriggerIo,
    FailureReason::Finalize,
];

#[test]
fn s57_a_checkpoint_that_a_task_never_acknowledges_expires_and_fails_the_job() {
    let mut job = Job::running(settings());
    job.at(1_000);
    job.acknowledge(task(0, 0), 1);
    assert_eq!(aborted(&job.at(600_999)), []);
    let actions = job.at(601_000);
    assert_eq!(aborted(&actions), [(1, FailureReason::Expired)]);
    let states = vec![state(task(0, 0), 1)];
    assert!(actions.contains(&Action::DiscardPending { checkpoint: 1, states }));
    let (failures, tolerable, last) = (1, 0, FailureReason::Expired);
    assert_eq!(job_failures(&actions), [JobFailure::TooManyFailedCheckpoints { failures, tolerable, last }]);
}

#[test]
fn s109_v3_1_the_job_fails_when_more_in_a_row_fail_than_is_tolerable() {
    let mut job = Job::running(CheckpointSettings { tolerable_failures: 2, ..settings() });
    let fail = |job: &mut Job, checkpoint: u64| {
        job.at(checkpoint * 1_000);
        job_failures(&job.decline(task(1, 0), checkpoint, FailureReason::AsyncSnapshot)).len()
    };
    assert_eq!((fail(&mut job, 1), fail(&mut job, 2)), (0, 0));
    job.at(3_000);
    job.complete(3);
    assert_eq!((fail(&mut job, 4), fail(&mut job, 5)), (0, 0), "a complete one begins the count anew");
    assert_eq!(fail(&mut job, 6), 1);
    assert_eq!(fail(&mut job, 7), 0, "and so does the failure of the job");
}

#[test]
fn v3_1_only_these_reasons_are_counted() {
    let others = [
        FailureReason::NotAllTasksRunning,
        FailureReason::TooManyRequests,
        FailureReason::Subsumed,
        FailureReason::CoordinatorSuspended,
        FailureReason::CoordinatorShutdown,
        FailureReason::CancellationBarrier,
        FailureReason::NewerBarrier,
        FailureReason::TaskNotReady,
        FailureReason::TaskClosing,
        FailureReason::InputEndOfStream,
        FailureReason::TaskFailure,
        FailureReason::FailoverRegion,
    ];
    for (reason, counted) in COUNTED.map(|r| (r, true)).into_iter().chain(others.map(|r| (r, false))) {
        let mut job = Job::running(settings());
        job.at(1_000);
        let actions = job.decline(task(1, 0), 1, reason);
        assert_eq!(aborted(&actions), [(1, reason)]);
        assert_eq!(job_failures(&actions).len(), usize::from(counted), "{reason:?}");
    }
}

#[test]
fn v3_1_one_checkpoint_counts_once() {
    let mut job = Job::running(CheckpointSettings { tolerable_failures: 1, ..settings() });
    job.at(1_000);
    for task in all_tasks() {
        assert_eq!(job_failures(&job.decline(task, 1, FailureReason::TaskSnapshot)), []);
    }
}

#[test]
fn storage_that_fails_fails_the_checkpoint_once_and_deletes_its_states() {
    for event in [Event::TriggerFailed { checkpoint: 1 }, Event::MetadataFailed { checkpoint: 1 }] {
        let mut job = Job::running(settings());
        job.at(1_000);
        if matches!(event, Event::MetadataFailed { .. }) {
            job.acknowledge_all(1);
        }
        let actions = job.handle(event.clone());
        assert_eq!(job_failures(&actions).len(), 1);
        assert_eq!(actions.iter().filter(|a| matches!(a, Action::DiscardPending { .. })).count(), 1);
        assert_eq!(job.handle(event), []);
    }
}

#[test]
fn a_late_acknowledgement_is_deleted_once_and_a_repeated_one_not_at_all() {
    let mut job = Job::running(CheckpointSettings { tolerable_failures: 9, ..settings() });
    job.at(1_000);
    job.acknowledge(task(0, 0), 1);
    job.decline(task(0, 1), 1, FailureReason::TaskSnapshot);
    let late = Action::DiscardLate { checkpoint: 1, state: state(task(1, 1), 1) };
    assert_eq!(job.acknowledge(task(1, 1), 1), [late]);
    assert_eq!(job.acknowledge(task(1, 1), 1), []);
    assert_eq!(job.acknowledge(task(0, 0), 1), [], "was deleted with the checkpoint");
    job.at(2_000);
    job.complete(2);
    assert_eq!(job.acknowledge(task(0, 0), 2), [], "is in use");
}

#[test]
fn a_checkpoint_that_expires_while_its_metadata_is_written_is_deleted_when_that_is_done() {
    let mut job = Job::running(CheckpointSettings { tolerable_failures: 9, ..settings() });
    job.at(1_000);
    job.acknowledge_all(1);
    let actions = job.at(700_000);
    assert_eq!(aborted(&actions), [(1, FailureReason::Expired)]);
    assert!(!actions.iter().any(|action| matches!(action, Action::DiscardPending { .. })));
    let states = all_tasks().into_iter().map(|task| state(task, 1)).collect();
    assert_eq!(job.written(1), [Action::DiscardPending { checkpoint: 1, states }]);
    assert_eq!(job.written(1), []);
    assert_eq!(job.kept(), [] as [u64; 0]);
}

#[test]
fn a_complete_checkpoint_subsumes_those_before_it_that_are_not() {
    let mut job = Job::running(CheckpointSettings { max_concurrent: 2, ..settings() });
    job.at(1_000);
    job.at(2_000);
    job.acknowledge(task(0, 0), 1);
    let actions = job.complete(2);
    assert_eq!(aborted(&actions), [(1, FailureReason::Subsumed)]);
    assert_eq!(job_failures(&actions), []);
    assert_eq!(job.kept(), [2]);
}

#[test]
fn v3_1_what_a_task_gives_up_at_its_barriers_is_not_counted() {
    use crate::checkpoint::barriers::AbortReason;
    for reason in [AbortReason::Cancelled, AbortReason::NewerCheckpoint] {
        let mut job = Job::running(settings());
        job.at(1_000);
        assert_eq!(job_failures(&job.decline(task(1, 0), 1, reason.into())), []);
    }
}

#[test]
fn nobody_is_warned_of_a_checkpoint_that_is_given_up_because_the_job_ends() {
    let quiet = [FailureReason::TaskClosing, FailureReason::CoordinatorSuspended, FailureReason::Subsumed];
    let loud = [FailureReason::Expired, FailureReason::AsyncSnapshot, FailureReason::TaskFailure];
    assert!(quiet.iter().all(|reason| reason.is_of_normal_life() && !reason.is_counted()));
    assert!(!loud.iter().any(|reason| reason.is_of_normal_life()));
}
