//! A sink at the end of a chain.

use std::time::Duration;

use flott_core::Batch;
use flott_core::time::{MIN_WATERMARK, Timestamp};

use super::{CommitError, Committer, Sink, SinkContext, SinkWriter, WriteContext};
use crate::error::FnResult;
use crate::operator::{Operator, OperatorSetup, Output};

/// How often a writer hears of processing time, in milliseconds.
const TIME_TICK_MS: i64 = 1_000;

/// How often a commit is tried before the task fails.
const COMMIT_ATTEMPTS: u32 = 10;

/// Writes the records of a subtask and, at the end of a bounded input, commits them.
pub struct SinkOperator<T, C> {
    writer: Box<dyn SinkWriter<T, Committable = C>>,
    committer: Option<Box<dyn Committer<C>>>,
    setup: OperatorSetup,
    watermark: Timestamp,
    next_tick: Timestamp,
}

impl<T: 'static, C: 'static> SinkOperator<T, C> {
    /// Creates writer and committer of a subtask.
    ///
    /// # Errors
    /// When the sink can't be written.
    pub fn new<S: Sink<T, Committable = C>>(sink: &S, setup: OperatorSetup) -> FnResult<Self> {
        let context = SinkContext {
            subtask: setup.subtask,
            parallelism: setup.parallelism,
            clock: setup.task.clock().clone(),
            metrics: setup.metrics.clone(),
        };
        let writer = sink.create_writer(&context)?;
        let committer = sink.create_committer(&context)?;
        let next_tick = setup.task.processing_time().saturating_add(TIME_TICK_MS);
        Ok(Self { writer, committer, setup, watermark: MIN_WATERMARK, next_tick })
    }

    fn commit(&mut self, committables: &[C]) -> FnResult {
        let Some(committer) = &mut self.committer else { return Ok(()) };
        for committable in committables {
            let mut attempt = 1;
            loop {
                match committer.commit(committable) {
                    Ok(()) | Err(CommitError::AlreadyCommitted) => break,
                    Err(CommitError::RetryLater(_)) if attempt < COMMIT_ATTEMPTS => {
                        self.setup.task.pause(Duration::from_millis(10 << attempt))?;
                        attempt += 1;
                    }
                    Err(CommitError::RetryLater(cause) | CommitError::Failed(cause)) => return Err(cause),
                }
            }
        }
        Ok(())
    }
}

impl<T: 'static, C: 'static> Operator for SinkOperator<T, C> {
    type In = T;
    type Out = ();

    fn process(&mut self, batch: &mut Batch<T>, _out: &mut Output<()>) -> FnResult {
        self.setup.metrics.records_out.add(batch.len() as u64);
        self.writer.write(batch, WriteContext { current_watermark: self.watermark })
    }

    fn on_watermark(&mut self, watermark: Timestamp, _out: &mut Output<()>) -> FnResult {
        self.watermark = watermark;
        Ok(())
    }

    fn on_processing_time(&mut self, now: Timestamp, _out: &mut Output<()>) -> FnResult {
        self.next_tick = now.saturating_add(TIME_TICK_MS);
        self.writer.on_processing_time(now)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        Some(self.next_tick)
    }

    fn finish(&mut self, _out: &mut Output<()>) -> FnResult {
        self.writer.flush(true)?;
        let committables = self.writer.prepare_commit()?;
        self.commit(&committables)
    }

    fn close(&mut self) -> FnResult {
        self.writer.close()
    }
}
