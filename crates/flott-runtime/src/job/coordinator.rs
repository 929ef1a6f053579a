//! The life of a job as a pure state machine: events in, actions out. No clock, no threads, no I/O.
//!
//! A job runs until all its tasks have finished. The first failure, or a request, cancels the rest. Once every task has
//! ended, a job that failed starts again if its restart strategy wants it; any other has ended. Whatever the order of
//! events, it ends exactly once.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::checkpoint::restart::{RestartDecision, Restarts};
use crate::error::TaskFailure;

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
    /// The time that [`Action::Restart`] named has come.
    RestartDue,
}

/// What the coordinator wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Cancel every task that still runs.
    CancelTasks,
    /// All tasks have ended after this failure. Say [`Event::RestartDue`] at this time, in the milliseconds of the
    /// events.
    Restart { at_ms: u64, failure: TaskFailure },
    /// Start all tasks again.
    StartTasks,
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
    /// Tasks are being cancelled after a failure; when the job starts again, if it does.
    Failing {
        failure: TaskFailure,
        restart_at_ms: Option<u64>,
    },
    /// No task runs; the job waits to start again.
    Restarting,
    Ended,
}

/// The state of one job.
#[derive(Debug)]
pub(crate) struct Coordinator {
    state: State,
    tasks: BTreeSet<TaskId>,
    running: BTreeSet<TaskId>,
    restarts: Restarts,
}

impl Coordinator {
    /// A job whose tasks have just been started.
    pub(crate) fn new(tasks: impl IntoIterator<Item = TaskId>, restarts: Restarts) -> Self {
        let tasks: BTreeSet<TaskId> = tasks.into_iter().collect();
        Self { state: State::Running, running: tasks.clone(), tasks, restarts }
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
                self.fail(now_ms, chance, failure, &mut actions);
            }
            Event::JobFailed(failure) => self.fail(now_ms, chance, failure, &mut actions),
            Event::CancelRequested => self.cancel(&mut actions),
            Event::RestartDue => {
                if self.state == State::Restarting {
                    self.state = State::Running;
                    self.running = self.tasks.clone();
                    actions.push(Action::StartTasks);
                }
            }
        }
        self.end_if_done(&mut actions);
        actions
    }

    fn fail(&mut self, now_ms: u64, chance: u64, failure: TaskFailure, actions: &mut Vec<Action>) {
        // The first failure is the cause; what fails while the job goes down is a consequence.
        if self.state != State::Running {
            return;
        }
        let restart_at_ms = match self.restarts.failed(now_ms, chance) {
            RestartDecision::After { delay_ms } => Some(now_ms.saturating_add(delay_ms)),
            RestartDecision::GiveUp => None,
        };
        self.state = State::Failing { failure, restart_at_ms };
        actions.push(Action::CancelTasks);
    }

    fn cancel(&mut self, actions: &mut Vec<Action>) {
        match self.state {
            State::Running => {
                self.state = State::Canceling;
                actions.push(Action::CancelTasks);
            }
            State::Failing { restart_at_ms: Some(_), .. } | State::Restarting => {
                self.state = State::Canceling;
            }
            State::Failing { restart_at_ms: None, .. } | State::Canceling | State::Ended => {}
        }
    }

    fn end_if_done(&mut self, actions: &mut Vec<Action>) {
        if !self.running.is_empty() || self.state == State::Restarting {
            return;
        }
        let outcome = match std::mem::replace(&mut self.state, State::Ended) {
            State::Running => Outcome::Finished,
            State::Canceling => Outcome::Canceled,
            State::Failing { restart_at_ms: Some(at_ms), failure } => {
                self.state = State::Restarting;
                return actions.push(Action::Restart { at_ms, failure });
            }
            State::Failing { failure, restart_at_ms: None } => Outcome::Failed(failure),
            State::Restarting | State::Ended => return,
        };
        actions.push(Action::EndJob(outcome));
    }
}
