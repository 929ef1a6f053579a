//! For tests of sinks: what a writer or committer needs, without a job around it.

use std::sync::Arc;

use flott_core::seam::Clock;

use super::SinkContext;
use crate::graph::OperatorId;
use crate::metrics::OperatorMetrics;

/// The context of one subtask, with counters of its own.
pub fn sink_context(subtask: u32, parallelism: u32, clock: Arc<dyn Clock>) -> SinkContext {
    let operator_id = OperatorId::of_uid("sink");
    SinkContext { operator_id, subtask, parallelism, clock, metrics: Arc::new(OperatorMetrics::default()) }
}
