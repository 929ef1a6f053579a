//! Which tasks run, and so which must begin and acknowledge a checkpoint.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::FailureReason;
use crate::checkpoint::Topology;
use crate::job::TaskId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum TaskState {
    NotRunning,
    Running,
    /// Running, but all input is processed.
    EndOfData,
    Finished,
}

/// The tasks of the job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tasks {
    topology: Topology,
    states: BTreeMap<TaskId, TaskState>,
}

/// Who takes part in a checkpoint (Flink: `CheckpointPlan`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) trigger: Vec<TaskId>,
    pub(super) acknowledge: BTreeSet<TaskId>,
    pub(super) finished: BTreeSet<TaskId>,
}

impl Tasks {
    pub(super) fn new(topology: Topology) -> Self {
        let states = topology.tasks().map(|task| (task, TaskState::NotRunning)).collect();
        Self { topology, states }
    }

    pub(super) fn running(&mut self, task: TaskId) {
        self.set(task, TaskState::Running);
    }

    /// Says whether this was the last of the tasks that had input.
    pub(super) fn end_of_data(&mut self, task: TaskId) -> bool {
        self.states.get(&task) == Some(&TaskState::Running) && self.ends(task, TaskState::EndOfData)
    }

    /// Says whether this was the last of the tasks that had input, and others wait for a last checkpoint.
    pub(super) fn finished(&mut self, task: TaskId) -> bool {
        let had_input = self.states.get(&task) != Some(&TaskState::EndOfData);
        self.ends(task, TaskState::Finished) && had_input && !self.all_finished()
    }

    /// Says whether no task has input now.
    fn ends(&mut self, task: TaskId, state: TaskState) -> bool {
        self.set(task, state);
        self.states.values().all(|state| matches!(state, TaskState::EndOfData | TaskState::Finished))
    }

    pub(super) fn stopped(&mut self, task: TaskId) {
        self.set(task, TaskState::NotRunning);
    }

    pub(super) fn all_stopped(&mut self) {
        self.states.values_mut().for_each(|state| *state = TaskState::NotRunning);
    }

    pub(super) fn all_finished(&self) -> bool {
        self.states.values().all(|state| *state == TaskState::Finished)
    }

    /// Who takes part in a checkpoint that is taken now.
    pub(super) fn plan(&self, after_tasks_finish: bool) -> Result<Plan, FailureReason> {
        let in_state = |wanted: TaskState| self.states.values().any(|state| *state == wanted);
        let partly = in_state(TaskState::Finished);
        if in_state(TaskState::NotRunning) || self.all_finished() || (partly && !after_tasks_finish) {
            return Err(FailureReason::NotAllTasksRunning);
        }
        let (finished, acknowledge): (BTreeSet<TaskId>, BTreeSet<TaskId>) =
            self.states.keys().partition(|task| self.is_finished(**task));
        let begins = |task: &TaskId| self.topology.upstream(*task).all(|sender| self.is_finished(sender));
        Ok(Plan { trigger: acknowledge.iter().copied().filter(begins).collect(), acknowledge, finished })
    }

    fn is_finished(&self, task: TaskId) -> bool {
        self.states.get(&task) == Some(&TaskState::Finished)
    }

    fn set(&mut self, task: TaskId, state: TaskState) {
        if let Some(of) = self.states.get_mut(&task) {
            *of = state;
        }
    }
}
