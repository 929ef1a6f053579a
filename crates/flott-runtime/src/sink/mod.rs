//! Sinks in Flink's modern shape: a writer in each subtask, and an optional committer that makes written data
//! visible once it is certain to count.
//!
//! A writer writes so that no reader sees unfinished data (a hidden file, an open transaction). What it has
//! finished it hands over as *committables*, plain data that a checkpoint can store. The committer publishes
//! them; it must be idempotent, as a commit is repeated when its outcome is unknown.
//!
//! In a job that takes checkpoints, what a writer has finished at the barrier of a checkpoint is committed when that
//! checkpoint is complete; what a restored checkpoint holds of it is committed before the first record. In a job that takes
//! none everything is committed at the end of input.

mod commits;
mod operator;
pub mod testing;

use flott_core::time::Timestamp;
use flott_core::{Batch, Data};

use crate::error::{BoxError, FnResult};
use crate::graph::OperatorId;
use crate::metrics::OperatorMetrics;
use std::sync::Arc;

pub use operator::SinkOperator;

/// Where the records of a stream go. The value itself is a description from which writers and committers are
/// created, again after each restart.
pub trait Sink<T>: Send + Sync + 'static {
    /// Names data that was written and waits for its commit; [`NoCommittable`] for sinks that need none.
    type Committable: Data;
    /// What writers put into checkpoints beside that; [`NoWriterState`] for sinks whose writers remember nothing.
    type WriterState: Data;

    /// Creates the writer of one subtask for a fresh start, on the subtask's own thread.
    ///
    /// # Errors
    /// When the target can't be written; the job then fails before it has read much.
    fn create_writer(&self, context: &SinkContext) -> FnResult<BoxWriter<T, Self>>;

    /// Creates the writer of one subtask of a job that is restored, with its share of what the writers of the earlier run
    /// had in the checkpoint. Unless overridden, a writer without state.
    ///
    /// # Errors
    /// As [`Sink::create_writer`].
    fn restore_writer(
        &self,
        context: &SinkContext,
        _states: Vec<Self::WriterState>,
    ) -> FnResult<BoxWriter<T, Self>> {
        self.create_writer(context)
    }

    /// Whether each restored writer gets the states of all earlier writers (Flink: union list state), not a share of them.
    fn restores_all_states(&self) -> bool {
        false
    }

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

/// The committable of sinks that have no committer: none is ever made.
// No enum without variants, for such a type has no schema, and people would be warned of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NoCommittable(());

/// The state of writers that remember nothing: none is ever made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NoWriterState(());

/// A writer of the sink `S`.
pub type BoxWriter<T, S> =
    Box<dyn SinkWriter<T, Committable = <S as Sink<T>>::Committable, State = <S as Sink<T>>::WriterState>>;

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
    /// See [`Sink::WriterState`].
    type State;

    /// Takes all records out of `batch` and writes them.
    ///
    /// # Errors
    /// An error of any method fails the task.
    fn write(&mut self, batch: &mut Batch<T>, context: WriteContext) -> FnResult;

    /// Makes everything written so far leave the process, at a checkpoint or at the end; `end_of_input`: no record will
    /// follow.
    ///
    /// # Errors
    /// An error fails the task.
    fn flush(&mut self, end_of_input: bool) -> FnResult;

    /// Hands over what is finished since the last call and may be committed. Comes after [`SinkWriter::flush`].
    ///
    /// # Errors
    /// An error fails the task.
    fn prepare_commit(&mut self) -> FnResult<Vec<Self::Committable>> {
        Ok(Vec::new())
    }

    /// What the writer needs to go on as from now, for checkpoint `checkpoint_id`; beside what it has handed over by
    /// [`SinkWriter::prepare_commit`], which was called just before.
    ///
    /// # Errors
    /// An error fails the task.
    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Self::State>> {
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
    /// The target can't be reached now; the same commit is tried again later, ten times within about ten seconds, before the
    /// task fails.
    #[error("not committed yet, it will be tried again: {0}")]
    RetryLater(BoxError),
    /// It can never succeed; the job fails.
    #[error("the commit failed: {0}")]
    Failed(BoxError),
}

/// What a writer or committer may use of its subtask.
#[derive(Clone)]
pub struct SinkContext {
    pub(crate) operator_id: OperatorId,
    pub(crate) subtask: u32,
    pub(crate) parallelism: u32,
    pub(crate) clock: Arc<dyn flott_core::seam::Clock>,
    pub(crate) metrics: Arc<OperatorMetrics>,
}

impl SinkContext {
    /// The sink's identity, the same in all its subtasks and after a restart.
    pub fn operator_id(&self) -> OperatorId {
        self.operator_id
    }

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
