//! How a source's records get timestamps and watermarks.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    alignment::WatermarkAlignment,
    generator::{BoundedOutOfOrderness, NoWatermarks, WatermarkGenerator},
};
use crate::{
    batch::Batch,
    time::{NO_TIMESTAMP, Timestamp},
};

#[cfg(test)]
mod tests;

/// Where timestamps and watermarks come from, and when a silent split stops being waited for (Flink: the class of the
/// same name).
///
/// A clone shares the closures; each split gets its own generator.
pub struct WatermarkStrategy<T> {
    generator: Arc<dyn Fn() -> Box<dyn WatermarkGenerator<T>> + Send + Sync>,
    assign: Option<Arc<AssignBatch<T>>>,
    idleness: Option<Duration>,
    alignment: Option<WatermarkAlignment>,
}

/// A timestamp assigner around a whole batch, so that the virtual call is paid once per batch.
type AssignBatch<T> = dyn Fn(&[T], &mut [Timestamp]) + Send + Sync;

/// What is wrong with a strategy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategyError {
    /// A split would be idle before it could say anything.
    #[error(
        "the idleness timeout of a watermark strategy must be greater than zero: leave with_idleness out to wait for ever"
    )]
    ZeroIdleness,

    /// Sources could not find each other.
    #[error(
        "the group of a watermark alignment has no name: give the sources that wait for each other the same name"
    )]
    UnnamedAlignmentGroup,

    /// Readers would do nothing but report.
    #[error("the update interval of a watermark alignment must be greater than zero: leave it out for 1 s")]
    ZeroAlignmentInterval,
}

impl<T: 'static> WatermarkStrategy<T> {
    /// For timestamps that never decrease within a split: watermarks right behind the greatest timestamp.
    pub fn for_monotonous_timestamps() -> Self {
        Self::for_bounded_out_of_orderness(Duration::ZERO)
    }

    /// For records that come at most `delay` later than one with a greater timestamp of the same split. Counted in
    /// whole milliseconds.
    pub fn for_bounded_out_of_orderness(delay: Duration) -> Self {
        Self::for_generator(move || BoundedOutOfOrderness::new(delay))
    }

    /// With a generator of one's own; `factory` is called once for each split.
    pub fn for_generator<G>(factory: impl Fn() -> G + Send + Sync + 'static) -> Self
    where
        G: WatermarkGenerator<T> + 'static,
    {
        Self {
            generator: Arc::new(move || Box::new(factory())),
            assign: None,
            idleness: None,
            alignment: None,
        }
    }

    /// Without watermarks: for jobs in processing time.
    pub fn no_watermarks() -> Self {
        Self::for_generator(|| NoWatermarks)
    }

    /// Takes each record's timestamp from `assigner`, which gets the record and the timestamp that the source gave
    /// it, [`NO_TIMESTAMP`] if none. Without an assigner the source's timestamps stay.
    #[must_use]
    pub fn with_timestamp_assigner(
        mut self,
        assigner: impl Fn(&T, Timestamp) -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        self.assign = Some(Arc::new(move |records: &[T], timestamps: &mut [Timestamp]| {
            for (record, timestamp) in records.iter().zip(timestamps) {
                *timestamp = assigner(record, *timestamp);
            }
        }));
        self
    }

    /// Stops waiting for a split that has been silent for longer than `timeout`, until it speaks again. A timeout of
    /// zero is refused by [`validate`](Self::validate).
    #[must_use]
    pub const fn with_idleness(mut self, timeout: Duration) -> Self {
        self.idleness = Some(timeout);
        self
    }

    /// Lets a source stop reading while its watermark is more than `max_drift` ahead of the least in the group, which
    /// is that of all sources of the job with the same group name (Flink: the method of the same name). The readers
    /// report every second. For sources only.
    #[must_use]
    pub fn with_watermark_alignment(self, group: impl Into<String>, max_drift: Duration) -> Self {
        self.with_watermark_alignment_every(group, max_drift, WatermarkAlignment::DEFAULT_UPDATE_INTERVAL)
    }

    /// As [`with_watermark_alignment`](Self::with_watermark_alignment), with reports in each `update_interval`. An
    /// interval of zero is refused by [`validate`](Self::validate).
    #[must_use]
    pub fn with_watermark_alignment_every(
        mut self,
        group: impl Into<String>,
        max_drift: Duration,
        update_interval: Duration,
    ) -> Self {
        self.alignment = Some(WatermarkAlignment::new(group.into(), max_drift, update_interval));
        self
    }

    /// Checks the settings; to be called when a job is built.
    ///
    /// # Errors
    /// When the idleness timeout or the update interval of the alignment is zero, or its group has no name.
    pub fn validate(&self) -> Result<(), StrategyError> {
        if self.idleness == Some(Duration::ZERO) {
            return Err(StrategyError::ZeroIdleness);
        }
        self.alignment.as_ref().map_or(Ok(()), WatermarkAlignment::validate)
    }

    /// How far the source may run ahead of others, if it waits for any.
    pub const fn alignment(&self) -> Option<&WatermarkAlignment> {
        self.alignment.as_ref()
    }

    /// The silence after which a split is idle, if it ever is.
    pub const fn idleness(&self) -> Option<Duration> {
        self.idleness
    }

    /// A generator for one more split.
    pub fn new_generator(&self) -> Box<dyn WatermarkGenerator<T>> {
        (self.generator)()
    }

    /// Gives the records of a batch their timestamps; nothing changes without a timestamp assigner.
    pub fn assign_timestamps(&self, batch: &mut Batch<T>) {
        if let Some(assign) = &self.assign {
            batch.timestamps.resize(batch.records.len(), NO_TIMESTAMP);
            assign(&batch.records, &mut batch.timestamps);
        }
    }
}

impl<T> Clone for WatermarkStrategy<T> {
    fn clone(&self) -> Self {
        Self {
            generator: Arc::clone(&self.generator),
            assign: self.assign.clone(),
            idleness: self.idleness,
            alignment: self.alignment.clone(),
        }
    }
}

impl<T> fmt::Debug for WatermarkStrategy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatermarkStrategy")
            .field("assigns_timestamps", &self.assign.is_some())
            .field("idleness", &self.idleness)
            .field("alignment", &self.alignment)
            .finish_non_exhaustive()
    }
}
