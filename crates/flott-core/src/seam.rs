//! The one seam through which time comes into the engine (DESIGN decision 13).

use crate::time::Timestamp;

/// A source of time. Operators and coordinators know no other clock.
pub trait Clock: Send + Sync {
    /// Wall-clock time, milliseconds since the Unix epoch. It may jump when the machine's clock is set.
    fn wall_ms(&self) -> Timestamp;

    /// Nanoseconds since an arbitrary start; never goes backwards.
    fn monotonic_ns(&self) -> u64;
}
