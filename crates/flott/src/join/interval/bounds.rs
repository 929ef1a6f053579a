//! Which times match, and for how long a record is of use.

use std::ops::RangeInclusive;

use flott_core::time::Timestamp;

#[cfg(test)]
mod tests;

/// One of the two streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// How much later than a left record a right one may be, as the program says it.
#[derive(Clone, Copy, Debug)]
pub(super) struct IntervalBounds {
    lower_ms: i64,
    upper_ms: i64,
    pub(super) lower_exclusive: bool,
    pub(super) upper_exclusive: bool,
}

impl IntervalBounds {
    pub(super) const fn new(lower_ms: i64, upper_ms: i64) -> Self {
        Self { lower_ms, upper_ms, lower_exclusive: false, upper_exclusive: false }
    }

    /// The bounds that are themselves included: an exclusive one is moved by a millisecond.
    pub(super) const fn inclusive(self) -> Interval {
        Interval {
            lower: self.lower_ms.saturating_add(self.lower_exclusive as i64),
            upper: self.upper_ms.saturating_sub(self.upper_exclusive as i64),
        }
    }
}

/// How much later than a left record a right one may be, in milliseconds, both included. Empty if the lower bound is the
/// greater one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    lower: i64,
    upper: i64,
}

impl Interval {
    /// The times of the other side that match a record of this side.
    pub(super) fn matches(self, side: Side, time: Timestamp) -> RangeInclusive<Timestamp> {
        match side {
            Side::Left => time.saturating_add(self.lower)..=time.saturating_add(self.upper),
            Side::Right => time.saturating_sub(self.upper)..=time.saturating_sub(self.lower),
        }
    }

    /// When the watermark shows that nothing can match a record of this side any more: at once, or when the latest record of
    /// the other side that could is past.
    pub(super) fn expiry(self, side: Side, time: Timestamp) -> Timestamp {
        time.saturating_add(self.wait(side))
    }

    /// The time of the records that expire then.
    pub(super) fn expired(self, side: Side, expiry: Timestamp) -> Timestamp {
        expiry.saturating_sub(self.wait(side))
    }

    fn wait(self, side: Side) -> i64 {
        match side {
            Side::Left => self.upper.max(0),
            Side::Right => self.lower.saturating_neg().max(0),
        }
    }
}
