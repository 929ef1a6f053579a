//! What is stored of a job in a checkpoint or savepoint, and what its tasks take of it when they start from there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flott_core::key_group::KeyGroupRange;
use flott_state::format::{
    CheckpointMetadata, JobKey, OperatorMetadata, SnapshotForm, SnapshotHandle, SubtaskState, TaskMetadata,
};
use flott_state::redistribute;
use flott_state::rehash::{groups_before, rehash};
use flott_state::storage::{StateSource, StorageError, StoredSnapshot};

use super::build::JobPlan;
use super::coordinator::TaskId;
use super::in_flight::{exchange_name, in_flight};
use crate::checkpoint::Topology;
use crate::checkpoint::coordinator::GlobalSnapshot;
use crate::error::FnResult;
use crate::graph::{GraphError, JobVertex, NodeId, OperatorId, StreamGraph};
use crate::program::ErasedRestored;
use crate::snapshot::TaskState;

/// A checkpoint or savepoint that a job can start from.
#[derive(Clone, Debug)]
pub struct RestorePoint {
    /// What it holds.
    pub metadata: Arc<CheckpointMetadata>,
    /// Where its state is read.
    pub source: StateSource,
}

impl RestorePoint {
    /// What is found in storage.
    pub(super) fn of(stored: &StoredSnapshot) -> Self {
        Self { metadata: Arc::new(stored.metadata.clone()), source: stored.source.clone() }
    }

    /// The state of the enumerator of a source.
    pub(super) fn enumerator(&self, id: OperatorId) -> Option<&[u8]> {
        let (_, operator) = self.metadata.operator(id.0)?;
        (!operator.coordinator_state.is_empty()).then_some(operator.coordinator_state.as_slice())
    }

    /// Operators for which the program does not say how many key groups they have, have as many as in the snapshot.
    pub(super) fn adopt_max_parallelism(&self, graph: &mut StreamGraph) {
        if graph.defaults.max_parallelism.is_some() {
            return;
        }
        let ids: Vec<_> = graph.nodes.iter().map(|node| graph.operator_id(node.id)).collect();
        for (node, id) in graph.nodes.iter_mut().zip(ids) {
            if let Some((task, _)) = self.metadata.operator(id.0) {
                node.max_parallelism.get_or_insert(task.max_parallelism);
            }
        }
    }

    /// Checks that a program can take the state over.
    ///
    /// # Errors
    /// When an operator has another number of key groups now and this is not a savepoint, or some operators that have state
    /// are gone and that is not allowed.
    pub(super) fn check(&self, plan: &JobPlan, allow_non_restored: bool) -> Result<(), GraphError> {
        let graph = &plan.program.graph;
        // What is chained to the first operator of a task has its key groups.
        for vertex in &plan.job_graph.vertices {
            let node = graph.node(vertex.head);
            let Some((task, _)) = self.metadata.operator(graph.operator_id(node.id).0) else { continue };
            let (written, now) = (task.max_parallelism, vertex.max_parallelism);
            if written != now && self.metadata.form != SnapshotForm::Savepoint {
                let problem = format!(
                    "the checkpoint was made with max parallelism {written}, but it is {now} now: set it to {written} \
                     again, or take a savepoint with {written}, which can be restored with any"
                );
                return Err(GraphError::Invalid { operator: node.name.clone(), problem });
            }
        }
        if allow_non_restored { Ok(()) } else { self.check_all_are_in(plan) }
    }

    /// State of an operator that is gone must not vanish unnoticed.
    fn check_all_are_in(&self, plan: &JobPlan) -> Result<(), GraphError> {
        let graph = &plan.program.graph;
        let nodes = graph.nodes.iter().map(|node| graph.operator_id(node.id).0);
        let exchanges = graph.edges.iter().map(|edge| graph.exchange_id(edge).0);
        let present: BTreeSet<u128> = nodes.chain(exchanges).collect();
        let with_state = self.operators_with_state();
        let operators = self.metadata.tasks.iter().flat_map(|task| &task.operators);
        let gone: Vec<&OperatorMetadata> = operators
            .filter(|operator| !present.contains(&operator.id) && with_state.contains(&operator.id))
            .collect();
        let Some(first) = gone.first() else { return Ok(()) };
        let names: Vec<String> = gone.iter().map(|operator| describe(operator)).collect();
        let here: Vec<String> = graph
            .nodes
            .iter()
            .filter(|node| self.metadata.operator(graph.operator_id(node.id).0).is_none())
            .map(|node| match &node.uid {
                Some(uid) => format!("'{}' (uid '{uid}')", node.name),
                None => format!("'{}' (no uid)", node.name),
            })
            .collect();
        let candidates = match here.is_empty() {
            true => String::new(),
            false => format!("; without state in it are {}", here.join(", ")),
        };
        let problem = format!(
            "the snapshot has state of {}, which the program does not have{candidates}: give back the uid, or allow \
             non-restored state to drop it",
            names.join(", ")
        );
        Err(GraphError::Invalid { operator: first.name.clone(), problem })
    }

    fn operators_with_state(&self) -> BTreeSet<u128> {
        let mut ids = BTreeSet::new();
        for task in &self.metadata.tasks {
            let own = task.operators.iter().filter(|operator| !operator.coordinator_state.is_empty());
            ids.extend(own.map(|operator| operator.id));
            for (_, handle) in task.handles() {
                // What can't be read fails where it is restored.
                let files = self.source.open(handle).unwrap_or_default();
                ids.extend(files.iter().flat_map(|file| file.operators().collect::<Vec<_>>()));
            }
        }
        ids
    }

    /// The tasks whose operators had all finished, and all tasks before them: they don't run again, so that nothing is said
    /// twice at the end of input (Flink: finished on restore).
    pub(super) fn finished(&self, plan: &JobPlan, topology: &Topology) -> BTreeSet<TaskId> {
        let mut finished = BTreeSet::new();
        // Senders come before those that they send to.
        for task in topology.tasks() {
            let mut operators = hosted(plan, task.vertex);
            let had_finished = operators.all(|(vertex, node)| {
                self.had_finished(plan.program.graph.operator_id(node), task.subtask, vertex.parallelism)
            });
            if had_finished && topology.upstream(task).all(|sender| finished.contains(&sender)) {
                finished.insert(task);
            }
        }
        finished
    }

    /// Whether a subtask of an operator had finished. After rescaling the subtasks are others: then all must have finished.
    fn had_finished(&self, id: OperatorId, subtask: u32, parallelism: u32) -> bool {
        let Some((task, _)) = self.metadata.operator(id.0) else { return false };
        let has_finished = |state: &SubtaskState| *state == SubtaskState::Finished;
        match task.subtasks.get(subtask as usize) {
            Some(state) if task.subtasks.len() == parallelism as usize => has_finished(state),
            _ => task.subtasks.iter().all(has_finished),
        }
    }

    /// What was in flight before the operators of a task, by edge.
    ///
    /// # Errors
    /// When a file is missing or damaged.
    pub(super) fn in_flight(
        &self,
        plan: &JobPlan,
        task: TaskId,
    ) -> Result<BTreeMap<u32, ErasedRestored>, StorageError> {
        let mut restored = BTreeMap::new();
        if self.metadata.aligned {
            return Ok(restored);
        }
        for (vertex, node) in hosted(plan, task.vertex) {
            for edge in plan.program.graph.inputs(node) {
                let found = in_flight(self, &plan.program.graph, edge, task.subtask, vertex.parallelism)?;
                restored.extend(found.map(|found| (edge.id, ErasedRestored(found))));
            }
        }
        Ok(restored)
    }

    /// What the operators of a task get back. Reads only what it needs.
    ///
    /// # Errors
    /// When a file is missing or damaged, or keyed state can't be put into the key groups that there are now.
    pub(super) fn task(&self, plan: &JobPlan, task: TaskId) -> FnResult<TaskState> {
        let mut state = TaskState::new();
        for (vertex, node) in hosted(plan, task.vertex) {
            let id = plan.program.graph.operator_id(node);
            let Some((stored, _)) = self.metadata.operator(id.0) else { continue };
            let (parallelism, from, to) =
                (vertex.parallelism, stored.max_parallelism, vertex.max_parallelism);
            let own = KeyGroupRange::of_subtask(task.subtask, parallelism, to);
            let needed = if from == to { own } else { groups_before(own, to, from) };
            let old = stored.subtasks.iter().map(|subtask| match subtask {
                SubtaskState::Stored(handle) => self.source.operator(handle, id.0, needed),
                SubtaskState::Finished => Ok(Default::default()),
            });
            let old = old.collect::<Result<Vec<_>, _>>()?;
            let mut new = redistribute(&old, parallelism, to).swap_remove(task.subtask as usize);
            if from != to {
                new.keyed = rehash(&old, from, own, to)?;
            }
            state.insert(id, new);
        }
        Ok(state)
    }
}

fn describe(operator: &OperatorMetadata) -> String {
    match &operator.uid {
        Some(uid) => format!("operator '{}' (uid '{uid}')", operator.name),
        None => format!("operator '{}' (id {:032x}, it had no uid)", operator.name, operator.id),
    }
}

/// The operators that run in the tasks of a vertex.
pub(super) fn hosted(plan: &JobPlan, host: u32) -> impl Iterator<Item = (&JobVertex, NodeId)> {
    let vertices = plan.job_graph.vertices.iter();
    let vertices = vertices.filter(move |vertex| plan.job_graph.host(vertex.id) == host);
    vertices.flat_map(|vertex| vertex.nodes.iter().map(move |node| (vertex, *node)))
}

/// Who a job is, in its snapshots.
#[derive(Clone, Debug)]
pub(super) struct JobIdentity {
    pub(super) key: JobKey,
    pub(super) name: String,
}

/// The metadata of a snapshot, all of whose tasks have stored their state. When it is complete is filled in when it is
/// written.
pub(super) fn metadata(
    plan: &JobPlan,
    job: &JobIdentity,
    snapshot: &GlobalSnapshot<SnapshotHandle>,
    enumerators: &BTreeMap<u32, Vec<u8>>,
    in_flight: &BTreeSet<TaskId>,
) -> CheckpointMetadata {
    let (graph, jobs) = (&plan.program.graph, &plan.job_graph);
    let hosts = jobs.vertices.iter().filter(|vertex| jobs.host(vertex.id) == vertex.id);
    let tasks = hosts.map(|host| {
        let operators = hosted(plan, host.id).map(|(vertex, node)| {
            let enumerator = enumerators.get(&vertex.id).filter(|_| node == vertex.head);
            OperatorMetadata {
                id: graph.operator_id(node).0,
                name: graph.node(node).name.clone(),
                uid: graph.node(node).uid.clone(),
                coordinator_state: enumerator.cloned().unwrap_or_default(),
            }
        });
        let has_in_flight = in_flight.iter().any(|task| task.vertex == host.id);
        let exchanges = graph.inputs(host.head).filter(|_| has_in_flight).map(|edge| OperatorMetadata {
            id: graph.exchange_id(edge).0,
            name: exchange_name(graph, edge),
            uid: None,
            coordinator_state: Vec::new(),
        });
        let subtasks = (0..host.parallelism).map(|subtask| {
            let task = TaskId { vertex: host.id, subtask };
            match snapshot.states.get(&task) {
                Some(handle) => SubtaskState::Stored(handle.clone()),
                None => SubtaskState::Finished,
            }
        });
        TaskMetadata {
            name: host.name.clone(),
            max_parallelism: host.max_parallelism,
            operators: operators.chain(exchanges).collect(),
            subtasks: subtasks.collect(),
        }
    });
    let is_savepoint = snapshot.kind.is_savepoint();
    CheckpointMetadata {
        checkpoint: snapshot.checkpoint,
        form: if is_savepoint { SnapshotForm::Savepoint } else { SnapshotForm::Checkpoint },
        job: job.key,
        job_name: job.name.clone(),
        flott_version: env!("CARGO_PKG_VERSION").to_owned(),
        triggered_ms: snapshot.timestamp_ms,
        completed_ms: 0,
        aligned: in_flight.is_empty(),
        tasks: tasks.collect(),
    }
}
