//! Time that passes when a test says so.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flott_core::seam::Clock;
use flott_core::time::Timestamp;

/// A clock that is set by hand. The wall clock and the monotonic clock start at 0 together.
#[derive(Debug, Default)]
pub struct ManualClock {
    ns: AtomicU64,
}

impl ManualClock {
    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        self.advance_to_ns(self.monotonic_ns().saturating_add(by.as_nanos().try_into().unwrap_or(u64::MAX)));
    }

    /// Sets the wall clock, in milliseconds since the epoch. Time does not go back: an earlier time changes nothing.
    pub fn set_wall_ms(&self, wall_ms: Timestamp) {
        let ms = u64::try_from(wall_ms).unwrap_or(0);
        self.advance_to_ns(ms.saturating_mul(1_000_000));
    }

    pub(crate) fn advance_to_ns(&self, ns: u64) {
        self.ns.fetch_max(ns, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> Timestamp {
        // The nanoseconds of a u64 are fewer milliseconds than an i64 has.
        (self.monotonic_ns() / 1_000_000).cast_signed()
    }

    fn monotonic_ns(&self) -> u64 {
        self.ns.load(Ordering::SeqCst)
    }
}
