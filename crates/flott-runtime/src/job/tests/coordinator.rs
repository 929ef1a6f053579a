//! The coordinator under every order of events.

use proptest::prelude::*;

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

fn play(count: u32, events: impl IntoIterator<Item = Event>) -> Vec<Action> {
    let mut coordinator = Coordinator::new(tasks(count));
    events.into_iter().flat_map(|event| coordinator.handle(event)).collect()
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
        Event::EnumeratorFailed(failure("second")),
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
        Event::EnumeratorFailed(failure("late")),
        Event::TaskFailed(a, failure("later")),
    ];
    assert_eq!(play(1, events), [Action::EndJob(Outcome::Finished)]);
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
                true => Event::EnumeratorFailed(failure(&format!("enumerator {index}"))),
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
        let mut coordinator = Coordinator::new(tasks(count as u32));
        let (mut running, mut cause, mut outcomes, mut cancels) = (count, None, Vec::new(), 0);
        for event in events {
            // What happens after the end of the last task can't be a cause.
            if running > 0 {
                match &event {
                    Event::TaskFailed(_, failure) | Event::EnumeratorFailed(failure) => {
                        cause.get_or_insert(Outcome::Failed(failure.clone()));
                    }
                    Event::CancelRequested => {
                        cause.get_or_insert(Outcome::Canceled);
                    }
                    Event::TaskFinished(_) | Event::TaskCanceled(_) => {}
                }
            }
            running -= usize::from(is_end(&event));
            for action in coordinator.handle(event) {
                match action {
                    Action::CancelTasks => cancels += 1,
                    Action::EndJob(outcome) => {
                        prop_assert_eq!(running, 0, "ended with tasks running");
                        outcomes.push(outcome);
                    }
                }
            }
        }
        prop_assert_eq!(cancels, usize::from(cause.is_some()));
        prop_assert_eq!(outcomes, vec![cause.unwrap_or(Outcome::Finished)]);
    }
}
