//! The coordinator under every order of events.

use proptest::prelude::*;

use std::collections::BTreeSet;

use flott_core::config::FailoverStrategy;

use crate::checkpoint::Topology;
use crate::checkpoint::regions::Regions;
use crate::checkpoint::restart::{RestartStrategy, Restarts};
use crate::checkpoint::topology::tests::{job, task};
use crate::error::{FailureKind, TaskFailure};
use crate::exchange::Partitioning::{Forward, Hash};
use crate::job::coordinator::{Action, Coordinator, Event, Outcome, Part, TaskId};

fn failure(message: &str) -> TaskFailure {
    TaskFailure {
        operator: "map".to_owned(),
        subtask: Some(0),
        parallelism: 1,
        kind: FailureKind::Error(vec![message.to_owned()]),
    }
}

fn tasks(count: u32) -> Vec<TaskId> {
    (0..count).map(|subtask| TaskId { vertex: 0, subtask }).collect()
}

/// A job whose tasks, so many, all start again if one fails.
fn whole(count: u32, strategy: RestartStrategy) -> Coordinator {
    Coordinator::new(&job(&[count], &[]), FailoverStrategy::Full, Restarts::new(strategy))
}

/// A job that starts the region of a failed task again.
fn by_region(topology: &Topology, strategy: RestartStrategy) -> Coordinator {
    Coordinator::new(topology, FailoverStrategy::Region, Restarts::new(strategy))
}

fn often(delay_ms: u64) -> RestartStrategy {
    RestartStrategy::FixedDelay { attempts: 1_000, delay_ms }
}

fn region<const N: usize>(tasks: [TaskId; N]) -> Part {
    Part::Region(BTreeSet::from(tasks))
}

const CANCEL_ALL: Action = Action::Cancel(Part::Whole);

fn play(count: u32, events: impl IntoIterator<Item = Event>) -> Vec<Action> {
    let mut coordinator = whole(count, RestartStrategy::None);
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
    assert_eq!(play(3, events), [CANCEL_ALL, Action::EndJob(Outcome::Failed(failure("first")))]);
}

#[test]
fn a_cancellation_after_a_failure_does_not_hide_it() {
    let [a, b] = tasks(2)[..] else { panic!("two tasks") };
    let events = [Event::TaskFailed(a, failure("first")), Event::CancelRequested, Event::TaskCanceled(b)];
    assert_eq!(play(2, events), [CANCEL_ALL, Action::EndJob(Outcome::Failed(failure("first")))]);
}

#[test]
fn a_failure_after_a_cancellation_is_a_consequence_of_it() {
    let [a, b] = tasks(2)[..] else { panic!("two tasks") };
    let events = [Event::CancelRequested, Event::TaskFailed(a, failure("late")), Event::TaskFinished(b)];
    assert_eq!(play(2, events), [CANCEL_ALL, Action::EndJob(Outcome::Canceled)]);
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
    let mut coordinator = whole(2, strategy);
    let mut at = |now_ms, event| coordinator.handle(now_ms, 0, event);
    assert_eq!(at(100, Event::TaskFailed(a, failure("first"))), [CANCEL_ALL]);
    assert_eq!(at(110, Event::RestartDue), [], "a task still runs");
    let restart = Action::Restart { part: Part::Whole, at_ms: 150, failure: failure("first") };
    assert_eq!(at(120, Event::TaskCanceled(b)), [restart]);
    assert_eq!(at(150, Event::RestartDue), [Action::Start(Part::Whole)]);
    assert_eq!(at(200, Event::TaskFailed(b, failure("second"))), [CANCEL_ALL]);
    let end = Action::EndJob(Outcome::Failed(failure("second")));
    assert_eq!(at(210, Event::TaskCanceled(a)), [end], "one restart is all there is");
}

#[test]
fn a_job_that_waits_to_start_again_can_be_cancelled() {
    let [a] = tasks(1)[..] else { panic!("one task") };
    let strategy = RestartStrategy::FixedDelay { attempts: 9, delay_ms: 50 };
    let mut coordinator = whole(1, strategy);
    let failed = coordinator.handle(0, 0, Event::TaskFailed(a, failure("first")));
    let restart = Action::Restart { part: Part::Whole, at_ms: 50, failure: failure("first") };
    assert_eq!(failed, [CANCEL_ALL, restart]);
    let end = Action::EndJob(Outcome::Canceled);
    assert_eq!(coordinator.handle(10, 0, Event::CancelRequested), [end]);
    assert_eq!(coordinator.handle(50, 0, Event::RestartDue), []);
}

#[test]
fn v3_8_a_failure_takes_down_its_region_and_no_other() {
    let mut coordinator = by_region(&job(&[1, 2, 1, 1], &[(0, 1, Hash), (2, 3, Hash)]), often(50));
    let mut at = |now_ms, event| coordinator.handle(now_ms, 0, event);
    let failed = region([task(0, 0), task(1, 0), task(1, 1)]);
    assert_eq!(at(100, Event::TaskFailed(task(1, 1), failure("first"))), [Action::Cancel(failed.clone())]);
    assert_eq!(at(110, Event::TaskCanceled(task(0, 0))), []);
    assert_eq!(
        at(120, Event::TaskFailed(task(1, 0), failure("a consequence"))),
        [Action::Restart { part: failed.clone(), at_ms: 150, failure: failure("first") }]
    );
    assert_eq!(at(130, Event::TaskFinished(task(3, 0))), []);
    assert_eq!(at(150, Event::RestartDue), [Action::Start(failed)]);
    for ended in [task(2, 0), task(0, 0), task(1, 0)] {
        assert_eq!(at(200, Event::TaskFinished(ended)), []);
    }
    assert_eq!(at(210, Event::TaskFinished(task(1, 1))), [Action::EndJob(Outcome::Finished)]);
}

#[test]
fn regions_fail_independently_and_each_failure_counts() {
    let strategy = RestartStrategy::FixedDelay { attempts: 2, delay_ms: 50 };
    let mut coordinator = by_region(&job(&[3], &[]), strategy);
    let [a, b, c] = [task(0, 0), task(0, 1), task(0, 2)];
    let mut wake_ups = Vec::new();
    for (now_ms, failed) in [(100, a), (120, b)] {
        let actions = coordinator.handle(now_ms, 0, Event::TaskFailed(failed, failure("one")));
        let part = region([failed]);
        let restart = Action::Restart { part: part.clone(), at_ms: now_ms + 50, failure: failure("one") };
        assert_eq!(actions, [Action::Cancel(part), restart]);
        wake_ups.push(coordinator.next_wake_up());
    }
    assert_eq!(wake_ups, [Some(150), Some(150)], "the first of them");
    assert_eq!(coordinator.handle(150, 0, Event::RestartDue), [Action::Start(region([a]))]);
    assert!(coordinator.is_restarting());
    assert_eq!(coordinator.handle(170, 0, Event::RestartDue), [Action::Start(region([b]))]);
    assert!(!coordinator.is_restarting());
    let third = coordinator.handle(200, 0, Event::TaskFailed(c, failure("third")));
    assert_eq!(third, [CANCEL_ALL], "two restarts are all there are");
}

#[test]
fn what_all_tasks_depend_on_takes_over_the_regions_that_are_down() {
    let mut coordinator = by_region(&job(&[2], &[]), often(50));
    let mut at = |now_ms, event| coordinator.handle(now_ms, 0, event);
    at(100, Event::TaskFailed(task(0, 0), failure("of one")));
    assert_eq!(at(110, Event::JobFailed(failure("of all"))), [CANCEL_ALL]);
    assert_eq!(at(150, Event::RestartDue), [], "the region starts with the rest");
    let restart = Action::Restart { part: Part::Whole, at_ms: 160, failure: failure("of all") };
    assert_eq!(at(155, Event::TaskCanceled(task(0, 1))), [restart]);
    assert_eq!(at(160, Event::RestartDue), [Action::Start(Part::Whole)]);
}

#[test]
fn a_job_with_a_region_that_is_down_ends_when_it_is_cancelled_and_the_others_have_ended() {
    let mut coordinator = by_region(&job(&[2], &[]), often(50));
    let mut at = |now_ms, event| coordinator.handle(now_ms, 0, event);
    at(100, Event::TaskFailed(task(0, 0), failure("of one")));
    assert_eq!(at(110, Event::CancelRequested), [CANCEL_ALL]);
    assert_eq!(at(150, Event::RestartDue), []);
    assert_eq!(at(160, Event::TaskCanceled(task(0, 1))), [Action::EndJob(Outcome::Canceled)]);
}

#[test]
fn v3_8_a_failure_that_can_not_be_recovered_from_is_not_tried_again() {
    let mut coordinator = by_region(&job(&[2], &[]), often(0));
    let bad = TaskFailure { kind: FailureKind::Unrecoverable(vec!["bad".to_owned()]), ..failure("") };
    assert_eq!(coordinator.handle(0, 0, Event::TaskFailed(task(0, 0), bad.clone())), [CANCEL_ALL]);
    let end = Action::EndJob(Outcome::Failed(bad));
    assert_eq!(coordinator.handle(0, 0, Event::TaskCanceled(task(0, 1))), [end]);
}

#[test]
fn a_region_that_has_finished_stays_finished_when_another_fails() {
    let mut coordinator = by_region(&job(&[2], &[]), often(0));
    let mut at = |now_ms, event| coordinator.handle(now_ms, 0, event);
    at(100, Event::TaskFinished(task(0, 0)));
    at(100, Event::TaskFailed(task(0, 1), failure("of one")));
    assert_eq!(at(100, Event::RestartDue), [Action::Start(region([task(0, 1)]))]);
    assert_eq!(at(110, Event::TaskFinished(task(0, 1))), [Action::EndJob(Outcome::Finished)]);
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
        let mut coordinator = whole(count as u32, RestartStrategy::None);
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
                    Action::Cancel(_) => cancels += 1,
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

/// What may happen in a step: to one of the tasks, or to all.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Ends(usize),
    Fails(usize),
    AllFail,
    TimePasses(u64),
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        4 => any::<usize>().prop_map(Turn::Ends),
        4 => any::<usize>().prop_map(Turn::Fails),
        1 => Just(Turn::AllFail),
        4 => (0..200u64).prop_map(Turn::TimePasses),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// A model of the tasks: no task is started while it runs, what is cancelled or started is a region or all, and in the end
    /// everything has finished.
    #[test]
    fn regions_start_again_only_when_all_of_them_are_down(turns in prop::collection::vec(turn(), 1..60)) {
        let topology = job(&[2, 2, 1, 2], &[(0, 1, Forward), (2, 3, Hash)]);
        let regions = Regions::of(&topology);
        let all: BTreeSet<TaskId> = topology.tasks().collect();
        let mut coordinator = by_region(&topology, often(100));
        let (mut running, mut canceled, mut now_ms, mut ended) = (all.clone(), BTreeSet::new(), 0, false);
        let finish = [Turn::TimePasses(1_000), Turn::Ends(0)].into_iter().cycle().take(100);
        for turn in turns.into_iter().chain(finish) {
            let chosen = |index: usize| running.iter().nth(index % running.len().max(1)).copied();
            let event = match turn {
                Turn::Ends(index) => chosen(index).map(|task| match canceled.contains(&task) {
                    true => Event::TaskCanceled(task),
                    false => Event::TaskFinished(task),
                }),
                Turn::Fails(index) => chosen(index).map(|task| Event::TaskFailed(task, failure("task"))),
                Turn::AllFail => Some(Event::JobFailed(failure("job"))),
                Turn::TimePasses(ms) => {
                    now_ms += ms;
                    coordinator.next_wake_up().filter(|at_ms| *at_ms <= now_ms).map(|_| Event::RestartDue)
                }
            };
            let Some(event) = event.filter(|_| !ended) else { continue };
            if let Event::TaskFinished(task) | Event::TaskCanceled(task) | Event::TaskFailed(task, _) = &event {
                running.remove(task);
            }
            for action in coordinator.handle(now_ms, 0, event) {
                let tasks = |part: &Part| match part {
                    Part::Whole => all.clone(),
                    Part::Region(tasks) => tasks.clone(),
                };
                match action {
                    Action::Cancel(part) => canceled.extend(tasks(&part)),
                    Action::Restart { part, .. } => prop_assert!(running.is_disjoint(&tasks(&part))),
                    Action::Start(part) => {
                        let tasks = tasks(&part);
                        prop_assert!(running.is_disjoint(&tasks));
                        let first = *tasks.first().unwrap();
                        let region = regions.to_restart(first, FailoverStrategy::Region);
                        prop_assert!(part == Part::Whole || tasks == region);
                        canceled.retain(|task| !tasks.contains(task));
                        running.extend(tasks);
                    }
                    Action::EndJob(outcome) => {
                        prop_assert_eq!(outcome, Outcome::Finished);
                        prop_assert!(running.is_empty() && !ended);
                        ended = true;
                    }
                }
            }
        }
        prop_assert!(ended);
    }
}
