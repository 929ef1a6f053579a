//! Which records of a window are dropped around its emission.

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_runtime::error::FnResult;
use serde::{Deserialize, Serialize};

use super::Window;

mod count;
mod delta;
mod time;

pub use count::CountEvictor;
pub use delta::DeltaEvictor;
pub use time::TimeEvictor;

/// Drops records of a window before its function is called, or after (Flink: `Evictor`). A window with an evictor
/// keeps all of its records, also for `reduce` and `aggregate`.
pub trait Evictor<T, W: Window>: Clone + Send + 'static {
    #[doc(hidden)]
    const EVICTS: bool = true;

    /// The window fires, and its function has not been called yet.
    ///
    /// # Errors
    /// An error fails the job.
    fn evict_before(
        &mut self,
        elements: &mut WindowElements<T>,
        window: &W,
        context: &EvictorContext,
    ) -> FnResult;

    /// The window has fired, and its function has been called.
    ///
    /// # Errors
    /// An error fails the job.
    fn evict_after(
        &mut self,
        elements: &mut WindowElements<T>,
        window: &W,
        context: &EvictorContext,
    ) -> FnResult;
}

/// What an evictor knows beside the records.
#[derive(Clone, Copy, Debug)]
pub struct EvictorContext {
    pub(super) watermark: Timestamp,
    pub(super) processing_time: Timestamp,
}

impl EvictorContext {
    /// The last watermark, `i64::MIN` before the first.
    pub const fn current_watermark(&self) -> Timestamp {
        self.watermark
    }

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    pub const fn current_processing_time(&self) -> Timestamp {
        self.processing_time
    }
}

/// The records of a window in the order in which they came, with their timestamps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WindowElements<T> {
    values: Vec<T>,
    timestamps: Vec<Timestamp>,
}

impl<T> WindowElements<T> {
    pub(super) fn of(record: T, timestamp: Timestamp) -> Self {
        Self { values: vec![record], timestamps: vec![timestamp] }
    }

    pub(super) fn push(&mut self, record: T, timestamp: Timestamp) {
        self.values.push(record);
        self.timestamps.push(timestamp);
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.values.append(&mut other.values);
        self.timestamps.append(&mut other.timestamps);
    }

    pub(super) fn values(&self) -> &[T] {
        &self.values
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The records, each with its timestamp if it has one.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&T, Option<Timestamp>)> {
        let timestamps = self.timestamps.iter().map(|time| (*time != NO_TIMESTAMP).then_some(*time));
        self.values.iter().zip(timestamps)
    }

    /// Drops the records that came first, this many of them.
    pub fn remove_first(&mut self, count: usize) {
        let count = count.min(self.len());
        self.values.drain(..count);
        self.timestamps.drain(..count);
    }

    /// Drops the records for which `keep` is false.
    pub fn retain(&mut self, mut keep: impl FnMut(&T, Option<Timestamp>) -> bool) {
        let kept: Vec<bool> = self.iter().map(|(value, time)| keep(value, time)).collect();
        let mut of_values = kept.iter();
        self.values.retain(|_| of_values.next().copied().unwrap_or(true));
        let mut of_timestamps = kept.iter();
        self.timestamps.retain(|_| of_timestamps.next().copied().unwrap_or(true));
    }
}

/// Evicts nothing, so that windows need not keep all records: what a stream has before an evictor is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvictor;

impl<T, W: Window> Evictor<T, W> for NoEvictor {
    const EVICTS: bool = false;

    fn evict_before(&mut self, _: &mut WindowElements<T>, _: &W, _: &EvictorContext) -> FnResult {
        Ok(())
    }

    fn evict_after(&mut self, _: &mut WindowElements<T>, _: &W, _: &EvictorContext) -> FnResult {
        Ok(())
    }
}

/// Whether an evictor does its work before or after the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Before,
    After,
}
