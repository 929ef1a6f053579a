//! The coordinator under every order of events.

use proptest::prelude::*;

use crate::checkpoint::restart::{RestartStrategy, Restarts};
use crate::error::{FailureKind, TaskFailure};
use crate::job::coordinator::{Action, Coordinator, Event, Outcome, TaskId};

fn failure(message: &str) -> TaskFailure {
    TaskFailure {
        operator: "map".to_owned(),
        subtask: Some(0),
        parallelism: 1,
        kind: FailureKind::Error(vec![message.to_owned()]),
    }
}

fn tasks(count: u32) -> Vec<TaskId> {
    (0..count).map(|task| TaskId { vertex: task / 2, subtask: task % 2 }).collect()
}

fn restarts(strategy: RestartStrategy) -> Restarts {
    Restarts::new(strategy)
}

fn play(count: u32, events: impl IntoIterator<Item = Event>) -> Vec<Action> {
    let mut coordinator = Coordinator::new(tasks(count), restarts(RestartStrategy::None));
    events.into_iter().flat_map(|event| coordinator.handle(0, 0, event)).collect()
}

#[test]
fn a_job_ends_when_its_last_task_has_finished() {
    let all = tasks(3);
    assert_eq!(play(3, all[..2].iter().copied().map(Event::TaskFinished)), []);
    let actions = play(3, all.into_iter().map(Event::TaskFinished));
    assert_eq!(actions, [Action::EndJob(Outcome::Finished)]);
}

#[test]
fn the_first_failure_cancels_the_rest_and_is_what_the_job_ends_with() {
    let [a, b, c] = tasks(3)[..] else { panic!("three tasks") };
    let events = [
        Event::TaskFinished(a),
        Event::TaskFailed(b, failure("first")),
        Event::JobFailed(failure("second")),
        Event::TaskFailed(c, failure("third")),
    ];
    assert_eq!(play(3, events), [Action::CancelTasks, Action::EndJob(Outcome::Failed(failure("first")))]);
}

#[test]
fn a_cancellation_after_a_failure_does_not_hide_it() {
    let [a, b] = tasks(2)[..] else { panic!("two tasks") };
    let events = [Event::TaskFailed(a, failure("first")), Event::CancelRequested, Event::TaskCanceled(b)];
    assert_eq!(play(2, events), [Action::CancelTasks, Action::EndJob(Outcome::Failed(failure("first")))]);
}

#[test]
fn a_failure_after_a_cancellation_is_a_consequence_of_it() {
    let [a, b] = tasks(2)[..] else { panic!("two tasks") };
    let events = [Event::CancelRequested, Event::TaskFailed(a, failure("late")), Event::TaskFinished(b)];
    assert_eq!(play(2, events), [Action::CancelTasks, Action::EndJob(Outcome::Canceled)]);
}

#[test]
fn nothing_follows_from_what_comes_after_the_end() {
    let [a] = tasks(1)[..] else { panic!("one task") };
    let events = [
        Event::TaskFinished(a),
        Event::CancelRequested,
        Event::JobFailed(failure("late")),
        Event::TaskFailed(a, failure("later")),
    ];
    assert_eq!(play(1, events), [Action::EndJob(Outcome::Finished)]);
}

#[test]
fn a_failed_job_starts_again_when_all_its_tasks_have_ended_and_its_delay_is_over() {
    let [a, b] = tasks(2)[..] else { panic!("two tasks") };
    let strategy = RestartStrategy::FixedDelay { attempts: 1, delay_ms: 50 };
    let mut coordinator = Coordinator::new([a, b], restarts(strategy));
    let mut at = |now_ms, event| coordinator.handle(now_ms, 0, event);
    assert_eq!(at(100, Event::TaskFailed(a, failure("first"))), [Action::CancelTasks]);
    assert_eq!(at(110, Event::RestartDue), [], "a task still runs");
    let restart = Action::Restart { at_ms: 150, failure: failure("first") };
    assert_eq!(at(120, Event::TaskCanceled(b)), [restart]);
    assert_eq!(at(150, Event::RestartDue), [Action::StartTasks]);
    assert_eq!(at(200, Event::TaskFailed(b, failure("second"))), [Action::CancelTasks]);
    let end = Action::EndJob(Outcome::Failed(failure("second")));
    assert_eq!(at(210, Event::TaskCanceled(a)), [end], "one restart is all there is");
}

#[test]
fn a_job_that_waits_to_start_again_can_be_cancelled() {
    let [a] = tasks(1)[..] else { panic!("one task") };
    let strategy = RestartStrategy::FixedDelay { attempts: 9, delay_ms: 50 };
    let mut coordinator = Coordinator::new([a], restarts(strategy));
    let failed = coordinator.handle(0, 0, Event::TaskFailed(a, failure("first")));
    let restart = Action::Restart { at_ms: 50, failure: failure("first") };
    assert_eq!(failed, [Action::CancelTasks, restart]);
    let end = Action::EndJob(Outcome::Canceled);
    assert_eq!(coordinator.handle(10, 0, Event::CancelRequested), [end]);
    assert_eq!(coordinator.handle(50, 0, Event::RestartDue), []);
}

/// How a task ends, and what else may happen.
fn story() -> impl Strategy<Value = Vec<Event>> {
    let ends = prop::collection::vec(0..6u8, 1..8);
    let others = prop::collection::vec(any::<bool>(), 0..4);
    (ends, others).prop_flat_map(|(ends, others)| {
        let mut events = Vec::new();
        for (index, (task, end)) in tasks(ends.len() as u32).into_iter().zip(ends).enumerate() {
            events.push(match end {
                0..4 => Event::TaskFinished(task),
                4 => Event::TaskCanceled(task),
                _ => Event::TaskFailed(task, failure(&format!("task {index}"))),
            });
        }
        for (index, failed) in others.into_iter().enumerate() {
            events.push(match failed {
                true => Event::JobFailed(failure(&format!("enumerator {index}"))),
                false => Event::CancelRequested,
            });
        }
        Just(events).prop_shuffle()
    })
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::TaskFinished(_) | Event::TaskCanceled(_) | Event::TaskFailed(..))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn a_job_ends_once_with_its_first_cause_whatever_the_order(events in story()) {
        let count = events.iter().filter(|event| is_end(event)).count();
        let mut coordinator = Coordinator::new(tasks(count as u32), restarts(RestartStrategy::None));
        let (mut running, mut cause, mut outcomes, mut cancels) = (count, None, Vec::new(), 0);
        for event in events {
            // What happens after the end of the last task can't be a cause.
            if running > 0 {
                match &event {
                    Event::TaskFailed(_, failure) | Event::JobFailed(failure) => {
                        cause.get_or_insert(Outcome::Failed(failure.clone()));
                    }
                    Event::CancelRequested => {
                        cause.get_or_insert(Outcome::Canceled);
                    }
                    Event::TaskFinished(_) | Event::TaskCanceled(_) | Event::RestartDue => {}
                }
            }
            running -= usize::from(is_end(&event));
            for action in coordinator.handle(0, 0, event) {
                match action {
                    Action::CancelTasks => cancels += 1,
                    Action::EndJob(outcome) => {
                        prop_assert_eq!(running, 0, "ended with tasks running");
                        outcomes.push(outcome);
                    }
                    other => prop_assert!(false, "without restarts: {other:?}"),
                }
            }
        }
        prop_assert_eq!(cancels, usize::from(cause.is_some()));
        prop_assert_eq!(outcomes, vec![cause.unwrap_or(Outcome::Finished)]);
    }
}
