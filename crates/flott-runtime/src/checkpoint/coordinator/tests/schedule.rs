//! When a checkpoint begins.

use super::*;

#[test]
fn s53_without_an_interval_nothing_is_periodic() {
    let mut job = Job::running(CheckpointSettings { interval_ms: None, ..settings() });
    assert_eq!(job.coordinator.next_wake_up(), None);
    assert_eq!(triggered(&job.at(1_000_000)), []);
    assert_eq!(triggered(&job.handle(Event::CheckpointRequested { request: 1 })), [1]);
}

#[test]
fn v3_1_the_first_checkpoint_is_due_after_a_random_delay_between_pause_and_interval() {
    for (delay_ms, expected_ms) in [(0, 200), (700, 700), (99_999, 1_000)] {
        let mut job = Job::new(CheckpointSettings { min_pause_ms: 200, ..settings() });
        job.handle(Event::JobRunning { start_delay_ms: delay_ms });
        assert_eq!(job.coordinator.next_wake_up(), Some(expected_ms));
    }
}

#[test]
fn v3_1_checkpoints_are_periodic_and_their_ids_count_from_1() {
    let mut job = Job::running(settings());
    for checkpoint in 1..=5 {
        assert_eq!(job.coordinator.next_wake_up(), Some(checkpoint * 1_000));
        assert_eq!(triggered(&job.at(checkpoint * 1_000)), [checkpoint]);
        job.complete(checkpoint);
    }
}

#[test]
fn v3_1_nothing_begins_before_all_tasks_run() {
    let mut job = Job::new(settings());
    job.handle(Event::JobRunning { start_delay_ms: 0 });
    for task in &all_tasks()[..3] {
        job.handle(Event::TaskRunning(*task));
    }
    assert_eq!(job.at(1_000), []);
    let refused = job.handle(Event::CheckpointRequested { request: 7 });
    let failure = RequestFailure::Checkpoint(FailureReason::NotAllTasksRunning);
    assert_eq!(answers(&refused), [(7, Err(failure))]);
    job.handle(Event::TaskRunning(task(1, 1)));
    assert_eq!(triggered(&job.at(2_000)), [1], "a checkpoint that was not begun takes no id");
}

#[test]
fn v3_1_at_most_as_many_are_under_way_as_may_be() {
    let mut job = Job::running(CheckpointSettings { max_concurrent: 2, ..settings() });
    assert_eq!(triggered(&job.at(1_000)), [1]);
    assert_eq!(triggered(&job.at(2_000)), [2]);
    assert_eq!(triggered(&job.at(3_000)), []);
    assert_eq!(triggered(&job.complete(1)), [3], "the one that waited");
}

/// Flink lets every tick of a slow checkpoint wait and makes up for all of them afterwards; flott for one, as a
/// checkpoint right behind another holds nothing new.
#[test]
fn ticks_missed_during_a_slow_checkpoint_are_made_up_for_once() {
    let mut job = Job::running(settings());
    job.at(1_000);
    for now_ms in [2_000, 3_000, 4_000, 4_500] {
        assert_eq!(triggered(&job.at(now_ms)), []);
    }
    assert_eq!(triggered(&job.complete(1)), [2]);
    assert_eq!(triggered(&job.complete(2)), []);
    assert_eq!(triggered(&job.at(5_000)), [3]);
}

#[test]
fn a_clock_that_jumps_begins_one_checkpoint() {
    let mut job = Job::running(settings());
    assert_eq!(triggered(&job.at(90_500)), [1]);
    job.complete(1);
    assert_eq!(job.coordinator.next_wake_up(), Some(91_000));
}

#[test]
fn v3_1_the_pause_counts_from_the_last_completion() {
    let mut job = Job::running(CheckpointSettings { min_pause_ms: 800, ..settings() });
    job.at(1_000);
    job.now_ms = 1_900;
    job.complete(1);
    assert_eq!(triggered(&job.at(2_000)), []);
    assert_eq!(job.coordinator.next_wake_up(), Some(2_700));
    assert_eq!(triggered(&job.at(2_699)), []);
    assert_eq!(triggered(&job.at(2_700)), [2]);
    assert_eq!(triggered(&job.complete(2)), []);
    assert_eq!(triggered(&job.at(3_700)), [3], "the interval counts from there");
}

#[test]
fn the_pause_does_not_hold_up_what_a_user_asks_for() {
    let mut job = Job::running(CheckpointSettings { min_pause_ms: 800, ..settings() });
    job.at(1_000);
    job.complete(1);
    assert_eq!(triggered(&job.handle(Event::CheckpointRequested { request: 1 })), [2]);
    let answered = job.complete(2);
    assert_eq!(answers(&answered), [(1, Ok("chk-2"))]);
}

#[test]
fn v3_1_too_many_requests_are_refused() {
    let mut job = Job::running(settings());
    job.at(1_000);
    for request in 0..1_000 {
        assert_eq!(job.handle(Event::CheckpointRequested { request }), []);
    }
    let refused = job.handle(Event::CheckpointRequested { request: 1_000 });
    let failure = RequestFailure::Checkpoint(FailureReason::TooManyRequests);
    assert_eq!(answers(&refused), [(1_000, Err(failure))]);
}

#[test]
fn v3_1_options_follow_the_settings() {
    let alignment = |settings| match &Job::running(settings).at(1_000)[..] {
        [Action::Trigger { barrier, .. }] => barrier.options.alignment,
        other => panic!("{other:?}"),
    };
    assert_eq!(alignment(settings()), Alignment::Aligned);
    let mode = CheckpointingMode::AtLeastOnce;
    assert_eq!(alignment(CheckpointSettings { mode, ..settings() }), Alignment::AtLeastOnce);
    let unaligned = CheckpointSettings { unaligned: true, ..settings() };
    assert_eq!(alignment(unaligned.clone()), Alignment::Unaligned);
    let with_timeout = CheckpointSettings { aligned_timeout_ms: 30, ..unaligned };
    assert_eq!(alignment(with_timeout), Alignment::AlignedWithTimeout { timeout_ms: 30 });
}
