//! Sinks in Flink's modern shape: a writer in each subtask, and an optional committer that makes written data
//! visible once it is certain to count.
//!
//! A writer writes so that no reader sees unfinished data (a hidden file, an open transaction). What it has
//! finished it hands over as *committables*, plain data that a checkpoint can store. The committer publishes
//! them; it must be idempotent, as a commit is repeated when its outcome is unknown.

mod operator;
pub mod testing;

use flott_core::time::Timestamp;
use flott_core::{Batch, Data};

use crate::error::{BoxError, FnResult};
use crate::metrics::OperatorMetrics;
use std::sync::Arc;

pub use operator::SinkOperator;

/// Where the records of a stream go. The value itself is a description from which writers and committers are
/// created, again after each restart.
pub trait Sink<T>: Send + Sync + 'static {
    /// Names data that was written and waits for its commit; [`NoCommittable`] for sinks that need none.
    type Committable: Data;

    /// Creates the writer of one subtask, on the subtask's own thread.
    ///
    /// # Errors
    /// When the target can't be written; the job then fails before it has read much.
    fn create_writer(
        &self,
        context: &SinkContext,
    ) -> FnResult<Box<dyn SinkWriter<T, Committable = Self::Committable>>>;

    /// Creates the committer of one subtask, for sinks that need one.
    ///
    /// # Errors
    /// When the target can't be reached; the job then fails.
    fn create_committer(
        &self,
        _context: &SinkContext,
    ) -> FnResult<Option<Box<dyn Committer<Self::Committable>>>> {
        Ok(None)
    }
}

/// The committable of sinks that have no committer: there is no value of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum NoCommittable {}

/// What is known beside the record while writing.
#[derive(Clone, Copy, Debug)]
pub struct WriteContext {
    /// The last watermark that the sink has seen.
    pub current_watermark: Timestamp,
}

/// Writes the records of one subtask.
pub trait SinkWriter<T> {
    /// See [`Sink::Committable`].
    type Committable;

    /// Takes all records out of `batch` and writes them.
    ///
    /// # Errors
    /// An error of any method fails the task.
    fn write(&mut self, batch: &mut Batch<T>, context: WriteContext) -> FnResult;

    /// Makes everything written so far leave the process; `end_of_input`: nothing will follow.
    ///
    /// # Errors
    /// An error fails the task.
    fn flush(&mut self, end_of_input: bool) -> FnResult;

    /// Hands over what is finished since the last call and may be committed.
    ///
    /// # Errors
    /// An error fails the task.
    fn prepare_commit(&mut self) -> FnResult<Vec<Self::Committable>> {
        Ok(Vec::new())
    }

    /// Processing time has advanced, for writers that roll by time. Called about once a second.
    ///
    /// # Errors
    /// An error fails the task.
    fn on_processing_time(&mut self, _now: Timestamp) -> FnResult {
        Ok(())
    }

    /// Called once at the end, also after a failure. Unfinished data must stay invisible.
    ///
    /// # Errors
    /// An error fails the task if it has not failed before.
    fn close(&mut self) -> FnResult {
        Ok(())
    }
}

/// Publishes committables. A commit may be repeated after a crash: committing twice must equal committing once.
pub trait Committer<C> {
    /// Publishes one committable.
    ///
    /// # Errors
    /// See [`CommitError`].
    fn commit(&mut self, committable: &C) -> Result<(), CommitError>;
}

/// Why a commit did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// It was committed before: counts as success.
    #[error("already committed")]
    AlreadyCommitted,
    /// The target can't be reached now; the same commit is tried again later.
    #[error("not committed yet, it will be tried again: {0}")]
    RetryLater(BoxError),
    /// It can never succeed; the job fails.
    #[error("the commit failed: {0}")]
    Failed(BoxError),
}

/// What a writer or committer may use of its subtask.
#[derive(Clone)]
pub struct SinkContext {
    pub(crate) subtask: u32,
    pub(crate) parallelism: u32,
    pub(crate) clock: Arc<dyn flott_core::seam::Clock>,
    pub(crate) metrics: Arc<OperatorMetrics>,
}

impl SinkContext {
    /// The subtask's index, from 0.
    pub fn subtask(&self) -> u32 {
        self.subtask
    }

    /// How many subtasks the sink has.
    pub fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// The time, which tests replace.
    pub fn clock(&self) -> &Arc<dyn flott_core::seam::Clock> {
        &self.clock
    }

    /// Counters of this subtask.
    pub fn metrics(&self) -> &OperatorMetrics {
        &self.metrics
    }
}
