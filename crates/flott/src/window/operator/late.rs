//! Records that no window has taken.

use std::sync::Arc;

use flott_core::Data;
use flott_core::time::Timestamp;
use flott_runtime::metrics::OperatorMetrics;
use flott_runtime::operator::{OperatorSetup, Output, OutputTag};

use super::WindowSettings;
use crate::window::assigner::millis;

/// Decides what is late, and counts or emits it.
pub(super) struct Lateness<T> {
    pub(super) allowed_ms: i64,
    /// Whether records and windows can be late at all.
    is_event_time: bool,
    tag: Option<OutputTag<T>>,
    metrics: Arc<OperatorMetrics>,
}

impl<T: Data> Lateness<T> {
    pub(super) fn new(settings: WindowSettings<T>, is_event_time: bool, setup: &OperatorSetup) -> Self {
        let allowed_ms = if is_event_time { millis(settings.allowed_lateness) } else { 0 };
        Self { allowed_ms, is_event_time, tag: settings.late, metrics: Arc::clone(&setup.metrics) }
    }

    /// When a window with this last timestamp can no longer change.
    #[inline]
    pub(super) fn cleanup_time(&self, end: Timestamp) -> Timestamp {
        end.saturating_add(self.allowed_ms)
    }

    /// Whether the watermark has passed this time by more than is allowed.
    #[inline]
    pub(super) fn is_past(&self, time: Timestamp, watermark: Timestamp) -> bool {
        self.is_event_time && self.cleanup_time(time) <= watermark
    }

    /// Takes a record that none of its windows has taken. It is late only if its own time is; else it is in a gap
    /// between windows.
    #[cold]
    pub(super) fn not_taken<O: Clone + 'static>(
        &self,
        record: T,
        timestamp: Timestamp,
        watermark: Timestamp,
        out: &mut Output<O>,
    ) {
        if !self.is_past(timestamp, watermark) {
            return;
        }
        match &self.tag {
            Some(tag) => out.side().emit(tag, record, timestamp),
            None => self.metrics.late_records_dropped.add(1),
        }
    }
}
