use std::rc::Rc;

use flott_core::time::{MAX_WATERMARK, Timestamp};
use flott_core::watermark::{MergeOutput, SplitWatermarks, WatermarkStrategy};
use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Operator, OperatorSetup, Output};
use flott_runtime::task::TaskShared;

/// The whole stream is one split here.
const STREAM: &str = "";

/// Assigns timestamps and watermarks in the middle of a stream, in place of those from before.
pub(crate) struct TimestampsAndWatermarksOperator<T> {
    strategy: WatermarkStrategy<T>,
    watermarks: SplitWatermarks<T>,
    interval_ms: i64,
    next: Option<Timestamp>,
    task: Rc<TaskShared>,
}

impl<T: Data> TimestampsAndWatermarksOperator<T> {
    pub(crate) fn new(strategy: WatermarkStrategy<T>, setup: &OperatorSetup) -> Self {
        let interval = setup.task.auto_watermark_interval();
        // Timers have milliseconds; a finer interval is rounded up, as zero stands for never.
        let interval_ms = i64::try_from(interval.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX);
        let mut watermarks = SplitWatermarks::new(&strategy);
        let _ = watermarks.add_split(STREAM);
        let task = Rc::clone(&setup.task);
        let next = (interval_ms > 0).then(|| task.processing_time().saturating_add(interval_ms));
        Self { strategy, watermarks, interval_ms, next, task }
    }
}

impl<T: Data> Operator for TimestampsAndWatermarksOperator<T> {
    type In = T;
    type Out = T;

    fn process(&mut self, batch: &mut Batch<T>, out: &mut Output<T>) -> FnResult {
        batch.hashes.clear();
        self.strategy.assign_timestamps(batch);
        let punctuated = self.watermarks.on_batch(STREAM, &batch.records, &batch.timestamps);
        out.forward(batch);
        out.advance(punctuated);
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<T>) -> FnResult {
        // The end of the input is the only thing that upstream knows better.
        if watermark == MAX_WATERMARK {
            out.advance(MergeOutput { watermark: Some(MAX_WATERMARK), status: None });
        }
        Ok(())
    }

    fn on_processing_time(&mut self, now: Timestamp, out: &mut Output<T>) -> FnResult {
        self.next = Some(now.saturating_add(self.interval_ms));
        out.advance(self.watermarks.on_periodic(self.task.clock().monotonic_ns()));
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.next
    }

    fn forwards_watermarks(&self) -> bool {
        false
    }
}
