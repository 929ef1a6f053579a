//! The state of a whole program, which can be restored at another parallelism.

use std::collections::BTreeMap;

use flott_core::key_group::KeyGroupRange;
use flott_state::OperatorSnapshot;
use serde::{Deserialize, Serialize};

use crate::graph::{GraphError, JobGraph, OperatorId, StreamGraph, StreamNode};
use crate::snapshot::TaskSnapshot;

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
    pub(super) fn add(&mut self, graph: &StreamGraph, subtask: u32, task: TaskSnapshot) {
        let nodes: BTreeMap<_, _> =
            graph.nodes.iter().map(|node| (graph.operator_id(node.id), node)).collect();
        for (id, state) in task.operators {
            let own = self.operators.entry(id).or_default();
            own.max_parallelism = nodes.get(&id).map_or(0, |node| graph.max_parallelism_of(node));
            let subtask = subtask as usize;
            if own.states.len() <= subtask {
                own.states.resize(subtask + 1, OperatorSnapshot::default());
            }
            own.states[subtask] = state;
        }
    }

    /// Spreads the state over the subtasks of a program: what each operator's subtasks get.
    ///
    /// # Errors
    /// When an operator has another number of key groups now.
    pub(super) fn spread(&self, graph: &StreamGraph) -> Result<Restored, GraphError> {
        let mut restored = Restored::default();
        for node in &graph.nodes {
            let id = graph.operator_id(node.id);
            if let Some(old) = self.operators.get(&id) {
                restored.0.insert(id, old.spread(graph, node)?);
            }
        }
        Ok(restored)
    }
}

impl Subtasks {
    fn spread(&self, graph: &StreamGraph, node: &StreamNode) -> Result<Vec<OperatorSnapshot>, GraphError> {
        let (parallelism, groups) = (graph.parallelism_of(node), graph.max_parallelism_of(node));
        let invalid = |problem| GraphError::Invalid { operator: node.name.clone(), problem };
        if self.max_parallelism != groups {
            let old = self.max_parallelism;
            return Err(invalid(format!("the snapshot was made with max parallelism {old}: set it again")));
        }
        let mut spread = vec![OperatorSnapshot::default(); parallelism as usize];
        for (subtask, new) in (0..).zip(&mut spread) {
            let owned = KeyGroupRange::of_subtask(subtask, parallelism, groups);
            for old in self.states.iter().flat_map(|old| &old.keyed) {
                let mut part = old.clone();
                part.groups.retain(|group, _| owned.contains(*group));
                new.keyed.push(part);
            }
        }
        if self.states.len() == spread.len() {
            for (old, new) in self.states.iter().zip(&mut spread) {
                new.operator.clone_from(&old.operator);
            }
        } else if self.states.iter().any(|old| !old.operator.is_empty()) {
            return Err(invalid("operator state can only be restored at the same parallelism".to_owned()));
        }
        Ok(spread)
    }
}

/// What the subtasks of each operator get back.
#[derive(Default)]
pub(super) struct Restored(BTreeMap<OperatorId, Vec<OperatorSnapshot>>);

impl Restored {
    /// The share of one task: that of all operators that run in it.
    pub(super) fn task(&self, graph: &StreamGraph, jobs: &JobGraph, host: u32, subtask: u32) -> TaskSnapshot {
        let vertices = jobs.vertices.iter().filter(|vertex| jobs.host(vertex.id) == host);
        let ids = vertices.flat_map(|vertex| &vertex.nodes).map(|node| graph.operator_id(*node));
        let own = |id| Some((id, self.0.get(&id)?.get(subtask as usize)?.clone()));
        TaskSnapshot { operators: ids.filter_map(own).collect(), ..TaskSnapshot::default() }
    }
}
