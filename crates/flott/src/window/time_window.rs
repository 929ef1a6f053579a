//! The windows themselves.

use flott_core::Data;
use flott_core::time::Timestamp;
use flott_state::Namespace;
use flott_state::namespace::mix_word;
use serde::{Deserialize, Serialize};

/// What records can be collected into.
pub trait Window: Data + Eq + Namespace {
    /// The largest timestamp that belongs to the window; its results carry it.
    fn max_timestamp(&self) -> Timestamp;
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
    /// The start of the window of `size` that holds `timestamp`, where windows start at `offset` and every `size` from
    /// there. All in milliseconds; the first window of all time is cut at its start.
    #[inline]
    pub const fn start_of(timestamp: Timestamp, offset: i64, size: i64) -> Timestamp {
        timestamp.saturating_sub(timestamp.wrapping_sub(offset).rem_euclid(size))
    }
}

impl Namespace for TimeWindow {
    #[inline]
    fn mix(&self, place: u64) -> u64 {
        mix_word(place, self.end as u64)
    }
}

impl Window for TimeWindow {
    #[inline]
    fn max_timestamp(&self) -> Timestamp {
        self.end.wrapping_sub(1)
    }
}
