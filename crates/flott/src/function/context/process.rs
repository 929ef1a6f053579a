//! The context of functions without keys.

use std::rc::Rc;

use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, OperatorSetup, Output};
use flott_runtime::task::TaskShared;
use flott_state::{HasOperatorState, HasReadOnlyOperatorState, OperatorState};

use super::Host;

/// What a [`ProcessFunction`](crate::function::ProcessFunction) knows beside the record. It has no timers: those belong
/// to keys (Flink refuses them at run time with "Setting timers is only supported on a keyed streams.").
pub struct ProcessContext {
    pub(crate) host: Host,
    task: Rc<TaskShared>,
    timestamp: Timestamp,
    watermark: Timestamp,
    now: Timestamp,
}

impl ProcessContext {
    pub(crate) fn new(setup: &OperatorSetup) -> Self {
        Self {
            host: Host::new(setup),
            task: Rc::clone(&setup.task),
            timestamp: NO_TIMESTAMP,
            watermark: MIN_WATERMARK,
            now: setup.task.processing_time(),
        }
    }

    /// Gives each record to `process`, with what is known of it.
    #[inline]
    pub(crate) fn each<I, O: Data>(
        &mut self,
        batch: &mut Batch<I>,
        out: &mut Output<O>,
        mut process: impl FnMut(I, &mut Self, &mut Collector<'_, O>) -> FnResult,
    ) -> FnResult {
        self.now = self.task.processing_time();
        let mut out = Collector::new(out, NO_TIMESTAMP);
        let timestamps = &batch.timestamps;
        for (index, record) in batch.records.drain(..).enumerate() {
            self.timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            out.set_timestamp(self.timestamp);
            process(record, self, &mut out)?;
        }
        Ok(())
    }

    pub(crate) fn set_watermark(&mut self, watermark: Timestamp) {
        self.watermark = watermark;
    }

    /// The record's timestamp, if it has one.
    pub fn timestamp(&self) -> Option<Timestamp> {
        (self.timestamp != NO_TIMESTAMP).then_some(self.timestamp)
    }

    /// The last watermark, `i64::MIN` before the first.
    pub fn current_watermark(&self) -> Timestamp {
        self.watermark
    }

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    pub fn current_processing_time(&self) -> Timestamp {
        self.now
    }
}

impl HasReadOnlyOperatorState for ProcessContext {
    #[inline]
    fn operator_state(&self) -> &OperatorState {
        &self.host.operator_state
    }
}

impl HasOperatorState for ProcessContext {
    #[inline]
    fn operator_state_mut(&mut self) -> &mut OperatorState {
        &mut self.host.operator_state
    }
}
