//! A function's place in the job.

use std::sync::Arc;

use flott_runtime::metrics::{Counter, Gauge, OperatorMetrics};
use flott_runtime::operator::OperatorSetup;

/// A function's place in the job (Flink: `RuntimeContext`).
#[derive(Clone)]
pub struct RuntimeContext {
    name: Arc<str>,
    subtask: u32,
    parallelism: u32,
    max_parallelism: u32,
    attempt: u32,
    metrics: Arc<OperatorMetrics>,
}

impl RuntimeContext {
    pub(crate) fn of(setup: &OperatorSetup) -> Self {
        Self {
            name: Arc::clone(&setup.name),
            subtask: setup.subtask,
            parallelism: setup.parallelism,
            max_parallelism: setup.max_parallelism,
            attempt: setup.attempt,
            metrics: Arc::clone(&setup.metrics),
        }
    }

    /// The operator's name.
    pub fn operator_name(&self) -> &str {
        &self.name
    }

    /// The index of this subtask, from 0.
    pub fn index_of_this_subtask(&self) -> u32 {
        self.subtask
    }

    /// How many subtasks the operator has.
    pub fn number_of_parallel_subtasks(&self) -> u32 {
        self.parallelism
    }

    /// How many key groups the operator's keyed state has.
    pub fn max_number_of_parallel_subtasks(&self) -> u32 {
        self.max_parallelism
    }

    /// How often the subtask has been started before.
    pub fn attempt_number(&self) -> u32 {
        self.attempt
    }

    /// A counter of the user's, by name; it starts at 0.
    pub fn counter(&self, name: &str) -> Counter {
        self.metrics.counter(name)
    }

    /// A gauge of the user's, by name; it starts at 0.
    pub fn gauge(&self, name: &str) -> Gauge {
        self.metrics.gauge(name)
    }
}
