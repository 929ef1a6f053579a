//! Windows of time, and what any window must be.

use flott_core::Data;
use flott_core::time::Timestamp;
use flott_state::Namespace;
use flott_state::namespace::mix_word;
use serde::{Deserialize, Serialize};

/// What records can be collected into.
pub trait Window: Data + Eq + Namespace {
    /// The largest timestamp that belongs to the window; its results carry it.
    fn max_timestamp(&self) -> Timestamp;

    /// Whether windows merge if and only if they overlap or touch as spans of time that end with their largest
    /// timestamps. Then those of a key that stay apart lie one after the other, and the engine looks at the neighbours
    /// of a record's window instead of at all of them.
    const IS_SPAN: bool = false;

    /// Whether both are [spans](Self::IS_SPAN) with the same start. Then the later one of them to end merges with no
    /// earlier window that the other stays apart from, and the engine does not look at those. `false`, also the default,
    /// is right for all windows and costs time.
    fn starts_as(&self, _other: &Self) -> bool {
        false
    }

    /// The one window that covers both, where two windows of a [merging](super::WindowAssigner::MERGES) assigner
    /// are one. `None`, also the default: they stay apart.
    fn merged(&self, _other: &Self) -> Option<Self> {
        None
    }
}

/// The window of times from `start`, inclusive, to `end`, exclusive, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TimeWindow {
    /// The first time inside.
    pub start: Timestamp,
    /// The first time after.
    pub end: Timestamp,
}

impl TimeWindow {
    /// The window of `size_ms` that starts at `start`; the last window of all time is cut at its end.
    #[inline]
    pub const fn starting_at(start: Timestamp, size_ms: i64) -> Self {
        Self { start, end: start.saturating_add(size_ms) }
    }

    /// The start of the window of `size` that holds `timestamp`, where windows start at `offset` and every `size` from
    /// there. All in milliseconds; the first window of all time is cut at its start.
    #[inline]
    pub const fn start_of(timestamp: Timestamp, offset: i64, size: i64) -> Timestamp {
        // Both remainders first, as the difference of the times themselves may overflow.
        let into = (timestamp.rem_euclid(size) - offset.rem_euclid(size)).rem_euclid(size);
        timestamp.saturating_sub(into)
    }

    /// Whether the windows overlap or touch.
    #[inline]
    pub const fn intersects(&self, other: &Self) -> bool {
        self.start <= other.end && self.end >= other.start
    }

    /// The smallest window that covers both.
    #[inline]
    #[must_use]
    pub fn cover(&self, other: &Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl Namespace for TimeWindow {
    #[inline]
    fn mix(&self, place: u64) -> u64 {
        mix_word(place, self.end as u64)
    }
}

impl Window for TimeWindow {
    const IS_SPAN: bool = true;

    #[inline]
    fn max_timestamp(&self) -> Timestamp {
        self.end.wrapping_sub(1)
    }

    #[inline]
    fn starts_as(&self, other: &Self) -> bool {
        self.start == other.start
    }

    #[inline]
    fn merged(&self, other: &Self) -> Option<Self> {
        self.intersects(other).then(|| self.cover(other))
    }
}
