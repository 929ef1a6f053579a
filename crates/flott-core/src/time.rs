//! Event time: timestamps and the words around them.

/// Milliseconds since the Unix epoch. Event timestamps, watermarks and processing time all use it.
pub type Timestamp = i64;

/// Marks a record without a timestamp (Flink: `Long.MIN_VALUE`).
pub const NO_TIMESTAMP: Timestamp = i64::MIN;

/// The watermark before any event: nothing is known yet.
pub const MIN_WATERMARK: Timestamp = i64::MIN;

/// The watermark after the last event of a bounded stream: every event-time timer fires.
pub const MAX_WATERMARK: Timestamp = i64::MAX;

/// Which clock a timer waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum TimeDomain {
    /// The progress of the watermark.
    EventTime,
    /// The clock of the machine.
    ProcessingTime,
}
