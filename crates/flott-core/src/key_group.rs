//! Key → key group → subtask.
//!
//! State is cut into `max_parallelism` *key groups*, the smallest unit that moves when a job is rescaled. A key
//! group belongs to exactly one subtask; a subtask owns a contiguous range. The rule and the ranges are Flink's.

use serde::{Deserialize, Serialize};

/// Largest allowed max parallelism, that is, number of key groups.
pub const MAX_PARALLELISM_LIMIT: u32 = 1 << 15;

/// Smallest default of max parallelism.
pub const DEFAULT_MIN_MAX_PARALLELISM: u32 = 128;

/// The max parallelism of an operator that sets none: the next power of two of one and a half times its
/// parallelism, between 128 and 32,768.
pub fn default_max_parallelism(parallelism: u32) -> u32 {
    let wanted = u64::from(parallelism) + u64::from(parallelism) / 2;
    let rounded = wanted.next_power_of_two();
    rounded.clamp(u64::from(DEFAULT_MIN_MAX_PARALLELISM), u64::from(MAX_PARALLELISM_LIMIT)) as u32
}

/// Where a key's state lives: its key group, and a 64-bit place inside the group's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyPlace {
    /// The key group, below max parallelism.
    pub group: u32,
    /// Position inside the group as a fraction of 2⁶⁴, uniformly distributed.
    pub place: u64,
}

/// Splits a routing hash into key group and place: the high and the low half of the 128-bit product
/// `hash × max_parallelism`. Frozen, as it decides which key group of a snapshot holds a key.
#[inline]
pub const fn key_place(hash: u64, max_parallelism: u32) -> KeyPlace {
    let product = hash as u128 * max_parallelism as u128;
    KeyPlace { group: (product >> 64) as u32, place: product as u64 }
}

/// The subtask that owns `group`.
#[inline]
pub const fn subtask_of_group(group: u32, max_parallelism: u32, parallelism: u32) -> u32 {
    (group as u64 * parallelism as u64 / max_parallelism as u64) as u32
}

/// A contiguous range of key groups, `start` inclusive, `end` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct KeyGroupRange {
    /// First key group of the range.
    pub start: u32,
    /// One past the last key group.
    pub end: u32,
}

impl KeyGroupRange {
    /// The range that subtask `subtask` of `parallelism` owns.
    pub const fn of_subtask(subtask: u32, parallelism: u32, max_parallelism: u32) -> Self {
        let (i, p, m) = (subtask as u64, parallelism as u64, max_parallelism as u64);
        Self { start: ((i * m).div_ceil(p)) as u32, end: (((i + 1) * m - 1) / p + 1) as u32 }
    }

    /// The number of key groups.
    pub const fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the range holds no key group.
    pub const fn is_empty(&self) -> bool {
        self.end <= self.start
    }

    /// Whether `group` is in the range.
    pub const fn contains(&self, group: u32) -> bool {
        self.start <= group && group < self.end
    }
}

#[cfg(test)]
mod tests;
