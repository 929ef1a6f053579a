//! Restarts, ends, and tasks that finish early.

use super::*;

const NOTHING: [u64; 0] = [];

#[test]
fn s86_a_restart_gives_up_what_is_under_way_and_never_uses_an_id_twice() {
    let mut job = Job::running(settings());
    job.at(1_000);
    job.complete(1);
    job.at(2_000);
    let actions = job.handle(Event::JobSuspended);
    assert_eq!(aborted(&actions), [(2, FailureReason::CoordinatorSuspended)]);
    assert_eq!(triggered(&job.at(3_000)), NOTHING);
    assert_eq!(job.coordinator.latest().unwrap().snapshot.checkpoint, 1);
    job.handle(Event::JobRunning { start_delay_ms: 1_000 });
    assert_eq!(triggered(&job.at(4_000)), NOTHING, "its tasks do not run yet");
    for task in all_tasks() {
        job.handle(Event::TaskRunning(task));
    }
    assert_eq!(triggered(&job.at(5_000)), [3]);
}

#[test]
fn v3_8_a_failed_task_gives_up_what_it_has_not_acknowledged_and_a_region_everything() {
    let mut job = Job::running(CheckpointSettings { max_concurrent: 2, ..settings() });
    job.at(1_000);
    job.at(2_000);
    job.acknowledge(task(1, 0), 1);
    assert_eq!(aborted(&job.handle(Event::TaskFailed(task(1, 0)))), [(2, FailureReason::TaskFailure)]);
    let actions = job.handle(Event::TasksRestarting(vec![task(1, 0)]));
    assert_eq!(aborted(&actions), [(1, FailureReason::FailoverRegion)]);
    assert_eq!(job_failures(&actions), []);
}

#[test]
fn v3_1_retention_when_the_job_ends() {
    use CheckpointRetention::{DeleteOnCancellation, None, RetainOnCancellation};
    use TerminalStatus::{Canceled, Failed, Finished, Suspended};
    for (retention, kept_at) in [
        (None, vec![]),
        (DeleteOnCancellation, vec![Failed]),
        (RetainOnCancellation, vec![Canceled, Failed, Suspended]),
    ] {
        for status in [Finished, Canceled, Failed, Suspended] {
            let mut job = Job::running(CheckpointSettings { retention, ..settings() });
            job.at(1_000);
            job.complete(1);
            let deleted = discarded(&job.handle(Event::JobEnded { status }));
            assert_eq!(deleted.is_empty(), kept_at.contains(&status), "{retention:?} {status:?}");
        }
    }
}

#[test]
fn nothing_begins_after_the_end() {
    let mut job = Job::running(settings());
    job.at(1_000);
    let actions = job.handle(Event::JobEnded { status: TerminalStatus::Canceled });
    assert_eq!(aborted(&actions), [(1, FailureReason::CoordinatorShutdown)]);
    assert_eq!(job.handle(Event::JobEnded { status: TerminalStatus::Canceled }), []);
    assert_eq!(job.handle(Event::JobRunning { start_delay_ms: 0 }), []);
    assert_eq!(triggered(&job.at(9_000)), NOTHING);
    assert_eq!(job.coordinator.next_wake_up(), None);
    let failure = RequestFailure::Checkpoint(FailureReason::CoordinatorShutdown);
    assert_eq!(answers(&job.savepoint(1, None)), [(1, Err(failure))]);
}

#[test]
fn v3_2_tasks_behind_finished_ones_are_triggered_and_finished_ones_are_recorded() {
    let mut job = Job::running(settings());
    job.handle(Event::TaskFinished(task(0, 0)));
    let [Action::Trigger { tasks, .. }] = &job.at(1_000)[..] else { panic!("a trigger") };
    assert_eq!(tasks[..], [task(0, 1)], "the sink still has a sender");
    for task in &all_tasks()[1..] {
        job.acknowledge(*task, 1);
    }
    job.written(1);
    let snapshot = &job.coordinator.latest().unwrap().snapshot;
    assert_eq!(snapshot.finished.iter().copied().collect::<Vec<_>>(), [task(0, 0)]);
    job.handle(Event::TaskFinished(task(0, 1)));
    let [Action::Trigger { tasks, .. }] = &job.at(2_000)[..] else { panic!("a trigger") };
    assert_eq!(tasks[..], [task(1, 0), task(1, 1)]);
}

#[test]
fn v3_2_without_the_setting_checkpoints_stop_when_a_task_has_finished() {
    let mut job = Job::running(CheckpointSettings { after_tasks_finish: false, ..settings() });
    job.handle(Event::TaskFinished(task(0, 0)));
    assert_eq!(job.at(1_000), []);
}

#[test]
fn v3_2_a_last_checkpoint_is_taken_when_all_input_is_processed() {
    let mut job = Job::running(settings());
    for task in &all_tasks()[..3] {
        assert_eq!(job.handle(Event::EndOfData(*task)), []);
    }
    assert_eq!(triggered(&job.handle(Event::EndOfData(task(1, 1)))), [1], "not only at the next interval");
    assert!(is_notified(&job.complete(1), 1));
    assert_eq!(job.handle(Event::EndOfData(task(1, 1))), [], "told twice");
}

#[test]
fn v3_2_when_all_tasks_have_finished_there_is_nothing_to_take() {
    let mut job = Job::running(settings());
    for task in all_tasks() {
        job.handle(Event::TaskFinished(task));
    }
    assert_eq!(job.at(1_000), []);
}

#[test]
fn a_task_that_finishes_without_its_acknowledgement_gives_the_checkpoint_up_uncounted() {
    let mut job = Job::running(settings());
    job.at(1_000);
    let actions = job.handle(Event::TaskFinished(task(0, 0)));
    assert_eq!(aborted(&actions), [(1, FailureReason::TaskClosing)]);
    assert_eq!(job_failures(&actions), []);
}

fn restored(owner: Owner) -> CompletedCheckpoint<String> {
    let snapshot = GlobalSnapshot {
        checkpoint: 41,
        timestamp_ms: 0,
        kind: SnapshotKind::Savepoint { format: SavepointFormat::Canonical, stop: None },
        states: BTreeMap::new(),
        finished: std::collections::BTreeSet::new(),
    };
    CompletedCheckpoint { snapshot, location: "savepoint".to_owned(), owner }
}

#[test]
fn v3_7_what_a_job_is_started_from_is_deleted_only_if_it_was_claimed() {
    for (owner, deleted) in [(Owner::User, vec![]), (Owner::Job, vec![41])] {
        let mut job = Job::running(settings());
        job.handle(Event::Restored { checkpoint: restored(owner) });
        assert_eq!(job.coordinator.latest().unwrap().location, "savepoint", "until there is an own one");
        for (checkpoint, base) in [(42, None), (43, Some(42))] {
            let [Action::Trigger { barrier, .. }] = &job.at(checkpoint * 1_000)[..] else {
                panic!("a trigger")
            };
            assert_eq!(barrier.checkpoint, checkpoint);
            assert_eq!(barrier.options.kind, SnapshotKind::Checkpoint { base });
            let actions = job.complete(checkpoint);
            if checkpoint == 42 {
                assert_eq!(discarded(&actions), deleted);
            }
        }
    }
}

#[test]
fn a_checkpoint_builds_on_the_latest_complete_one_if_that_belongs_to_the_job() {
    for (owner, base) in [(Owner::User, None), (Owner::Job, Some(41))] {
        let mut job = Job::running(settings());
        let mut checkpoint = restored(owner);
        checkpoint.snapshot.kind = SnapshotKind::Checkpoint { base: None };
        job.handle(Event::Restored { checkpoint });
        let [Action::Trigger { barrier, .. }] = &job.at(1_000)[..] else { panic!("a trigger") };
        assert_eq!(barrier.options.kind.base(), base, "{owner:?}");
    }
}
