//! The coordinator as a pure state machine: events in, actions out. No clock, no threads, no I/O.
//!
//! A job runs until all its tasks have finished. The first failure, or a request, cancels the rest; the job has
//! ended when every task has. Whatever the order of events, it ends exactly once.

use serde::{Deserialize, Serialize};

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
    /// The enumerator of a source has failed.
    EnumeratorFailed(TaskFailure),
    /// The user wants the job to end.
    CancelRequested,
}

/// What the coordinator wants done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Action {
    /// Cancel every task that still runs.
    CancelTasks,
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

/// The state of one job.
#[derive(Debug)]
pub(crate) struct Coordinator {
    state: State,
    running: std::collections::BTreeSet<TaskId>,
}

impl Coordinator {
    /// A job whose tasks have just been started.
    pub(crate) fn new(tasks: impl IntoIterator<Item = TaskId>) -> Self {
        Self { state: State::Running, running: tasks.into_iter().collect() }
    }

    /// Takes an event and says what follows from it.
    pub(crate) fn handle(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        match event {
            Event::TaskFinished(task) | Event::TaskCanceled(task) => {
                self.running.remove(&task);
            }
            Event::TaskFailed(task, failure) => {
                self.running.remove(&task);
                self.fail(failure, &mut actions);
            }
            Event::EnumeratorFailed(failure) => self.fail(failure, &mut actions),
            Event::CancelRequested => {
                if self.state == State::Running {
                    self.state = State::Canceling;
                    actions.push(Action::CancelTasks);
                }
            }
        }
        self.end_if_done(&mut actions);
        actions
    }

    fn fail(&mut self, failure: TaskFailure, actions: &mut Vec<Action>) {
        // The first failure is the cause; what fails while the job goes down is a consequence.
        if self.state == State::Running {
            self.state = State::Failing(failure);
            actions.push(Action::CancelTasks);
        }
    }

    fn end_if_done(&mut self, actions: &mut Vec<Action>) {
        if !self.running.is_empty() {
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
}
