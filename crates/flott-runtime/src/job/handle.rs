//! What the user holds of a running job.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::coordinator::{Event, Outcome};
use super::inbox::Sender;
use super::shell::Message;
use crate::error::JobError;
use crate::metrics::VertexMetrics;
use crate::seam::Monitor;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobStatus {
    /// Its tasks run, or are being ended.
    Running,
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

/// Where the shell leaves the end of the job for those who wait.
pub(super) const fn ending() -> Monitor<Option<Ended>> {
    Monitor::new("the end of the job", None)
}

/// A running job. Dropping the handle leaves the job running.
#[derive(Debug, Clone)]
pub struct JobHandle {
    pub(super) name: String,
    pub(super) vertices: Vec<VertexMetrics>,
    pub(super) messages: Sender<Message>,
    pub(super) ending: Arc<Monitor<Option<Ended>>>,
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
        self.messages.send(Message::Event(Event::CancelRequested));
    }

    /// Where the job stands now.
    pub fn status(&self) -> JobStatus {
        self.ending.look(|ended| match ended.as_ref().map(|ended| &ended.outcome) {
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
        self.ending.wait(limit, |ended| ended.as_ref().map(|ended| self.result(ended)))
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
