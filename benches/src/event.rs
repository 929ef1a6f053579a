//! The records of the workloads.

use serde::{Deserialize, Serialize};

/// A keyed value.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub(crate) key: u64,
    pub(crate) value: i64,
}

/// The output function of SplitMix64 on `index` as its state.
#[inline]
pub(crate) const fn splitmix64(index: u64) -> u64 {
    flott_core::hash::mix64(index.wrapping_add(0x9e37_79b9_7f4a_7c15))
}

impl Event {
    /// Record `index` of `keys` distinct keys.
    #[inline]
    pub(crate) const fn at(index: u64, keys: u64) -> Self {
        Self { key: splitmix64(index) % keys, value: index as i64 }
    }

    /// The event time, in milliseconds.
    #[inline]
    pub(crate) const fn timestamp(self) -> i64 {
        self.value / 1000
    }
}

/// What an output adds to the checksum, which does not depend on order.
#[inline]
pub(crate) const fn checksum(key: u64, value: i64) -> u64 {
    (key ^ (value as u64).rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
