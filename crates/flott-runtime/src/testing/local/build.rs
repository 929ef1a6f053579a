//! Builds the tasks as a job does.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::super::ManualClock;
use super::super::snapshot::Restored;
use super::tasks::{LocalTask, Tasks};
use crate::error::TaskFailure;
use crate::graph::JobVertex;
use crate::job::{JobPlan, LaunchOptions, TaskBuilder, TaskEnds, connect, signals};
use crate::metrics::TaskMetrics;
use crate::seam::Signal;
use crate::task::{TaskCheckpointing, TaskLink, TaskShared, guard};

/// Builds the tasks.
pub(super) struct Build<'a> {
    pub(super) plan: &'a JobPlan,
    pub(super) clock: &'a Arc<ManualClock>,
    pub(super) options: &'a LaunchOptions,
    pub(super) metrics: &'a Arc<Vec<Vec<Arc<TaskMetrics>>>>,
    pub(super) restored: Option<Restored>,
}

impl Build<'_> {
    pub(super) fn tasks(&self) -> Result<Tasks, TaskFailure> {
        let signals = signals(&self.plan.job_graph);
        let ends = connect(self.plan, &signals, false, |_| true);
        let canceled = Arc::<AtomicBool>::default();
        let mut tasks = Vec::new();
        for ((vertex, signals), ends) in self.plan.job_graph.vertices.iter().zip(signals).zip(ends) {
            if self.plan.job_graph.host(vertex.id) != vertex.id {
                continue;
            }
            for ((subtask, signal), ends) in (0..).zip(signals).zip(ends) {
                tasks.push(self.task(vertex, subtask, signal, ends, Arc::clone(&canceled))?);
            }
        }
        Ok(Tasks::new(tasks, Arc::clone(self.clock), canceled))
    }

    fn task(
        &self,
        vertex: &JobVertex,
        subtask: u32,
        signal: Arc<Signal>,
        ends: TaskEnds,
        canceled: Arc<AtomicBool>,
    ) -> Result<LocalTask, TaskFailure> {
        signal.adopt();
        let Self { plan, options, .. } = *self;
        let (graph, jobs) = (&plan.program.graph, &plan.job_graph);
        let name = graph.node(vertex.head).name.clone();
        let link = TaskLink {
            request_split: Arc::new(|| {}),
            report_watermark: Arc::new(|_| {}),
            auto_watermark_interval: options.auto_watermark_interval,
            allow_unaligned_source_splits: options.allow_unaligned_source_splits,
            checkpointing: TaskCheckpointing::none(),
        };
        let metrics = Arc::clone(&self.metrics[vertex.id as usize][subtask as usize]);
        let clock = Arc::clone(self.clock) as Arc<_>;
        let shared = Rc::new(TaskShared::new(clock, signal, canceled, Arc::clone(&metrics), link));
        let restored = self.restored.as_ref().map(|restored| restored.task(graph, jobs, vertex.id, subtask));
        let (own, job_metrics) = (Rc::clone(&shared), Arc::clone(self.metrics));
        let in_flight = BTreeMap::new();
        let builder = TaskBuilder {
            plan,
            vertex,
            subtask,
            attempt: 0,
            ends,
            shared: own,
            metrics,
            job_metrics,
            restored,
            in_flight,
        };
        let parallelism = vertex.parallelism;
        match guard(|| builder.build()) {
            Ok(head) => Ok(LocalTask::new(name, subtask, parallelism, head.0, shared)),
            Err(ended) => Err(ended.into_failure(Some(subtask), parallelism, &name)),
        }
    }
}
