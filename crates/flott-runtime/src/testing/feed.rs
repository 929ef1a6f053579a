//! A source that emits what a test pushes into it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flott_core::Data;
use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, Timestamp};
use flott_core::watermark::{MergeOutput, StreamStatus, WatermarkMerge};

use super::StreamElement;
use crate::error::ChainResult;
use crate::exchange::forward;
use crate::operator::{AnyOutput, OperatorSetup, Output};
use crate::program::{Built, ErasedHead, ErasedOutputs, OperatorFactory};
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::{Head, Step, TaskControl};

/// The channel that a [`Feed`] stands for: the only one of its input.
const CHANNEL: usize = 0;

/// The writing end of a source that a test drives. Cloning gives another handle to the same one.
///
/// Watermarks and statuses are treated as those of an input channel: one that goes back, or that comes while the
/// stream is idle, is ignored. The end of the stream brings the last watermark, as the end of a bounded source does.
pub struct Feed<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    waiting: VecDeque<StreamElement<T>>,
    ended: bool,
    /// The progress of all that was pushed, for replaying it.
    watermark: Timestamp,
    status: StreamStatus,
}

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Feed<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            waiting: VecDeque::new(),
            ended: false,
            watermark: MIN_WATERMARK,
            status: StreamStatus::Active,
        })))
    }
}

/// A [`Feed`] whose record type is forgotten.
pub trait AnyFeed {
    /// Pushes the watermark, the idleness and the end that were pushed before once more, for tasks that have been
    /// restored and know nothing of them.
    fn replay(&self);
    /// Forgets the progress and what was not emitted, as for a job that starts again.
    fn reset(&self);
    /// Whether the end was pushed.
    fn has_ended(&self) -> bool;
}

impl<T> Feed<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Emits the element when the tasks run next. Nothing comes after the end.
    pub fn push(&self, element: StreamElement<T>) {
        let mut state = self.lock();
        match element {
            StreamElement::Watermark(watermark) if state.status == StreamStatus::Active => {
                state.watermark = state.watermark.max(watermark);
            }
            StreamElement::Status(status) => state.status = status,
            StreamElement::Watermark(_) | StreamElement::Record(..) => {}
        }
        state.waiting.push_back(element);
    }

    /// Ends the stream behind what was pushed.
    pub fn end(&self) {
        self.lock().ended = true;
    }
}

impl<T> AnyFeed for Feed<T> {
    fn replay(&self) {
        let mut state = self.lock();
        if state.watermark > MIN_WATERMARK {
            let watermark = state.watermark;
            state.waiting.push_back(StreamElement::Watermark(watermark));
        }
        if state.status == StreamStatus::Idle {
            state.waiting.push_back(StreamElement::Status(StreamStatus::Idle));
        }
    }

    fn reset(&self) {
        let mut state = self.lock();
        state.waiting.clear();
        (state.ended, state.watermark, state.status) = (false, MIN_WATERMARK, StreamStatus::Active);
    }

    fn has_ended(&self) -> bool {
        self.lock().ended
    }
}

impl<T: Data> Feed<T> {
    /// The factory of the source. It should run in one subtask.
    pub fn factory(&self) -> Arc<dyn OperatorFactory> {
        Arc::new(self.clone())
    }
}

impl<T: Data> OperatorFactory for Feed<T> {
    fn build(&self, setup: OperatorSetup, outputs: ErasedOutputs) -> ChainResult<Built> {
        let output = outputs.typed::<T>(&setup.name)?;
        let head = FeedHead { feed: self.clone(), progress: WatermarkMerge::new(1), output };
        Ok(Built::Head(ErasedHead(Box::new(head))))
    }
}

/// The head of the feed's task.
struct FeedHead<T> {
    feed: Feed<T>,
    progress: WatermarkMerge,
    output: Output<T>,
}

impl<T: Data> FeedHead<T> {
    fn emit(&mut self, element: StreamElement<T>) -> ChainResult {
        let progress = match element {
            StreamElement::Record(record, timestamp) => {
                self.output.emit(record, timestamp.unwrap_or(NO_TIMESTAMP));
                MergeOutput::NONE
            }
            StreamElement::Watermark(watermark) => self.progress.on_watermark(CHANNEL, watermark),
            StreamElement::Status(status) => self.progress.on_status(CHANNEL, status),
        };
        self.output.settle()?;
        forward(progress, &mut self.output)
    }
}

impl<T: Data> Head for FeedHead<T> {
    fn open(&mut self) -> ChainResult {
        AnyOutput::open(&mut self.output)
    }

    fn control(&mut self, _control: TaskControl) -> ChainResult {
        Ok(())
    }

    fn step(&mut self, _now_ns: u64) -> ChainResult<Step> {
        let (element, ended) = {
            let mut state = self.feed.lock();
            (state.waiting.pop_front(), state.ended)
        };
        match element {
            Some(element) => self.emit(element).map(|()| Step::Progress),
            None if ended => Ok(Step::EndOfData),
            None => Ok(Step::Idle { retry_after: None }),
        }
    }

    fn flush(&mut self) -> ChainResult {
        AnyOutput::flush(&mut self.output)
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        AnyOutput::processing_time(&mut self.output, now)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        AnyOutput::next_timer(&self.output)
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        AnyOutput::snapshot(&mut self.output, snapshot)
    }

    fn finish(&mut self) -> ChainResult {
        forward(self.progress.on_finished(CHANNEL), &mut self.output)?;
        AnyOutput::finish(&mut self.output)
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        AnyOutput::drain_snapshot(&mut self.output, work)
    }

    fn abort_snapshot(&mut self) {
        AnyOutput::abort_snapshot(&mut self.output);
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        AnyOutput::notify(&mut self.output, notice)
    }

    fn end(&mut self) -> ChainResult {
        AnyOutput::end(&mut self.output)
    }

    fn close(&mut self) -> ChainResult {
        AnyOutput::close(&mut self.output)
    }
}
