mod failures;
mod life;
mod model;
mod savepoints;
mod schedule;

use flott_core::config::{CheckpointRetention, CheckpointingMode};

use super::*;
use crate::checkpoint::topology::tests::{job, task};
use crate::exchange::Partitioning;

/// Checkpoints every second, the rest by default.
fn settings() -> CheckpointSettings {
    CheckpointSettings {
        interval_ms: Some(1_000),
        mode: CheckpointingMode::ExactlyOnce,
        timeout_ms: 600_000,
        min_pause_ms: 0,
        max_concurrent: 1,
        tolerable_failures: 0,
        incremental: false,
        unaligned: false,
        unaligned_forced: false,
        aligned_timeout_ms: 0,
        retention: CheckpointRetention::None,
        num_retained: 1,
        after_tasks_finish: true,
    }
}

/// A job of a source and a sink with two tasks each; the state of a task is a file name.
struct Job {
    coordinator: CheckpointCoordinator<String>,
    now_ms: u64,
}

type Actions = Vec<Action<String>>;

fn all_tasks() -> Vec<TaskId> {
    vec![task(0, 0), task(0, 1), task(1, 0), task(1, 1)]
}

fn state(of: TaskId, checkpoint: u64) -> String {
    format!("chk-{checkpoint}/{}-{}", of.vertex, of.subtask)
}

impl Job {
    fn new(settings: CheckpointSettings) -> Self {
        let topology = job(&[2, 2], &[(0, 1, Partitioning::Hash)]);
        Self { coordinator: CheckpointCoordinator::new(settings, topology, 1), now_ms: 0 }
    }

    /// All tasks run; the first checkpoint is due after a second.
    fn running(settings: CheckpointSettings) -> Self {
        let mut job = Self::new(settings);
        for task in all_tasks() {
            job.handle(Event::TaskRunning(task));
        }
        job.handle(Event::JobRunning { start_delay_ms: 1_000 });
        job
    }

    fn handle(&mut self, event: Event<String>) -> Actions {
        self.coordinator.handle(self.now_ms, event)
    }

    fn at(&mut self, now_ms: u64) -> Actions {
        self.now_ms = now_ms;
        self.handle(Event::TimeAdvanced)
    }

    fn acknowledge(&mut self, task: TaskId, checkpoint: u64) -> Actions {
        self.handle(Event::Acknowledged { task, checkpoint, state: state(task, checkpoint) })
    }

    fn acknowledge_all(&mut self, checkpoint: u64) -> Actions {
        all_tasks().into_iter().flat_map(|task| self.acknowledge(task, checkpoint)).collect()
    }

    fn written(&mut self, checkpoint: u64) -> Actions {
        self.handle(Event::MetadataWritten { checkpoint, location: format!("chk-{checkpoint}") })
    }

    fn complete(&mut self, checkpoint: u64) -> Actions {
        self.acknowledge_all(checkpoint);
        self.written(checkpoint)
    }

    fn decline(&mut self, task: TaskId, checkpoint: u64, reason: FailureReason) -> Actions {
        self.handle(Event::Declined { task, checkpoint, reason })
    }

    fn savepoint(&mut self, request: RequestId, stop: Option<StopMode>) -> Actions {
        self.handle(Event::SavepointRequested { request, format: SavepointFormat::Canonical, stop })
    }

    fn kept(&self) -> Vec<u64> {
        self.coordinator.completed().iter().map(|kept| kept.snapshot.checkpoint).collect()
    }
}

/// The checkpoints that these actions begin.
fn triggered(actions: &Actions) -> Vec<u64> {
    let triggers = actions.iter().filter_map(|action| match action {
        Action::Trigger { barrier, .. } => Some(barrier.checkpoint),
        _ => None,
    });
    triggers.collect()
}

fn aborted(actions: &Actions) -> Vec<(u64, FailureReason)> {
    let aborts = actions.iter().filter_map(|action| match action {
        Action::NotifyAborted { checkpoint, reason, .. } => Some((*checkpoint, *reason)),
        _ => None,
    });
    aborts.collect()
}

fn discarded(actions: &Actions) -> Vec<u64> {
    let discards = actions.iter().filter_map(|action| match action {
        Action::DiscardCompleted { checkpoint } => Some(checkpoint.snapshot.checkpoint),
        _ => None,
    });
    discards.collect()
}

fn answers(actions: &Actions) -> Vec<(RequestId, Result<&str, RequestFailure>)> {
    let answers = actions.iter().filter_map(|action| match action {
        Action::Answer { request, result } => {
            Some((*request, result.as_deref().map_err(RequestFailure::clone)))
        }
        _ => None,
    });
    answers.collect()
}

fn job_failures(actions: &Actions) -> Vec<JobFailure> {
    let failures = actions.iter().filter_map(|action| match action {
        Action::FailJob { reason } => Some(*reason),
        _ => None,
    });
    failures.collect()
}

fn is_notified(actions: &Actions, of: u64) -> bool {
    actions
        .iter()
        .any(|action| matches!(action, Action::NotifyComplete { checkpoint, .. } if *checkpoint == of))
}

#[test]
fn s56_a_checkpoint_goes_from_the_sources_through_all_acknowledgements_to_the_notice() {
    let mut job = Job::running(settings());
    let [Action::Trigger { barrier, tasks, request: None }] = &job.at(1_000)[..] else { panic!("a trigger") };
    assert_eq!((barrier.checkpoint, barrier.timestamp_ms), (1, 1_000));
    assert_eq!(tasks[..], [task(0, 0), task(0, 1)], "only the sources");
    for task in &all_tasks()[..3] {
        assert_eq!(job.acknowledge(*task, 1), []);
    }
    let [Action::WriteMetadata { snapshot }] = &job.acknowledge(task(1, 1), 1)[..] else {
        panic!("all are there")
    };
    assert_eq!(snapshot.states.len(), 4);
    assert_eq!(job.kept(), [] as [u64; 0], "complete only with its metadata");
    let notice = Action::NotifyComplete { checkpoint: 1, tasks: all_tasks(), subsumed: None };
    assert_eq!(job.written(1), [notice]);
    assert_eq!(job.coordinator.latest().unwrap().location, "chk-1");
}

#[test]
fn s113_a_checkpoint_is_deleted_when_enough_newer_ones_are_kept() {
    let mut job = Job::running(CheckpointSettings { num_retained: 2, ..settings() });
    for checkpoint in 1..=2 {
        job.at(checkpoint * 1_000);
        assert_eq!(discarded(&job.complete(checkpoint)), []);
    }
    job.at(3_000);
    let actions = job.complete(3);
    assert_eq!(discarded(&actions), [1]);
    assert!(matches!(actions.last(), Some(Action::NotifyComplete { subsumed: Some(1), .. })));
    assert_eq!(job.kept(), [2, 3]);
}

#[test]
fn the_coordinator_and_all_it_says_are_plain_data() {
    let mut job = Job::running(settings());
    let actions = job.at(1_000);
    let bytes = flott_core::encoding::to_vec(&actions).unwrap();
    assert_eq!(flott_core::encoding::decode::<Actions>(&bytes).unwrap(), actions);
    let bytes = flott_core::encoding::to_vec(&job.coordinator).unwrap();
    let mut moved = Job { coordinator: flott_core::encoding::decode(&bytes).unwrap(), now_ms: 1_000 };
    assert!(is_notified(&moved.complete(1), 1));
}
