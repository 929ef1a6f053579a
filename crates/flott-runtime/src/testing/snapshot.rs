//! The state of a whole program, which can be restored at another parallelism.

use std::collections::{BTreeMap, BTreeSet};

use flott_state::OperatorSnapshot;
use flott_state::redistribute::redistribute;
use serde::{Deserialize, Serialize};

use crate::graph::{GraphError, JobGraph, OperatorId, StreamGraph, StreamNode};
use crate::snapshot::TaskState;

/// The state of all operators of a program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobSnapshot {
    operators: BTreeMap<OperatorId, Subtasks>,
}

/// The state of one operator.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Subtasks {
    max_parallelism: u32,
    /// By index.
    states: Vec<OperatorSnapshot>,
}

impl JobSnapshot {
    /// Whether no operator has any state.
    pub fn is_empty(&self) -> bool {
        self.operators.is_empty()
    }

    /// Adds what subtask `subtask` of each of these operators has.
    pub(super) fn add(&mut self, graph: &StreamGraph, subtask: u32, mut task: TaskState) {
        for node in &graph.nodes {
            let id = graph.operator_id(node.id);
            let Some(state) = task.remove(&id) else { continue };
            let own = self.operators.entry(id).or_default();
            own.max_parallelism = graph.max_parallelism_of(node);
            own.states.resize(graph.parallelism_of(node) as usize, OperatorSnapshot::default());
            own.states[subtask as usize] = state;
        }
    }

    /// Spreads the state over the subtasks of a program: what each operator's subtasks get.
    ///
    /// # Errors
    /// When an operator has another number of key groups now, or one with state is gone.
    pub(super) fn spread(&self, graph: &StreamGraph) -> Result<Restored, GraphError> {
        self.check_all_are_in(graph)?;
        let mut restored = Restored::default();
        for node in &graph.nodes {
            let id = graph.operator_id(node.id);
            if let Some(old) = self.operators.get(&id) {
                restored.0.insert(id, old.spread(graph, node)?);
            }
        }
        Ok(restored)
    }

    /// State of an operator that is gone must not vanish unnoticed.
    fn check_all_are_in(&self, graph: &StreamGraph) -> Result<(), GraphError> {
        let present: BTreeSet<OperatorId> =
            graph.nodes.iter().map(|node| graph.operator_id(node.id)).collect();
        let gone =
            self.operators.iter().find(|(id, subtasks)| !present.contains(id) && !subtasks.are_empty());
        let Some((id, _)) = gone else { return Ok(()) };
        let problem = "the snapshot has its state, but it is gone: keep it under its uid".to_owned();
        Err(GraphError::Invalid { operator: id.to_string(), problem })
    }
}

impl Subtasks {
    fn are_empty(&self) -> bool {
        self.states.iter().all(OperatorSnapshot::is_empty)
    }

    fn spread(&self, graph: &StreamGraph, node: &StreamNode) -> Result<Vec<OperatorSnapshot>, GraphError> {
        let (parallelism, groups) = (graph.parallelism_of(node), graph.max_parallelism_of(node));
        if self.max_parallelism != groups {
            let old = self.max_parallelism;
            let problem =
                format!("the snapshot was made with max parallelism {old}, not {groups}: set it again");
            return Err(GraphError::Invalid { operator: node.name.clone(), problem });
        }
        Ok(redistribute(&self.states, parallelism, groups))
    }
}

/// What the subtasks of each operator get back.
#[derive(Default)]
pub(super) struct Restored(BTreeMap<OperatorId, Vec<OperatorSnapshot>>);

impl Restored {
    /// The share of one task: that of all operators that run in it.
    pub(super) fn task(&self, graph: &StreamGraph, jobs: &JobGraph, host: u32, subtask: u32) -> TaskState {
        let vertices = jobs.vertices.iter().filter(|vertex| jobs.host(vertex.id) == host);
        let ids = vertices.flat_map(|vertex| &vertex.nodes).map(|node| graph.operator_id(*node));
        let own = |id| Some((id, self.0.get(&id)?.get(subtask as usize)?.clone()));
        ids.filter_map(own).collect()
    }
}
