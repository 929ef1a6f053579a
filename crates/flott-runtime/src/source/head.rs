//! A source at the head of its chain: polls the reader, assigns timestamps and watermarks, pushes batches.

mod aligning;
pub(super) mod splits;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flott_core::batch::BATCH_RECORDS;
use flott_core::time::{MAX_WATERMARK, Timestamp};
use flott_core::watermark::{MergeOutput, SplitWatermarks, StreamStatus, WatermarkStrategy};
use flott_core::{Data, encoding};

use super::alignment::ReaderAlignment;
use super::output::PollBuffer;
use super::{InputStatus, ReaderContext, Source, SourceOutput, SourceReader, SourceSplit};
use crate::error::{ChainError, ChainResult, FnResult};
use crate::exchange::forward;
use crate::metrics::Gauge;
use crate::operator::{AnyOutput, OperatorSetup, Output};
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::{Head, Pace, Step, TaskControl, enter_operator, in_any_case, leave_operator};

/// Stands for the split of records of which the reader names none, unless it has exactly one.
const UNNAMED_SPLIT: &str = "";

/// Drives a chain from a source.
pub(crate) struct SourceHead<T, S> {
    reader: Box<dyn SourceReader<T, S>>,
    buffer: PollBuffer<T>,
    strategy: WatermarkStrategy<T>,
    watermarks: SplitWatermarks<T>,
    /// The assigned splits that the reader has not finished.
    splits: Vec<String>,
    next_periodic_ns: Option<u64>,
    alignment: Option<ReaderAlignment>,
    /// In jobs whose barriers may overtake records.
    pace: Option<Pace>,
    output: Output<T>,
    watermark: Gauge,
    setup: OperatorSetup,
}

impl<T: Data, S: SourceSplit> SourceHead<T, S> {
    pub(crate) fn new<Src: Source<Out = T, Split = S>>(
        source: &Src,
        strategy: &WatermarkStrategy<T>,
        output: Output<T>,
        setup: OperatorSetup,
    ) -> ChainResult<Self> {
        let context = ReaderContext {
            subtask: setup.subtask,
            parallelism: setup.parallelism,
            clock: Arc::clone(setup.task.clock()),
            signal: Arc::clone(setup.task.signal()),
            request_split: Arc::clone(&setup.task.link.request_split),
            metrics: Arc::clone(&setup.metrics),
        };
        let reader = source
            .create_reader(context)
            .map_err(|cause| ChainError::Failed { operator: setup.name.to_string(), cause })?;
        let periodic = !setup.task.link.auto_watermark_interval.is_zero();
        Ok(Self {
            reader,
            buffer: PollBuffer::new(),
            strategy: strategy.clone(),
            watermarks: SplitWatermarks::new(strategy),
            splits: Vec::new(),
            next_periodic_ns: periodic.then_some(0),
            alignment: strategy.alignment().map(ReaderAlignment::new),
            pace: setup.task.link.checkpointing.overtaking.then(|| Pace::new(Rc::clone(&setup.task))),
            output,
            watermark: setup.task.metrics.watermark.clone(),
            setup,
        })
    }

    /// Runs a call of the reader under the source's name.
    fn read<R>(&mut self, call: impl FnOnce(&mut Self) -> FnResult<R>) -> ChainResult<R> {
        let outer = enter_operator(&self.setup.name);
        let result = call(self);
        leave_operator(outer);
        result.map_err(|cause| ChainError::Failed { operator: self.setup.name.to_string(), cause })
    }

    fn add_splits(&mut self, splits: Vec<S>) -> FnResult {
        for id in splits.iter().map(SourceSplit::split_id) {
            // A new split can only hold the watermark back, so there is nothing to pass on.
            let _ = self.watermarks.add_split(&id);
            self.splits.push(id);
        }
        if splits.is_empty() { Ok(()) } else { self.reader.add_splits(splits) }
    }

    fn poll(&mut self) -> ChainResult<InputStatus> {
        self.read(|head| {
            let mut out = SourceOutput { buffer: &mut head.buffer, side: head.output.side() };
            head.reader.poll_next(&mut out)
        })
    }

    /// Reads and emits, no more at once than takes a moment where a barrier must not wait for long.
    fn poll_and_emit(&mut self) -> ChainResult<InputStatus> {
        let Some(pace) = &self.pace else {
            let status = self.poll()?;
            self.emit()?;
            return Ok(status);
        };
        let since_ns = pace.now_ns();
        self.buffer.most = pace.most().min(BATCH_RECORDS);
        let status = self.poll()?;
        let records = self.buffer.batch.len();
        self.emit()?;
        if let Some(pace) = &mut self.pace {
            pace.note(records, since_ns);
        }
        Ok(status)
    }

    /// Emits what the last poll has read.
    fn emit(&mut self) -> ChainResult {
        let mut punctuated = MergeOutput::NONE;
        if !self.buffer.batch.is_empty() {
            let name = Arc::clone(&self.setup.name);
            let outer = enter_operator(&name);
            self.strategy.assign_timestamps(&mut self.buffer.batch);
            punctuated = self.note_timestamps();
            leave_operator(outer);
            if punctuated.status == Some(StreamStatus::Active) {
                AnyOutput::status(&mut self.output, StreamStatus::Active)?;
                punctuated.status = None;
            }
            self.setup.metrics.records_in.add(self.buffer.batch.len() as u64);
            self.output.forward(&mut self.buffer.batch);
        }
        self.buffer.clear();
        let settled = self.output.settle();
        self.setup.metrics.records_out.add(self.output.take_emitted());
        settled?;
        self.advance(punctuated)
    }

    /// Tells the watermark generators of the splits what was read of each.
    fn note_timestamps(&mut self) -> MergeOutput {
        let PollBuffer { batch, segments, splits, .. } = &self.buffer;
        let mut merged = MergeOutput::NONE;
        let first = segments.first().map_or(batch.len(), |segment| segment.start);
        let mut note = |split: &str, from: usize, to: usize| {
            let timestamps = if batch.has_timestamps() { &batch.timestamps[from..to] } else { &[] };
            let output = self.watermarks.on_batch(split, &batch.records[from..to], timestamps);
            merged.watermark = output.watermark.or(merged.watermark);
            merged.status = output.status.or(merged.status);
        };
        if first > 0 {
            // The only split a reader has need not be named. Counted apart it would hold the watermark back.
            note(if let [only] = self.splits.as_slice() { only } else { UNNAMED_SPLIT }, 0, first);
        }
        for (index, segment) in segments.iter().enumerate() {
            let end = segments.get(index + 1).map_or(batch.len(), |next| next.start);
            note(&splits[segment.split], segment.start, end);
        }
        merged
    }

    fn emit_periodic_watermark(&mut self, now_ns: u64) -> ChainResult {
        let Some(due) = self.next_periodic_ns else { return Ok(()) };
        if now_ns < due {
            return Ok(());
        }
        let interval = u64::try_from(self.setup.task.link.auto_watermark_interval.as_nanos());
        self.next_periodic_ns = Some(now_ns.saturating_add(interval.unwrap_or(u64::MAX)));
        self.excuse_paused_splits();
        let merged = self.watermarks.on_periodic(now_ns);
        self.advance(merged)
    }

    /// Nothing to read now; how long to sleep at most.
    fn idle(&self, now_ns: u64, retry_after: Option<Duration>) -> Step {
        let report = self.alignment.as_ref().map(ReaderAlignment::next_report_ns);
        let dues = self.next_periodic_ns.into_iter().chain(report);
        let waits = dues.map(|due| Duration::from_nanos(due.saturating_sub(now_ns)));
        Step::Idle { retry_after: waits.chain(retry_after).min() }
    }

    fn advance(&mut self, merged: MergeOutput) -> ChainResult {
        if let Some(watermark) = merged.watermark {
            self.watermark.set(watermark);
        }
        forward(merged, &mut self.output)
    }
}

impl<T: Data, S: SourceSplit> Head for SourceHead<T, S> {
    fn open(&mut self) -> ChainResult {
        AnyOutput::open(&mut self.output)?;
        self.read(|head| {
            if let Some(restored) = &head.setup.restored {
                head.add_splits(splits::restore(restored)?)?;
            }
            head.reader.start()
        })
    }

    fn control(&mut self, control: TaskControl) -> ChainResult {
        self.read(|head| {
            match control {
                TaskControl::AddSplits(encoded) => {
                    let splits: Result<Vec<S>, _> =
                        encoded.iter().map(|bytes| encoding::decode(bytes)).collect();
                    head.add_splits(splits?)?;
                }
                TaskControl::NoMoreSplits => head.reader.notify_no_more_splits(),
                TaskControl::AlignWatermarks(limit) => {
                    head.alignment.iter_mut().for_each(|alignment| alignment.set_limit(limit));
                }
                // The task's own.
                TaskControl::TriggerCheckpoint(_) | TaskControl::Checkpoint(_) => {}
            }
            Ok(())
        })
    }

    fn step(&mut self, now_ns: u64) -> ChainResult<Step> {
        self.report_watermark(now_ns);
        if self.is_ahead() {
            self.emit_periodic_watermark(now_ns)?;
            return Ok(self.idle(now_ns, None));
        }
        self.align_splits()?;
        let status = self.poll_and_emit()?;
        for finished in std::mem::take(&mut self.buffer.finished) {
            self.buffer.forget(&finished);
            self.splits.retain(|split| *split != finished);
            self.alignment.iter_mut().for_each(|alignment| alignment.forget(&finished));
            let merged = self.watermarks.remove_split(&finished);
            self.advance(merged)?;
        }
        if status != InputStatus::EndOfInput {
            self.emit_periodic_watermark(now_ns)?;
        }
        Ok(match status {
            InputStatus::MoreAvailable => Step::Progress,
            InputStatus::NothingAvailable { retry_after } => self.idle(now_ns, retry_after),
            InputStatus::EndOfInput => Step::EndOfData,
        })
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
        let checkpoint = snapshot.barrier.checkpoint;
        let own = self.read(|head| Ok(splits::snapshot(&head.reader.snapshot_state(checkpoint)?)?))?;
        snapshot.operators.extend(own.map(|own| (self.setup.operator_id, own)));
        AnyOutput::snapshot(&mut self.output, snapshot)
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        AnyOutput::drain_snapshot(&mut self.output, work)
    }

    fn abort_snapshot(&mut self) {
        AnyOutput::abort_snapshot(&mut self.output);
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        if let CheckpointNotice::Complete(checkpoint) = notice {
            self.read(|head| head.reader.notify_checkpoint_complete(checkpoint))?;
        }
        AnyOutput::notify(&mut self.output, notice)
    }

    fn finish(&mut self) -> ChainResult {
        self.report_end();
        self.watermark.set(MAX_WATERMARK);
        AnyOutput::watermark(&mut self.output, MAX_WATERMARK)?;
        AnyOutput::finish(&mut self.output)
    }

    fn end(&mut self) -> ChainResult {
        AnyOutput::end(&mut self.output)
    }

    fn close(&mut self) -> ChainResult {
        let Self { reader, output, setup, .. } = self;
        let own = || {
            let outer = enter_operator(&setup.name);
            let result = reader.close();
            leave_operator(outer);
            result.map_err(|cause| ChainError::Failed { operator: setup.name.to_string(), cause })
        };
        in_any_case(own, || AnyOutput::close(output))
    }
}
