//! Builds a task on its own thread: the chain from its tail, then what drives it.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use flott_state::backend::StateBackend;

use crate::error::{ChainError, ChainResult};
use crate::exchange::{ChannelPlace, Overtaking, RouterPlan, TwoGates};
use crate::graph::{JobGraph, JobVertex, NodeId, StreamEdge};
use crate::metrics::{Gauge, OperatorMetrics, TaskMetrics};
use crate::operator::OperatorSetup;
use crate::program::{
    Built, ErasedGatePlan, ErasedHead, ErasedInput, ErasedOutputs, ErasedRestored, ErasedRouterPlan, Program,
};
use crate::snapshot::TaskState;
use crate::task::{TaskShared, enter_operator};

/// What every task of a job is built from.
pub(crate) struct JobPlan {
    pub(crate) program: Program,
    pub(crate) job_graph: JobGraph,
    pub(crate) backend: Arc<dyn StateBackend>,
}

impl JobPlan {
    /// The exchange that an edge has become, unless it is inside a chain.
    fn exchange(&self, edge: u32) -> Option<&crate::graph::JobEdge> {
        self.job_graph.edges.iter().find(|exchange| exchange.edge == edge)
    }
}

/// The channel ends of one task, by edge.
#[derive(Default)]
pub(crate) struct TaskEnds {
    pub(crate) senders: BTreeMap<u32, Box<dyn Any + Send>>,
    pub(crate) receivers: BTreeMap<u32, Box<dyn Any + Send>>,
}

/// Builds one task.
pub(crate) struct TaskBuilder<'a> {
    pub(crate) plan: &'a JobPlan,
    pub(crate) vertex: &'a JobVertex,
    pub(crate) subtask: u32,
    /// How often the task was started before.
    pub(crate) attempt: u32,
    pub(crate) ends: TaskEnds,
    pub(crate) shared: Rc<TaskShared>,
    pub(crate) metrics: Arc<TaskMetrics>,
    /// The figures of all tasks by vertex and subtask, for the vertices that run inside this task.
    pub(crate) job_metrics: Arc<Vec<Vec<Arc<TaskMetrics>>>>,
    /// What the operators of this task get back of an earlier run; `None` on a fresh start.
    pub(crate) restored: Option<TaskState>,
    /// What was in flight before operators of this task, by edge.
    pub(crate) in_flight: BTreeMap<u32, ErasedRestored>,
}

impl TaskBuilder<'_> {
    /// Builds the chain and its head.
    pub(crate) fn build(mut self) -> ChainResult<ErasedHead> {
        match self.operator(self.vertex.head)? {
            Built::Head(head) => Ok(head),
            Built::Input(target) => {
                let watermark = self.metrics.watermark.clone();
                self.gate(None, watermark, target)
            }
            Built::TwoInputs([first, second]) => {
                let [watermark1, watermark2] = self.metrics.input_watermarks.clone();
                let first = self.gate(Some(0), watermark1, first)?;
                let second = self.gate(Some(1), watermark2, second)?;
                Ok(ErasedHead(Box::new(TwoGates::new(first.0, second.0))))
            }
        }
    }

    fn operator(&mut self, id: NodeId) -> ChainResult<Built> {
        let node = self.plan.program.graph.node(id);
        let metrics = Arc::new(OperatorMetrics::default());
        let is_tail = self.plan.program.graph.outputs(id).all(|edge| self.plan.exchange(edge.id).is_some());
        self.metrics.add_operator(&node.name, Arc::clone(&metrics), is_tail);
        let operator_id = self.plan.program.graph.operator_id(id);
        // An operator that the earlier run did not have is restored with nothing.
        let restored = self.restored.as_mut().map(|task| task.remove(&operator_id));
        let restored = restored.map(|own| Arc::new(own.unwrap_or_default()));
        let setup = OperatorSetup {
            name: Arc::from(node.name.as_str()),
            operator_id,
            subtask: self.subtask,
            parallelism: self.vertex.parallelism,
            max_parallelism: self.plan.program.graph.max_parallelism_of(node),
            attempt: self.attempt,
            metrics,
            restored,
            backend: Arc::clone(&self.plan.backend),
            task: Rc::clone(&self.shared),
        };
        // While it is being built, a panic is this operator's.
        enter_operator(&setup.name);
        let outputs = self.outputs(id)?;
        enter_operator(&setup.name);
        self.plan.program.operators[id.0 as usize].build(setup, outputs)
    }

    fn outputs(&mut self, id: NodeId) -> ChainResult<ErasedOutputs> {
        let graph = &self.plan.program.graph;
        let mut outputs = ErasedOutputs::default();
        let mut side: Vec<(String, u32, Vec<ErasedInput>)> = Vec::new();
        for edge in graph.outputs(id) {
            let target = self.target(edge)?;
            match &edge.tag {
                None => outputs.main.push(target),
                Some(tag) => match side.iter_mut().find(|(known, _, _)| known == tag) {
                    Some((_, _, targets)) => targets.push(target),
                    None => side.push((tag.clone(), edge.id, vec![target])),
                },
            }
        }
        for (tag, edge, targets) in side {
            let factory = &self.plan.program.edges[edge as usize];
            outputs.side.push((tag, factory.output(targets, &graph.node(id).name)?.0));
        }
        Ok(outputs)
    }

    fn target(&mut self, edge: &StreamEdge) -> ChainResult<ErasedInput> {
        let name = &self.plan.program.graph.node(edge.to).name;
        let Some(exchange) = self.plan.exchange(edge.id) else {
            return match self.operator(edge.to)? {
                Built::Input(input) if self.in_flight.contains_key(&edge.id) => {
                    self.inline(edge, Gauge::default(), input)
                }
                Built::Input(input) => Ok(input),
                other => Err(unfit(name, &other)),
            };
        };
        if exchange.inline {
            return self.inline_target(edge, exchange.to);
        }
        let down = &self.plan.job_graph.vertices[exchange.to as usize];
        let plan = RouterPlan {
            name: partitioning_name(name),
            partitioning: exchange.partitioning,
            from_subtask: self.subtask,
            downstream_parallelism: down.parallelism,
            max_parallelism: down.max_parallelism,
        };
        let ends = self.ends.senders.remove(&edge.id);
        let ends = ends.ok_or_else(|| broken(name, "an exchange has no sending end"))?;
        let factory = &self.plan.program.edges[edge.id as usize];
        factory.router(ends, ErasedRouterPlan(plan), Rc::clone(&self.shared))
    }

    /// Builds the vertex behind an inline exchange, which counts for itself.
    fn inline_target(&mut self, edge: &StreamEdge, vertex: u32) -> ChainResult<ErasedInput> {
        let name = &self.plan.program.graph.node(edge.to).name;
        let own = Arc::clone(&self.job_metrics[vertex as usize][self.subtask as usize]);
        let outer = std::mem::replace(&mut self.metrics, Arc::clone(&own));
        let built = self.operator(edge.to);
        self.metrics = outer;
        match built? {
            Built::Input(input) => self.inline(edge, own.watermark.clone(), input),
            other => Err(unfit(name, &other)),
        }
    }

    /// A call in place of a channel. What was in a channel there when the job had another parallelism comes first.
    fn inline(
        &mut self,
        edge: &StreamEdge,
        watermark: Gauge,
        target: ErasedInput,
    ) -> ChainResult<ErasedInput> {
        let graph = &self.plan.program.graph;
        let restored = self.in_flight.remove(&edge.id);
        let restored = restored.as_ref().map(|restored| (graph.partitioning_of(edge), restored));
        let factory = &self.plan.program.edges[edge.id as usize];
        factory.inline(partitioning_name(&graph.node(edge.to).name), watermark, target, restored)
    }

    /// The gate of one input of the head, or of its only one.
    fn gate(&mut self, input: Option<u32>, watermark: Gauge, target: ErasedInput) -> ChainResult<ErasedHead> {
        let graph = &self.plan.program.graph;
        let name = &graph.node(self.vertex.head).name;
        let edges =
            graph.inputs(self.vertex.head).filter(|edge| input.is_none_or(|input| edge.input == input));
        let edges: Vec<&StreamEdge> = edges.collect();
        let first =
            edges.first().ok_or_else(|| broken(name, "no stream is connected to one of its inputs"))?;
        let factory = &self.plan.program.edges[first.id as usize];
        let plan = ErasedGatePlan { watermark, overtaking: self.overtaking(name, &edges) };
        let mut ends = Vec::new();
        for edge in edges {
            let Some(mut own) = self.ends.receivers.remove(&edge.id) else { continue };
            if let Some(restored) = self.in_flight.remove(&edge.id) {
                let factory = &self.plan.program.edges[edge.id as usize];
                factory.refill(own.as_mut(), graph.partitioning_of(edge), &restored, name)?;
            }
            ends.push(own as Box<dyn Any>);
        }
        factory.gate(ends, plan, target, name)
    }

    /// What a gate before these edges does about barriers that overtake records, if the job has such.
    fn overtaking(&self, operator: &str, edges: &[&StreamEdge]) -> Option<Overtaking> {
        if !self.shared.link.checkpointing.overtaking {
            return None;
        }
        let (graph, jobs) = (&self.plan.program.graph, &self.plan.job_graph);
        let mut places = Vec::new();
        for edge in edges {
            let exchange = self.plan.exchange(edge.id)?;
            let id = graph.exchange_id(edge);
            let parallelism = |vertex: u32| jobs.vertices[vertex as usize].parallelism;
            let (up, down) = (parallelism(exchange.from), self.vertex.parallelism);
            let sends = |from: &u32| exchange.partitioning.targets(*from, up, down).contains(&self.subtask);
            let place = |from| ChannelPlace { exchange: id, partitioning: exchange.partitioning, from };
            places.extend((0..up).filter(sends).map(place));
        }
        let is_allowed = jobs.is_overtakable(self.vertex.id);
        Some(Overtaking::new(operator, places, is_allowed, Rc::clone(&self.shared)))
    }
}

/// How an exchange is named in errors.
fn partitioning_name(operator: &str) -> Arc<str> {
    Arc::from(format!("{operator} (partitioning)"))
}

/// What was built can't stand behind an operator in its task.
fn unfit(operator: &str, built: &Built) -> ChainError {
    broken(
        operator,
        match built {
            Built::TwoInputs(_) => "an operator with two inputs has only one",
            Built::Head(_) | Built::Input(_) => "a source can't have an input",
        },
    )
}

fn broken(operator: &str, problem: &str) -> ChainError {
    ChainError::Failed { operator: operator.to_owned(), cause: problem.into() }
}
