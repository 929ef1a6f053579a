//! Sources in Flink's modern shape (FLIP-27).
//!
//! A [`Source`] describes where data comes from. Its [`SplitEnumerator`] runs once, in the coordinator; it finds
//! splits (a range of a file, a partition) and assigns them. A [`SourceReader`] runs in each subtask; it reads its
//! splits and emits records. A reader's position is its list of splits, each advanced to where reading goes on:
//! that is what a checkpoint stores and what makes a source replayable.

mod alignment;
mod enumerator;
mod head;
mod output;
pub mod testing;

use std::sync::Arc;
use std::time::Duration;

use flott_core::Data;
use flott_core::seam::Clock;
use flott_state::OperatorSnapshot;
use serde::{Serialize, de::DeserializeOwned};

use crate::error::FnResult;
use crate::metrics::OperatorMetrics;
use crate::seam::Signal;

pub use alignment::CannotPauseSplits;
pub use enumerator::EnumeratorOutput;
pub(crate) use enumerator::{AnyEnumerator, EnumeratorActions, TypedEnumerator, read_enumerator_state};
pub(crate) use head::SourceHead;
pub use output::SourceOutput;

/// The splits that a snapshot holds of a reader.
pub(crate) fn read_splits<S: SourceSplit>(restored: &OperatorSnapshot) -> FnResult<Vec<S>> {
    head::splits::restore(restored)
}

/// Whether a source ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
pub enum Boundedness {
    /// The source ends after a known amount of data; the job then finishes.
    Bounded,
    /// The source goes on until the job is stopped.
    ContinuousUnbounded,
}

/// A part of a source that one subtask reads: a range of a file, a partition of a topic. It holds the position
/// where reading starts or goes on, as it is also what a checkpoint stores.
pub trait SourceSplit: Data {
    /// Names the split uniquely within its source, independent of the position.
    fn split_id(&self) -> String;
}

/// What an enumerator puts into a checkpoint: any serde type.
pub trait EnumeratorState: Serialize + DeserializeOwned + Send + 'static {}

impl<E: Serialize + DeserializeOwned + Send + 'static> EnumeratorState for E {}

/// Where the records of a stream come from. The value itself is only a description: enumerator and readers are
/// created from it, again after each restart.
pub trait Source: Send + Sync + 'static {
    /// The records.
    type Out: Data;
    /// The unit of assignment and of position.
    type Split: SourceSplit;
    /// What the enumerator puts into a checkpoint.
    type EnumeratorState: EnumeratorState;

    /// Whether the source ends by itself.
    fn boundedness(&self) -> Boundedness;

    /// Creates the enumerator for a fresh start.
    ///
    /// # Errors
    /// When the source can't be reached or does not exist; the job then does not start.
    fn create_enumerator(
        &self,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = Self::Split, State = Self::EnumeratorState>>>;

    /// Creates the enumerator from the state that an earlier one stored.
    ///
    /// # Errors
    /// As [`Source::create_enumerator`].
    fn restore_enumerator(
        &self,
        state: Self::EnumeratorState,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = Self::Split, State = Self::EnumeratorState>>>;

    /// Creates the reader of one subtask, on the subtask's own thread.
    ///
    /// # Errors
    /// When the reader can't be set up; the job then fails.
    fn create_reader(
        &self,
        context: ReaderContext,
    ) -> FnResult<Box<dyn SourceReader<Self::Out, Self::Split>>>;
}

/// Finds splits and assigns them to readers. There is one for each source, in the coordinator.
pub trait SplitEnumerator: Send {
    /// The unit of assignment.
    type Split: SourceSplit;
    /// What goes into a checkpoint.
    type State: EnumeratorState;

    /// Called once, before any other method.
    ///
    /// # Errors
    /// An error of any method fails the job.
    fn start(&mut self, _out: &mut EnumeratorOutput<'_, Self::Split>) -> FnResult {
        Ok(())
    }

    /// The reader of `subtask` asks for another split. Answer with [`EnumeratorOutput::assign`] or
    /// [`EnumeratorOutput::no_more_splits`], now or later.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, Self::Split>) -> FnResult;

    /// The time asked for with [`EnumeratorOutput::tick_after`] has come.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_tick(&mut self, _out: &mut EnumeratorOutput<'_, Self::Split>) -> FnResult {
        Ok(())
    }

    /// The reader of `subtask` has failed while others go on, before a checkpoint held these splits: they must be assigned
    /// anew, to any reader. (If all readers start again, the enumerator is restored instead.)
    ///
    /// # Errors
    /// An error fails the job.
    fn add_splits_back(&mut self, splits: Vec<Self::Split>, subtask: u32) -> FnResult;

    /// The reader of `subtask` starts again while others go on, with the splits that a checkpoint holds of it (Flink:
    /// `addReader`). It asks for splits as a new one does. An enumerator that assigns splits without being asked, or says
    /// of its own accord that there are no more, does so here for this reader; what the failed one had asked or was told
    /// is void.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_reader_restart(&mut self, _subtask: u32, _out: &mut EnumeratorOutput<'_, Self::Split>) -> FnResult {
        Ok(())
    }

    /// The state for checkpoint `checkpoint_id`: all that is needed to go on assigning without loss or repetition.
    ///
    /// # Errors
    /// An error fails the checkpoint.
    fn snapshot_state(&mut self, checkpoint_id: u64) -> FnResult<Self::State>;
}

/// Reads splits and emits records, on the thread of its subtask.
pub trait SourceReader<T, S> {
    /// Called once before the first poll. A reader that pulls its work requests its first split here.
    ///
    /// # Errors
    /// An error of any method fails the task.
    fn start(&mut self) -> FnResult {
        Ok(())
    }

    /// Takes over splits, at the position that each of them holds.
    ///
    /// # Errors
    /// An error fails the task.
    fn add_splits(&mut self, splits: Vec<S>) -> FnResult;

    /// There will be no further splits; after the present ones the reader returns [`InputStatus::EndOfInput`].
    fn notify_no_more_splits(&mut self) {}

    /// Emits at most about one batch ([`SourceOutput::is_full`]) and returns without waiting.
    ///
    /// # Errors
    /// An error fails the task. It should name file or partition and position.
    fn poll_next(&mut self, out: &mut SourceOutput<'_, T>) -> FnResult<InputStatus>;

    /// The unfinished splits, each at the position behind the last record emitted.
    ///
    /// # Errors
    /// An error fails the checkpoint.
    fn snapshot_state(&mut self, checkpoint_id: u64) -> FnResult<Vec<S>>;

    /// Stops reading some splits, which are too far ahead of the watermark alignment group, and goes on with others.
    /// Both are asked of readers that have several splits only, and each split once until it changes.
    ///
    /// # Errors
    /// [`CannotPauseSplits`] if the reader can't, which is the default. It fails the task unless the job allows
    /// unaligned splits; so does any other error.
    fn pause_or_resume_splits(&mut self, _pause: &[String], _resume: &[String]) -> FnResult {
        Err(CannotPauseSplits.into())
    }

    /// Checkpoint `checkpoint_id` is complete. Best effort: a notice also stands for all earlier checkpoints.
    ///
    /// # Errors
    /// An error fails the task.
    fn notify_checkpoint_complete(&mut self, _checkpoint_id: u64) -> FnResult {
        Ok(())
    }

    /// Called once at the end, also after a failure.
    ///
    /// # Errors
    /// An error fails the task if it has not failed before.
    fn close(&mut self) -> FnResult {
        Ok(())
    }
}

/// What a reader knows after a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputStatus {
    /// Poll again at once.
    MoreAvailable,
    /// Nothing to read now. Poll again after `retry_after`, or when [`ReaderContext::waker`] is called, or when
    /// splits arrive.
    NothingAvailable {
        /// `None`: only when woken.
        retry_after: Option<Duration>,
    },
    /// All splits are read and no further ones will come.
    EndOfInput,
}

/// What a reader may use of its subtask.
#[derive(Clone)]
pub struct ReaderContext {
    pub(crate) subtask: u32,
    pub(crate) parallelism: u32,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) signal: Arc<Signal>,
    pub(crate) request_split: Arc<dyn Fn() + Send + Sync>,
    pub(crate) metrics: Arc<OperatorMetrics>,
}

impl ReaderContext {
    /// The subtask's index, from 0.
    pub fn subtask(&self) -> u32 {
        self.subtask
    }

    /// How many subtasks the source has.
    pub fn parallelism(&self) -> u32 {
        self.parallelism
    }

    /// The time, which tests replace.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Asks the enumerator for another split; the answer comes as [`SourceReader::add_splits`] or
    /// [`SourceReader::notify_no_more_splits`].
    pub fn request_split(&self) {
        (self.request_split)();
    }

    /// Wakes the subtask from another thread, for readers that wait for data on a thread of their own.
    pub fn waker(&self) -> Arc<Signal> {
        Arc::clone(&self.signal)
    }

    /// Counters of this subtask.
    pub fn metrics(&self) -> &OperatorMetrics {
        &self.metrics
    }
}

#[cfg(test)]
mod tests;
