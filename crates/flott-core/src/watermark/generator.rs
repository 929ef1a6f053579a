//! Watermarks from the records of one split.

use std::time::Duration;

use crate::time::{NO_TIMESTAMP, Timestamp};

#[cfg(test)]
mod tests;

/// Makes watermarks from the records of one split, in their order.
///
/// There are two ways, which may be mixed: a *periodic* generator remembers what it saw and answers
/// [`on_periodic`](Self::on_periodic); a *punctuated* one recognises certain records in [`on_event`](Self::on_event).
/// A watermark that isn't greater than the last one has no effect.
pub trait WatermarkGenerator<T>: Send {
    /// A record with its timestamp, [`NO_TIMESTAMP`] if it has none. The result is a watermark that this record
    /// brings along.
    fn on_event(&mut self, record: &T, timestamp: Timestamp) -> Option<Timestamp>;

    /// The watermark at this moment, asked for once in each `pipeline.auto-watermark-interval`. By default there is
    /// none.
    fn on_periodic(&mut self) -> Option<Timestamp> {
        None
    }

    /// A batch of records; `timestamps` is empty or as long as `records`. The result is the greatest watermark that
    /// the records bring along: it takes effect behind the batch. This is called once per batch, and by default calls
    /// [`on_event`](Self::on_event) for each record.
    fn on_batch(&mut self, records: &[T], timestamps: &[Timestamp]) -> Option<Timestamp> {
        let timestamps = timestamps.iter().copied().chain(std::iter::repeat(NO_TIMESTAMP));
        let mut greatest = None;
        for (record, timestamp) in records.iter().zip(timestamps) {
            greatest = greatest.max(self.on_event(record, timestamp));
        }
        greatest
    }
}

/// Periodic watermarks behind the greatest timestamp seen, by a fixed delay: `greatest − delay − 1`.
#[derive(Clone, Debug)]
pub struct BoundedOutOfOrderness {
    greatest: Timestamp,
    delay_ms: i64,
}

impl BoundedOutOfOrderness {
    /// A generator for records that come at most `delay` late; a part of a millisecond is dropped.
    pub fn new(delay: Duration) -> Self {
        let delay_ms = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        Self { greatest: NO_TIMESTAMP, delay_ms }
    }
}

impl<T> WatermarkGenerator<T> for BoundedOutOfOrderness {
    fn on_event(&mut self, _record: &T, timestamp: Timestamp) -> Option<Timestamp> {
        self.greatest = self.greatest.max(timestamp);
        None
    }

    fn on_periodic(&mut self) -> Option<Timestamp> {
        Some(self.greatest.saturating_sub(self.delay_ms).saturating_sub(1))
    }

    /// A plain maximum over the timestamps: no branch or call per record, so that the compiler can vectorise it.
    fn on_batch(&mut self, _records: &[T], timestamps: &[Timestamp]) -> Option<Timestamp> {
        self.greatest = timestamps.iter().fold(self.greatest, |greatest, t| greatest.max(*t));
        None
    }
}

/// Never a watermark: for jobs in processing time.
#[derive(Clone, Copy, Debug)]
pub struct NoWatermarks;

impl<T> WatermarkGenerator<T> for NoWatermarks {
    fn on_event(&mut self, _record: &T, _timestamp: Timestamp) -> Option<Timestamp> {
        None
    }

    fn on_batch(&mut self, _records: &[T], _timestamps: &[Timestamp]) -> Option<Timestamp> {
        None
    }
}
