//! What the user holds of a running job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::coordinator::Outcome;
use super::inbox::Sender;
use super::message::{Message, Request, answer};
use super::statistics::CheckpointStatistics;
use crate::checkpoint::coordinator::{FailureReason, RequestFailure};
use crate::checkpoint::options::{SavepointFormat, StopMode};
use crate::error::JobError;
use crate::metrics::{MetricValue, VertexMetrics};
use crate::seam::Monitor;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Its tasks run, or are being ended.
    Running,
    /// It has failed and starts again after a while, all of it or the part that failed.
    Restarting,
    /// All input was processed.
    Finished,
    /// It was cancelled.
    Canceled,
    /// It failed.
    Failed,
}

/// What is left of a job that has finished.
#[derive(Clone, Debug)]
pub struct JobResult {
    /// The job's name.
    pub job_name: String,
    /// From the start of its tasks to the end of the last one.
    pub net_runtime: Duration,
    /// The final figures of each vertex.
    pub vertices: Vec<VertexMetrics>,
}

impl JobResult {
    /// The user's counters of all operators, those of one name added up.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        let tasks = self.vertices.iter().flat_map(|vertex| &vertex.subtasks);
        for (_, metrics) in tasks.flat_map(|task| task.operators()) {
            for (name, value) in metrics.user_counters() {
                *sums.entry(name).or_insert(0) += value;
            }
        }
        sums
    }

    /// `numLateRecordsDropped` of the whole job.
    pub fn late_records_dropped(&self) -> u64 {
        let tasks = self.vertices.iter().flat_map(|vertex| &vertex.subtasks);
        let operators = tasks.flat_map(|task| task.operators());
        operators.map(|(_, metrics)| metrics.late_records_dropped.get()).sum()
    }
}

/// How a job has ended, and how long it ran.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    pub(super) net_runtime: Duration,
}

/// What the shell tells those who look at the job.
#[derive(Debug, Default)]
pub(super) struct JobLife {
    /// Tasks wait to start again after a failure.
    pub(super) restarting: bool,
    /// How often tasks were started again.
    pub(super) restarts: u32,
    /// How often all of them were.
    pub(super) full_restarts: u32,
    pub(super) ended: Option<Ended>,
    pub(super) checkpoints: CheckpointStatistics,
}

/// A running job. Dropping the handle leaves the job running.
#[derive(Debug, Clone)]
pub struct JobHandle {
    pub(super) name: String,
    pub(super) vertices: Vec<VertexMetrics>,
    pub(super) messages: Sender<Message>,
    pub(super) life: Arc<Monitor<JobLife>>,
}

impl JobHandle {
    /// The job's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The figures of the job's vertices, which go on changing.
    pub fn vertices(&self) -> &[VertexMetrics] {
        &self.vertices
    }

    /// Asks the job to end. Its tasks stop between two batches; [`JobHandle::wait`] tells when they have.
    pub fn cancel(&self) {
        // If the coordinator is gone the job has ended already.
        self.messages.send(Message::Cancel);
    }

    /// How often tasks were started again after a failure, all of them or those of a region (Flink: `numRestarts`).
    pub fn restarts(&self) -> u32 {
        self.life.look(|life| life.restarts)
    }

    /// What is known of the job's checkpoints and savepoints.
    pub fn checkpoints(&self) -> CheckpointStatistics {
        self.life.look(|life| life.checkpoints.clone())
    }

    /// The figures of the job as a whole, under Flink's names.
    pub fn metrics(&self) -> Vec<(&'static str, MetricValue)> {
        self.life.look(|life| {
            let restarts = [("numRestarts", life.restarts), ("fullRestarts", life.full_restarts)];
            let restarts = restarts.map(|(name, count)| (name, MetricValue::Number(i64::from(count))));
            restarts.into_iter().chain(life.checkpoints.metrics()).collect()
        })
    }

    /// Takes a checkpoint now, waits for it, and returns where it is (Flink: `triggerCheckpoint`).
    ///
    /// # Errors
    /// [`JobError::Snapshot`] when there is none, and why.
    pub fn trigger_checkpoint(&self) -> Result<String, JobError> {
        self.request(Request::Checkpoint)
    }

    /// Takes a savepoint, waits for it, and returns where it is. `directory` is where savepoints go, if not to
    /// `execution.checkpointing.savepoint-dir`.
    ///
    /// # Errors
    /// [`JobError::Snapshot`] when there is none, and why.
    pub fn trigger_savepoint(
        &self,
        directory: Option<&str>,
        format: SavepointFormat,
    ) -> Result<String, JobError> {
        self.request(Request::Savepoint { directory: directory.map(str::to_owned), format, stop: None })
    }

    /// Takes a savepoint and ends the job with it: nothing is processed behind the savepoint, and sinks commit what is
    /// before it. With [`StopMode::Drain`] all windows and timers fire first; a job that will be resumed is stopped with
    /// [`StopMode::Suspend`]. Waits until the job has ended, and returns where the savepoint is.
    ///
    /// # Errors
    /// [`JobError::Snapshot`] when there is no savepoint or the job has not stopped with it, and why.
    pub fn stop_with_savepoint(
        &self,
        directory: Option<&str>,
        format: SavepointFormat,
        mode: StopMode,
    ) -> Result<String, JobError> {
        let directory = directory.map(str::to_owned);
        let savepoint = self.request(Request::Savepoint { directory, format, stop: Some(mode) })?;
        self.life.wait(None, |life| life.ended.as_ref().map(|_| ()));
        Ok(savepoint)
    }

    fn request(&self, request: Request) -> Result<String, JobError> {
        let place = answer();
        let shutdown = RequestFailure::Checkpoint(FailureReason::CoordinatorShutdown);
        if !self.messages.send(Message::Request(request, Arc::clone(&place))) {
            return Err(JobError::Snapshot { job: self.name.clone(), failure: shutdown });
        }
        let answered = place.wait(None, Option::take).unwrap_or(Err(shutdown));
        answered.map_err(|failure| JobError::Snapshot { job: self.name.clone(), failure })
    }

    /// Where the job stands now.
    pub fn status(&self) -> JobStatus {
        self.life.look(|life| match life.ended.as_ref().map(|ended| &ended.outcome) {
            None if life.restarting => JobStatus::Restarting,
            None => JobStatus::Running,
            Some(Outcome::Finished) => JobStatus::Finished,
            Some(Outcome::Canceled) => JobStatus::Canceled,
            Some(Outcome::Failed(_)) => JobStatus::Failed,
        })
    }

    /// Waits for the end of the job.
    ///
    /// # Errors
    /// [`JobError::Task`] if it failed, [`JobError::Canceled`] if it was cancelled.
    pub fn wait(&self) -> Result<JobResult, JobError> {
        loop {
            if let Some(result) = self.wait_within(None) {
                return result;
            }
        }
    }

    /// Waits for the end of the job, at most this long; `None` if it still runs.
    pub fn wait_for(&self, limit: Duration) -> Option<Result<JobResult, JobError>> {
        self.wait_within(Some(limit))
    }

    fn wait_within(&self, limit: Option<Duration>) -> Option<Result<JobResult, JobError>> {
        self.life.wait(limit, |life| life.ended.as_ref().map(|ended| self.result(ended)))
    }

    fn result(&self, ended: &Ended) -> Result<JobResult, JobError> {
        match &ended.outcome {
            Outcome::Finished => Ok(JobResult {
                job_name: self.name.clone(),
                net_runtime: ended.net_runtime,
                vertices: self.vertices.clone(),
            }),
            Outcome::Canceled => Err(JobError::Canceled { job: self.name.clone() }),
            Outcome::Failed(failure) => Err(JobError::Task(failure.clone())),
        }
    }
}
