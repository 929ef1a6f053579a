//! Savepoints, and stopping with one.

use super::*;

const SUSPEND: Option<StopMode> = Some(StopMode::Suspend);

#[test]
fn s55_s113_a_savepoint_is_never_deleted_recovered_from_or_committed_with() {
    let mut job = Job::running(settings());
    job.at(1_000);
    job.complete(1);
    assert_eq!(triggered(&job.savepoint(5, None)), [2]);
    assert_eq!(job.complete(2), [Action::Answer { request: 5, result: Ok("chk-2".to_owned()) }]);
    assert_eq!(job.kept(), [1]);
    job.at(2_000);
    assert_eq!(discarded(&job.complete(3)), [1]);
    assert_eq!(
        job.handle(Event::JobEnded { status: TerminalStatus::Finished }).len(),
        1,
        "only 3 is deleted"
    );
}

#[test]
fn v3_1_a_savepoint_waits_for_no_checkpoint_and_is_not_subsumed() {
    let mut job = Job::running(settings());
    job.at(1_000);
    assert_eq!(triggered(&job.savepoint(5, None)), [2]);
    assert_eq!(aborted(&job.complete(1)), []);
    assert_eq!(triggered(&job.at(2_000)), [], "the savepoint counts as one under way");
    let actions = job.complete(2);
    assert_eq!(answers(&actions), [(5, Ok("chk-2"))]);
    assert_eq!(triggered(&actions), [3]);
    job.savepoint(6, None);
    assert_eq!(aborted(&job.complete(3)), []);
}

#[test]
fn v3_2_a_savepoint_is_aligned_and_not_beside_an_unaligned_checkpoint() {
    let mut job = Job::running(CheckpointSettings { unaligned: true, ..settings() });
    job.at(1_000);
    assert_eq!(triggered(&job.savepoint(5, None)), []);
    let actions = job.complete(1);
    let Some(Action::Trigger { barrier, request, .. }) = actions.last() else { panic!("{actions:?}") };
    assert_eq!((barrier.options.alignment, *request), (Alignment::Aligned, Some(5)));
}

#[test]
fn v3_1_a_failed_savepoint_never_fails_the_job() {
    let mut job = Job::running(settings());
    job.savepoint(5, None);
    let actions = job.decline(task(0, 0), 1, FailureReason::TaskSnapshot);
    assert_eq!(job_failures(&actions), []);
    let failure = RequestFailure::Checkpoint(FailureReason::TaskSnapshot);
    assert_eq!(answers(&actions), [(5, Err(failure))]);
}

#[test]
fn v3_7_a_job_stops_with_a_savepoint_after_the_notice_and_the_end_of_its_tasks() {
    for stop in [StopMode::Suspend, StopMode::Drain] {
        let mut job = Job::running(settings());
        job.at(1_000);
        let actions = job.savepoint(5, Some(stop));
        assert_eq!(aborted(&actions), [(1, FailureReason::CoordinatorSuspended)]);
        let Some(Action::Trigger { barrier, .. }) = actions.last() else { panic!("{actions:?}") };
        assert_eq!(barrier.options.kind.stop(), Some(stop));
        assert_eq!(triggered(&job.at(9_000)), [], "no checkpoint meanwhile");
        let actions = job.complete(2);
        assert!(is_notified(&actions, 2), "sinks commit");
        assert_eq!(answers(&actions), []);
        for task in &all_tasks()[..3] {
            assert_eq!(job.handle(Event::TaskFinished(*task)), []);
        }
        assert_eq!(answers(&job.handle(Event::TaskFinished(task(1, 1)))), [(5, Ok("chk-2"))]);
        assert_eq!(
            discarded(&job.handle(Event::JobEnded { status: TerminalStatus::Finished })),
            [] as [u64; 0]
        );
    }
}

#[test]
fn v3_7_a_task_that_fails_after_the_savepoint_restarts_the_job_from_it() {
    let mut job = Job::running(settings());
    job.savepoint(5, SUSPEND);
    job.complete(1);
    job.handle(Event::TaskFinished(task(0, 0)));
    let actions = job.handle(Event::TaskFailed(task(1, 0)));
    let failure = RequestFailure::Incomplete { location: "chk-1".to_owned() };
    assert_eq!(answers(&actions), [(5, Err(failure))]);
    assert_eq!(job_failures(&actions), [JobFailure::StopIncomplete]);
    let latest = job.coordinator.latest().unwrap();
    assert_eq!((latest.snapshot.checkpoint, latest.owner), (1, Owner::User));
}

#[test]
fn v3_7_a_savepoint_to_stop_with_that_fails_restarts_the_job() {
    let mut job = Job::running(CheckpointSettings { tolerable_failures: 9, ..settings() });
    job.savepoint(5, SUSPEND);
    let actions = job.decline(task(1, 0), 1, FailureReason::TaskSnapshot);
    assert_eq!(job_failures(&actions), [JobFailure::StopWithSavepoint(FailureReason::TaskSnapshot)]);
    assert_eq!(answers(&actions).len(), 1);
    job.handle(Event::JobSuspended);
    for task in all_tasks() {
        job.handle(Event::TaskRunning(task));
    }
    job.handle(Event::JobRunning { start_delay_ms: 1_000 });
    assert_eq!(triggered(&job.at(1_000)), [2], "it goes on as it was");
}

#[test]
fn a_job_that_can_not_take_a_savepoint_now_does_not_stop() {
    let mut job = Job::running(settings());
    job.handle(Event::TasksRestarting(vec![task(1, 0)]));
    let refused = job.savepoint(5, SUSPEND);
    let failure = RequestFailure::Checkpoint(FailureReason::NotAllTasksRunning);
    assert_eq!(answers(&refused), [(5, Err(failure))]);
    job.handle(Event::TaskRunning(task(1, 0)));
    assert_eq!(triggered(&job.at(1_000)), [1]);
}

#[test]
fn nothing_else_is_taken_while_a_job_stops() {
    let mut job = Job::running(settings());
    job.savepoint(5, SUSPEND);
    assert_eq!(answers(&job.savepoint(6, SUSPEND)), [(6, Err(RequestFailure::Stopping))]);
    assert_eq!(answers(&job.savepoint(7, None)), [(7, Err(RequestFailure::Stopping))]);
}
