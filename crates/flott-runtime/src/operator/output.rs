//! Where an operator emits to.

use flott_core::Batch;
use flott_core::batch::{BATCH_BYTES, BATCH_RECORDS};
use flott_core::time::Timestamp;
use flott_core::watermark::{MergeOutput, StreamStatus};

use super::{AnyOutput, Input, OutputTag, SideOutputs};
use crate::error::{BoxError, ChainError, ChainResult, FnResult};
use crate::exchange::forward;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::in_any_case;

/// The output of an operator: a buffer that is pushed to the next operators or exchanges when it is full and at
/// the end of each input batch.
pub struct Output<T> {
    buffer: Batch<T>,
    copy: Batch<T>,
    targets: Vec<Box<dyn Input<T>>>,
    side: SideOutputs,
    capacity: usize,
    emitted: u64,
    failed: Option<ChainError>,
    progress: MergeOutput,
}

impl<T: Clone + 'static> Output<T> {
    /// An output to these targets. Without any, records vanish.
    pub fn new(targets: Vec<Box<dyn Input<T>>>, side: SideOutputs) -> Self {
        let capacity = (BATCH_BYTES / size_of::<T>().max(1)).clamp(1, BATCH_RECORDS);
        let (buffer, copy) = (Batch::new(), Batch::new());
        Self { buffer, copy, targets, side, capacity, emitted: 0, failed: None, progress: MergeOutput::NONE }
    }

    /// Emits a record; [`flott_core::time::NO_TIMESTAMP`] for one without timestamp.
    ///
    /// A failure downstream surfaces when the operator returns; until then further records are dropped.
    #[inline]
    pub fn emit(&mut self, record: T, timestamp: Timestamp) {
        self.buffer.push(record, timestamp);
        if self.buffer.len() >= self.capacity {
            self.push_buffer();
        }
    }

    /// The batch being built, for operators that fill it in one go. Call [`Output::push_if_full`] afterwards.
    #[inline]
    pub fn buffer(&mut self) -> &mut Batch<T> {
        &mut self.buffer
    }

    /// Pushes the buffer on if it is full.
    #[inline]
    pub fn push_if_full(&mut self) {
        if self.buffer.len() >= self.capacity {
            self.push_buffer();
        }
    }

    /// Emits a whole batch, after what is in the buffer. The batch is empty afterwards.
    pub fn forward(&mut self, batch: &mut Batch<T>) {
        if !self.buffer.is_empty() {
            self.push_buffer();
        }
        if self.failed.is_some() {
            batch.clear();
        } else if let Err(error) = push_to_all(&mut self.targets, batch, &mut self.copy, &mut self.emitted) {
            self.failed = Some(error);
        }
    }

    /// Emits watermark and status of the operator's own, after the records emitted so far and those that it emits
    /// until it returns. For operators that make watermarks ([`super::Operator::forwards_watermarks`]).
    pub fn advance(&mut self, progress: MergeOutput) {
        self.progress.watermark = progress.watermark.max(self.progress.watermark);
        self.progress.status = progress.status.or(self.progress.status);
    }

    /// Emits watermark and status of the operator's own at once, behind the records emitted so far and before those that it
    /// emits from now on in the same call.
    pub fn advance_now(&mut self, progress: MergeOutput) {
        self.push_now(|output| forward(progress, output));
    }

    /// Sends on whatever is buffered here and further down. For an operator that is about to wait in the middle of a call.
    ///
    /// # Errors
    /// When something downstream has failed, so that there is nothing to wait for. The failure itself is told by the engine.
    pub fn flush(&mut self) -> FnResult {
        self.push_now(AnyOutput::flush);
        if self.failed.is_some() { Err("an operator downstream has failed".into()) } else { Ok(()) }
    }

    fn push_now(&mut self, push: impl FnOnce(&mut Self) -> ChainResult) {
        let pushed = self.settle().and_then(|()| push(self));
        self.failed = pushed.err();
    }

    /// The side outputs.
    #[inline]
    pub fn side(&mut self) -> &mut SideOutputs {
        &mut self.side
    }

    #[cold]
    fn push_buffer(&mut self) {
        if self.failed.is_some() {
            self.buffer.clear();
        } else if let Err(error) =
            push_to_all(&mut self.targets, &mut self.buffer, &mut self.copy, &mut self.emitted)
        {
            self.failed = Some(error);
        }
    }

    /// Ends a call of the operator: pushes the buffer and reports what failed downstream meanwhile.
    pub(crate) fn settle(&mut self) -> ChainResult {
        if !self.buffer.is_empty() {
            self.push_buffer();
        }
        let side = self.side.settle();
        self.failed.take().map_or(side, Err)
    }

    /// The failure downstream, if there was one.
    pub(crate) fn take_failure(&mut self) -> Option<ChainError> {
        self.failed.take().or_else(|| self.side.take_failure())
    }

    /// How many records have been emitted, side outputs included, since the last call.
    pub(crate) fn take_emitted(&mut self) -> u64 {
        std::mem::take(&mut self.emitted) + self.side.take_emitted()
    }

    /// Calls every target and side output.
    pub(crate) fn each(
        &mut self,
        mut main: impl FnMut(&mut dyn Input<T>) -> ChainResult,
        side: impl FnMut(&mut dyn AnyOutput) -> ChainResult,
    ) -> ChainResult {
        for target in &mut self.targets {
            main(target.as_mut())?;
        }
        self.side.each(side)
    }

    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        let main = self.targets.iter().filter_map(|target| target.next_timer()).min();
        main.into_iter().chain(self.side.next_timer()).min()
    }
}

fn push_to_all<T: Clone>(
    targets: &mut [Box<dyn Input<T>>],
    batch: &mut Batch<T>,
    copy: &mut Batch<T>,
    emitted: &mut u64,
) -> ChainResult {
    *emitted += batch.len() as u64;
    let Some((last, others)) = targets.split_last_mut() else {
        batch.clear();
        return Ok(());
    };
    for target in others {
        copy.records.clone_from(&batch.records);
        copy.timestamps.clone_from(&batch.timestamps);
        copy.hashes.clear();
        target.batch(copy)?;
        copy.clear();
    }
    last.batch(batch)?;
    batch.clear();
    Ok(())
}

impl<T: Clone + 'static> AnyOutput for Output<T> {
    fn as_any(&mut self) -> &mut dyn std::any::Any {
        self
    }

    fn fail(&mut self, cause: BoxError) {
        let operator = crate::task::running_operator().map(|name| name.to_string()).unwrap_or_default();
        self.failed.get_or_insert(ChainError::Failed { operator, cause });
    }

    fn settle(&mut self) -> ChainResult {
        Output::settle(self)
    }

    fn take_failure(&mut self) -> Option<ChainError> {
        Output::take_failure(self)
    }

    fn take_emitted(&mut self) -> u64 {
        Output::take_emitted(self)
    }

    fn take_progress(&mut self) -> MergeOutput {
        std::mem::replace(&mut self.progress, MergeOutput::NONE)
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.each(|target| target.watermark(watermark), |side| side.watermark(watermark))
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        self.each(|target| target.status(status), |side| side.status(status))
    }

    fn flush(&mut self) -> ChainResult {
        self.each(|target| target.flush(), |side| side.flush())
    }

    fn open(&mut self) -> ChainResult {
        self.each(|target| target.open(), |side| side.open())
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        self.each(|target| target.processing_time(now), |side| side.processing_time(now))
    }

    fn next_timer(&self) -> Option<Timestamp> {
        Output::next_timer(self)
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        for target in &mut self.targets {
            target.snapshot(snapshot)?;
        }
        self.side.each(|side| side.snapshot(snapshot))
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        for target in &mut self.targets {
            if !target.drain_snapshot(work)? {
                return Ok(false);
            }
        }
        self.side.drain_snapshot(work)
    }

    fn abort_snapshot(&mut self) {
        self.targets.iter_mut().for_each(|target| target.abort_snapshot());
        self.side.abort_snapshot();
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        self.each(|target| target.notify(notice), |side| side.notify(notice))
    }

    fn finish(&mut self) -> ChainResult {
        self.each(|target| target.finish(), |side| side.finish())
    }

    fn end(&mut self) -> ChainResult {
        self.each(|target| target.end(), |side| side.end())
    }

    fn close(&mut self) -> ChainResult {
        // Everything is closed, whatever fails; the first failure is told.
        close_all(&mut self.targets, &mut self.side)
    }
}

fn close_all<T>(targets: &mut [Box<dyn Input<T>>], side: &mut SideOutputs) -> ChainResult {
    match targets {
        [] => side.close(),
        [first, rest @ ..] => in_any_case(|| first.close(), || close_all(rest, side)),
    }
}

/// Through which a user function emits: every record gets the timestamp of the record or timer being processed.
pub struct Collector<'a, T> {
    output: &'a mut Output<T>,
    timestamp: Timestamp,
}

impl<'a, T: Clone + 'static> Collector<'a, T> {
    /// A collector that gives this timestamp to what is emitted.
    #[inline]
    pub fn new(output: &'a mut Output<T>, timestamp: Timestamp) -> Self {
        Self { output, timestamp }
    }

    /// Emits a record.
    #[inline]
    pub fn collect(&mut self, record: T) {
        self.output.emit(record, self.timestamp);
    }

    /// Changes the timestamp of what follows.
    #[inline]
    pub fn set_timestamp(&mut self, timestamp: Timestamp) {
        self.timestamp = timestamp;
    }

    /// Emits a record to a side output. Nothing happens if the program reads no side output of this tag.
    #[inline]
    pub fn output<X: flott_core::Data>(&mut self, tag: &OutputTag<X>, record: X) {
        self.output.side().emit(tag, record, self.timestamp);
    }
}
