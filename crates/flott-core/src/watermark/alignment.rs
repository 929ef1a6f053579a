//! How far a source may run ahead of others.

use std::time::Duration;

use super::strategy::StrategyError;
use crate::time::Timestamp;

/// Sources of one group wait for each other: one whose watermark is more than `max_drift` ahead of the least of the
/// group stops reading until the others have caught up (Flink: `WatermarkAlignmentParams`).
///
/// So what an operator behind them must keep of the fast ones, until the slow ones come to the same time, stays
/// small. Sources that are idle or have finished hold up nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatermarkAlignment {
    group: String,
    max_drift: Duration,
    update_interval: Duration,
}

impl WatermarkAlignment {
    /// How often the readers report their watermarks and learn of the group's, unless it is said: 1 s.
    pub const DEFAULT_UPDATE_INTERVAL: Duration = Duration::from_secs(1);

    /// An alignment in the group of this name. `max_drift` counts in whole milliseconds.
    pub(super) fn new(group: String, max_drift: Duration, update_interval: Duration) -> Self {
        Self { group, max_drift, update_interval }
    }

    /// The name of the group, across all sources of a job.
    pub fn group(&self) -> &str {
        &self.group
    }

    /// How often the readers report their watermarks and learn of the group's.
    pub const fn update_interval(&self) -> Duration {
        self.update_interval
    }

    /// The greatest watermark with which a reader may go on, where the least of the group is `least`.
    pub fn limit(&self, least: Timestamp) -> Timestamp {
        let drift = Timestamp::try_from(self.max_drift.as_millis()).unwrap_or(Timestamp::MAX);
        least.saturating_add(drift)
    }

    pub(super) fn validate(&self) -> Result<(), StrategyError> {
        if self.group.is_empty() {
            return Err(StrategyError::UnnamedAlignmentGroup);
        }
        if self.update_interval.is_zero() {
            return Err(StrategyError::ZeroAlignmentInterval);
        }
        Ok(())
    }
}
