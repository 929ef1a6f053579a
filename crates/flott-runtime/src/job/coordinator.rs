//! The life of a job as a pure state machine: events in, actions out. No clock, no threads, no I/O.
//!
//! A job runs until all its tasks have finished. A failure cancels the tasks of its region; once they have ended they
//! start again, if the restart strategy wants it, while all others go on. What all tasks depend on takes all of them down,
//! and so does a failure that is not recovered from, or a request: then the job ends when the last one has. Whatever the
//! order of events, it ends exactly once.

use std::collections::BTreeSet;

use flott_core::config::FailoverStrategy;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Topology;
use crate::checkpoint::regions::Regions;
use crate::checkpoint::restart::{RestartDecision, Restarts};
use crate::error::{FailureKind, TaskFailure};

/// Names a task: vertex and subtask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskId {
    /// The position of its vertex in the job graph.
    pub vertex: u32,
    /// The subtask's index, from 0.
    pub subtask: u32,
}

/// What the coordinator is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Event {
    /// A task has processed all its input.
    TaskFinished(TaskId),
    /// A task has ended because it was cancelled.
    TaskCanceled(TaskId),
    /// A task has failed.
    TaskFailed(TaskId, TaskFailure),
    /// Something that all tasks depend on has failed: an enumerator, or the job's checkpoints.
    JobFailed(TaskFailure),
    /// The user wants the job to end.
    CancelRequested,
    /// The time that [`Coordinator::next_wake_up`] names has come.
    RestartDue,
}

/// Tasks that are cancelled or started together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Part {
    /// All tasks of the job.
    Whole,
    /// The tasks of a region.
    Region(BTreeSet<TaskId>),
}

/// What the coordinator wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Cancel those of these tasks that still run.
    Cancel(Part),
    /// The tasks have ended after this failure, and start again at this time, in the milliseconds of the events.
    Restart { part: Part, at_ms: u64, failure: TaskFailure },
    /// Start these tasks again.
    Start(Part),
    /// The job has ended.
    EndJob(Outcome),
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Finished,
    Canceled,
    Failed(TaskFailure),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Running,
    Canceling,
    Failing(TaskFailure),
    Ended,
}

/// Tasks that are on their way down to start again.
#[derive(Clone, Debug)]
struct Failover {
    tasks: BTreeSet<TaskId>,
    failure: TaskFailure,
    at_ms: u64,
    /// None of the tasks runs any more.
    is_down: bool,
}

/// The state of one job.
#[derive(Debug)]
pub(crate) struct Coordinator {
    state: State,
    tasks: BTreeSet<TaskId>,
    running: BTreeSet<TaskId>,
    regions: Regions,
    strategy: FailoverStrategy,
    restarts: Restarts,
    /// No task is in two of them.
    failovers: Vec<Failover>,
}

impl Coordinator {
    /// A job whose tasks have just been started.
    pub(crate) fn new(topology: &Topology, strategy: FailoverStrategy, restarts: Restarts) -> Self {
        let tasks: BTreeSet<TaskId> = topology.tasks().collect();
        Self {
            state: State::Running,
            running: tasks.clone(),
            tasks,
            regions: Regions::of(topology),
            strategy,
            restarts,
            failovers: Vec::new(),
        }
    }

    /// Takes an event that came at `now_ms` and says what follows from it; `chance` is any random number.
    pub(crate) fn handle(&mut self, now_ms: u64, chance: u64, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::TaskFinished(task) | Event::TaskCanceled(task) => {
                self.running.remove(&task);
            }
            Event::TaskFailed(task, failure) => {
                self.running.remove(&task);
                let tasks = self.regions.to_restart(task, self.strategy);
                self.fail(now_ms, chance, tasks, failure, &mut actions);
            }
            Event::JobFailed(failure) => {
                self.fail(now_ms, chance, self.tasks.clone(), failure, &mut actions);
            }
            Event::CancelRequested => self.cancel(&mut actions),
            Event::RestartDue => self.start_due(now_ms, &mut actions),
        }
        self.note_ends(&mut actions);
        actions
    }

    /// When [`Event::RestartDue`] is to be said.
    pub(crate) fn next_wake_up(&self) -> Option<u64> {
        self.failovers.iter().filter(|failover| failover.is_down).map(|failover| failover.at_ms).min()
    }

    /// Whether tasks wait to start again.
    pub(crate) fn is_restarting(&self) -> bool {
        self.failovers.iter().any(|failover| failover.is_down)
    }

    /// `tasks` can't go on.
    fn fail(
        &mut self,
        now_ms: u64,
        chance: u64,
        tasks: BTreeSet<TaskId>,
        failure: TaskFailure,
        actions: &mut Vec<Action>,
    ) {
        // The first failure is the cause; what fails while its tasks go down is a consequence.
        let known = |failover: &Failover| tasks.is_subset(&failover.tasks);
        if self.state != State::Running || self.failovers.iter().any(known) {
            return;
        }
        let decision = match &failure.kind {
            FailureKind::Unrecoverable(_) => RestartDecision::GiveUp,
            _ => self.restarts.failed(now_ms, chance),
        };
        match decision {
            RestartDecision::After { delay_ms } => {
                actions.push(Action::Cancel(self.part(&tasks)));
                // Regions don't overlap, but the whole job takes those in that are on their way.
                self.failovers.retain(|failover| !failover.tasks.is_subset(&tasks));
                let at_ms = now_ms.saturating_add(delay_ms);
                self.failovers.push(Failover { tasks, failure, at_ms, is_down: false });
            }
            RestartDecision::GiveUp => {
                self.state = State::Failing(failure);
                self.failovers.clear();
                actions.push(Action::Cancel(Part::Whole));
            }
        }
    }

    fn cancel(&mut self, actions: &mut Vec<Action>) {
        if self.state != State::Running {
            return;
        }
        self.state = State::Canceling;
        let failovers = std::mem::take(&mut self.failovers);
        let is_cancelled = |task| failovers.iter().any(|failover| failover.tasks.contains(task));
        if !self.running.iter().all(is_cancelled) {
            actions.push(Action::Cancel(Part::Whole));
        }
    }

    fn start_due(&mut self, now_ms: u64, actions: &mut Vec<Action>) {
        let is_due = |failover: &Failover| failover.is_down && failover.at_ms <= now_ms;
        let (due, later) = std::mem::take(&mut self.failovers).into_iter().partition(is_due);
        self.failovers = later;
        for Failover { tasks, .. } in due {
            actions.push(Action::Start(self.part(&tasks)));
            self.running.extend(tasks);
        }
    }

    /// Says what has come down by now.
    fn note_ends(&mut self, actions: &mut Vec<Action>) {
        let mut failovers = std::mem::take(&mut self.failovers);
        for failover in failovers.iter_mut().filter(|failover| !failover.is_down) {
            if failover.tasks.is_disjoint(&self.running) {
                failover.is_down = true;
                let (part, failure) = (self.part(&failover.tasks), failover.failure.clone());
                actions.push(Action::Restart { part, at_ms: failover.at_ms, failure });
            }
        }
        self.failovers = failovers;
        if !self.running.is_empty() || !self.failovers.is_empty() {
            return;
        }
        let outcome = match std::mem::replace(&mut self.state, State::Ended) {
            State::Running => Outcome::Finished,
            State::Canceling => Outcome::Canceled,
            State::Failing(failure) => Outcome::Failed(failure),
            State::Ended => return,
        };
        actions.push(Action::EndJob(outcome));
    }

    fn part(&self, tasks: &BTreeSet<TaskId>) -> Part {
        if tasks.len() == self.tasks.len() { Part::Whole } else { Part::Region(tasks.clone()) }
    }
}
