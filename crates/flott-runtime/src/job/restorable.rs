//! Whether a program can start from a snapshot, found out without running it.

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use flott_state::OperatorSnapshot;

use super::build::JobPlan;
use super::coordinator::TaskId;
use super::shell::LaunchOptions;
use super::stored::{RestorePoint, hosted};
use crate::error::{ChainError, ChainResult, JobError, TaskFailure};
use crate::graph::{JobGraph, JobVertex, NodeId};
use crate::metrics::{Gauge, OperatorMetrics, TaskMetrics};
use crate::operator::OperatorSetup;
use crate::program::{Built, ErasedGatePlan, ErasedHead, ErasedInput, ErasedOutputs, Program};
use crate::seam::Signal;
use crate::task::{TaskCheckpointing, TaskLink, TaskShared, enter_operator, guard};

/// What becomes of a snapshot when a program starts from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreReport {
    /// The id of the checkpoint or savepoint.
    pub checkpoint: u64,
    /// The operators that the snapshot knows, by name: their state, if they have any, is restored.
    pub restored: Vec<String>,
    /// The operators that it does not know: they begin without state.
    pub new: Vec<String>,
    /// The operators of the snapshot that the program does not have; their state, if they have any, is dropped.
    pub dropped: Vec<String>,
}

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let [restored, new, dropped] = [&self.restored, &self.new, &self.dropped].map(|names| list(names));
        write!(
            f,
            "snapshot {} can be restored; it knows: {restored}; new: {new}; no longer there: {dropped}",
            self.checkpoint
        )
    }
}

/// Finds out whether a program can start from the snapshot that its options name, at its parallelism and max parallelism.
///
/// All state is read and migrated as it would be. Functions are initialized, opened and closed in every subtask, for that is
/// where they say what state they have; they get no records. Sources and sinks are not created: only their state is read.
///
/// # Errors
/// The error that the job would fail with at its start; also if the options name no snapshot.
pub fn check_restore(mut program: Program, options: &LaunchOptions) -> Result<RestoreReport, JobError> {
    let restore = options.restore.as_ref().ok_or_else(|| {
        let message = "there is no snapshot to start from: name one".to_owned();
        super::shell::job_failure(message)
    })?;
    let point = RestorePoint::of(&restore.snapshot);
    point.adopt_max_parallelism(&mut program.graph);
    let job_graph = JobGraph::of(&program.graph)?;
    let plan = JobPlan { program, job_graph, backend: Arc::clone(&options.backend) };
    point.check(&plan, restore.allow_non_restored_state)?;
    for vertex in plan.job_graph.vertices.iter().filter(|vertex| plan.job_graph.host(vertex.id) == vertex.id)
    {
        for subtask in 0..vertex.parallelism {
            check_task(&plan, options, &point, TaskId { vertex: vertex.id, subtask })?;
        }
    }
    Ok(report(&plan, &point))
}

fn check_task(
    plan: &JobPlan,
    options: &LaunchOptions,
    point: &RestorePoint,
    task: TaskId,
) -> Result<(), TaskFailure> {
    let head = &plan.job_graph.vertices[task.vertex as usize];
    let name = plan.program.graph.node(head.head).name.as_str();
    let failed = |ended: crate::task::Ended| ended.into_failure(Some(task.subtask), head.parallelism, name);
    let read = || point.task(plan, task).map_err(|cause| failure(name, cause));
    let mut state = guard(read).map_err(failed)?;
    for (vertex, node) in hosted(plan, task.vertex) {
        let own = state.remove(&plan.program.graph.operator_id(node)).unwrap_or_default();
        guard(|| check_operator(plan, options, point, (vertex, node, task.subtask), own)).map_err(failed)?;
    }
    Ok(())
}

fn check_operator(
    plan: &JobPlan,
    options: &LaunchOptions,
    point: &RestorePoint,
    (vertex, node, subtask): (&JobVertex, NodeId, u32),
    own: OperatorSnapshot,
) -> ChainResult {
    let graph = &plan.program.graph;
    let (factory, id) = (&plan.program.operators[node.0 as usize], graph.operator_id(node));
    let name: Arc<str> = Arc::from(graph.node(node).name.as_str());
    enter_operator(&name);
    if let Some(read) = factory.read_state(&own, point.enumerator(id)) {
        return read.map_err(|cause| failure(&name, cause));
    }
    let setup = OperatorSetup {
        name: Arc::clone(&name),
        operator_id: id,
        subtask,
        parallelism: vertex.parallelism,
        max_parallelism: graph.max_parallelism_of(graph.node(node)),
        attempt: 0,
        metrics: Arc::new(OperatorMetrics::default()),
        restored: Some(Arc::new(own)),
        backend: Arc::clone(&plan.backend),
        task: task_for_rehearsal(options),
    };
    let built = factory.build(setup, ErasedOutputs::default())?;
    let gate = |input: u32, target: ErasedInput| gate(plan, node, input, target, &name);
    let mut heads = match built {
        Built::Head(head) => vec![head],
        Built::Input(input) => vec![gate(0, input)?],
        Built::TwoInputs([first, second]) => vec![gate(0, first)?, gate(1, second)?],
    };
    let opened = heads.iter_mut().try_for_each(|head| head.0.open());
    let closed = heads.iter_mut().try_for_each(|head| head.0.close());
    opened.and(closed)
}

/// A gate without channels, through which an operator can be opened whatever its records are.
fn gate(
    plan: &JobPlan,
    node: NodeId,
    input: u32,
    target: ErasedInput,
    name: &str,
) -> ChainResult<ErasedHead> {
    let edge = plan.program.graph.inputs(node).find(|edge| edge.input == input);
    let edge = edge.ok_or_else(|| failure(name, "no stream is connected to one of its inputs".into()))?;
    let without_channels = ErasedGatePlan { watermark: Gauge::default(), overtaking: None };
    plan.program.edges[edge.id as usize].gate(Vec::new(), without_channels, target, name)
}

fn task_for_rehearsal(options: &LaunchOptions) -> Rc<TaskShared> {
    let signal = Arc::new(Signal::new());
    signal.adopt();
    let link = TaskLink {
        request_split: Arc::new(|| {}),
        report_watermark: Arc::new(|_| {}),
        auto_watermark_interval: options.auto_watermark_interval,
        allow_unaligned_source_splits: options.allow_unaligned_source_splits,
        checkpointing: TaskCheckpointing::none(),
    };
    let (clock, metrics) = (Arc::clone(&options.clock), Arc::new(TaskMetrics::new()));
    let task = TaskShared::new(clock, signal, Arc::default(), metrics, link);
    task.set_rehearsal();
    Rc::new(task)
}

fn failure(operator: &str, cause: crate::error::BoxError) -> ChainError {
    ChainError::Failed { operator: operator.to_owned(), cause }
}

fn report(plan: &JobPlan, point: &RestorePoint) -> RestoreReport {
    let graph = &plan.program.graph;
    let known = |node: NodeId| point.metadata.operator(graph.operator_id(node).0).is_some();
    let names = |is_known: bool| -> Vec<String> {
        let nodes = graph.nodes.iter().filter(|node| known(node.id) == is_known);
        nodes.map(|node| node.name.clone()).collect()
    };
    let present: BTreeSet<u128> = graph.nodes.iter().map(|node| graph.operator_id(node.id).0).collect();
    let stored = point.metadata.tasks.iter().flat_map(|task| &task.operators);
    let dropped = stored.filter(|operator| !present.contains(&operator.id));
    RestoreReport {
        checkpoint: point.metadata.checkpoint,
        restored: names(true),
        new: names(false),
        dropped: dropped.map(|operator| operator.name.clone()).collect(),
    }
}
