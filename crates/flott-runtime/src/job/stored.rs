//! What is stored of a job in a checkpoint, and how it is spread over the tasks that start from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flott_state::{OperatorSnapshot, redistribute};

use super::build::JobPlan;
use super::coordinator::TaskId;
use crate::checkpoint::coordinator::GlobalSnapshot;
use crate::graph::{GraphError, OperatorId};
use crate::snapshot::{TaskSnapshot, TaskState};

/// What a task has stored in a checkpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredTask {
    pub(super) operators: BTreeMap<OperatorId, Arc<OperatorSnapshot>>,
}

impl StoredTask {
    pub(super) fn of(snapshot: TaskSnapshot) -> Self {
        let operators = snapshot.operators.into_iter().map(|(id, state)| (id, Arc::new(state)));
        Self { operators: operators.collect() }
    }
}

/// The state of a job in one checkpoint.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredJob {
    operators: BTreeMap<OperatorId, StoredOperator>,
}

#[derive(Clone, Debug, Default)]
struct StoredOperator {
    name: String,
    max_parallelism: u32,
    /// By index; `None` where the subtask has no state.
    subtasks: Vec<Option<Arc<OperatorSnapshot>>>,
    enumerator: Option<Vec<u8>>,
}

impl StoredJob {
    /// Puts together what the tasks and the enumerators of a job have stored.
    pub(super) fn of(
        plan: &JobPlan,
        snapshot: &GlobalSnapshot<StoredTask>,
        enumerators: BTreeMap<u32, Vec<u8>>,
    ) -> Self {
        let (graph, jobs) = (&plan.program.graph, &plan.job_graph);
        let mut operators = BTreeMap::new();
        for vertex in &jobs.vertices {
            let host = jobs.host(vertex.id);
            for node in &vertex.nodes {
                let id = graph.operator_id(*node);
                let of_subtask = |subtask| {
                    let task = snapshot.states.get(&TaskId { vertex: host, subtask })?;
                    task.operators.get(&id).cloned()
                };
                let stored = StoredOperator {
                    name: graph.node(*node).name.clone(),
                    max_parallelism: graph.max_parallelism_of(graph.node(*node)),
                    subtasks: (0..vertex.parallelism).map(of_subtask).collect(),
                    enumerator: enumerators.get(&vertex.id).filter(|_| *node == vertex.head).cloned(),
                };
                operators.insert(id, stored);
            }
        }
        Self { operators }
    }

    /// The state of the enumerator of a source.
    pub(super) fn enumerator(&self, id: OperatorId) -> Option<&[u8]> {
        self.operators.get(&id)?.enumerator.as_deref()
    }

    /// Spreads the state over the tasks of a program.
    ///
    /// # Errors
    /// When an operator has another number of key groups now, or one that has state is gone.
    pub(super) fn spread(&self, plan: &JobPlan) -> Result<RestoredTasks, GraphError> {
        self.check_all_are_in(plan)?;
        let (graph, jobs) = (&plan.program.graph, &plan.job_graph);
        let mut tasks: BTreeMap<TaskId, TaskState> = BTreeMap::new();
        for vertex in &jobs.vertices {
            let host = jobs.host(vertex.id);
            for node in &vertex.nodes {
                let id = graph.operator_id(*node);
                let Some(stored) = self.operators.get(&id) else { continue };
                let groups = graph.max_parallelism_of(graph.node(*node));
                let states = stored.spread(vertex.parallelism, groups)?;
                for (subtask, state) in (0..).zip(states) {
                    tasks.entry(TaskId { vertex: host, subtask }).or_default().insert(id, state);
                }
            }
        }
        Ok(RestoredTasks(tasks))
    }

    /// State of an operator that is gone must not vanish unnoticed.
    fn check_all_are_in(&self, plan: &JobPlan) -> Result<(), GraphError> {
        let graph = &plan.program.graph;
        let present: BTreeSet<OperatorId> =
            graph.nodes.iter().map(|node| graph.operator_id(node.id)).collect();
        let gone = self.operators.iter().find(|(id, stored)| !present.contains(id) && stored.has_state());
        let Some((id, stored)) = gone else { return Ok(()) };
        let problem = format!(
            "the snapshot has state of operator '{}' ({id}), which the program does not have: give it its uid back, or \
             allow non-restored state",
            stored.name
        );
        Err(GraphError::Invalid { operator: stored.name.clone(), problem })
    }
}

impl StoredOperator {
    fn has_state(&self) -> bool {
        self.enumerator.is_some() || self.subtasks.iter().flatten().any(|state| !state.is_empty())
    }

    fn spread(&self, parallelism: u32, groups: u32) -> Result<Vec<OperatorSnapshot>, GraphError> {
        if self.max_parallelism != groups {
            let old = self.max_parallelism;
            let problem =
                format!("the snapshot was made with max parallelism {old}, not {groups}: set it again");
            return Err(GraphError::Invalid { operator: self.name.clone(), problem });
        }
        let states = self.subtasks.iter().map(|state| state.as_deref().cloned().unwrap_or_default());
        Ok(redistribute(&states.collect::<Vec<_>>(), parallelism, groups))
    }
}

/// What each task gets back.
#[derive(Clone, Debug, Default)]
pub(super) struct RestoredTasks(BTreeMap<TaskId, TaskState>);

impl RestoredTasks {
    pub(super) fn take(&mut self, task: TaskId) -> TaskState {
        self.0.remove(&task).unwrap_or_default()
    }
}
