//! Timers in the future, in buckets whose spans grow with their distance.
//!
//! Time is written in digits to the base 64. A timer is filed by the highest digit in which its timestamp differs from
//! *now*: the position of that digit is its level, the digit's value its bucket within the level. Level 0 has
//! buckets of a millisecond, level 1 of 64, level 2 of 4,096 and so on; eleven levels cover all of time. Earlier
//! timers are always in lower levels, and in lower buckets within a level.
//!
//! Time advances by emptying the first bucket: what has become due leaves, and the rest is filed again relative to
//! the new now, always at a lower level. A timer therefore moves a few times at most, always by appending.

use flott_core::{Key, time::Timestamp};

use super::{
    Timer,
    bucket::{Bucket, Chunks, remove_duplicates, sort},
};
use crate::namespace::Namespace;

const DIGIT_BITS: u32 = 6;
const LEVELS: usize = 11;

impl<K, N> Bucket<K, N> {
    /// The first time of the span of this bucket at `level`.
    fn begin(&self, level: usize) -> Timestamp {
        signed(unsigned(self.earliest) & !below(level))
    }

    /// The last time of the span of this bucket at `level`.
    fn end(&self, level: usize) -> Timestamp {
        signed(unsigned(self.earliest) | below(level))
    }
}

/// The digits below `level`, all ones.
const fn below(level: usize) -> u64 {
    (1 << (level as u32 * DIGIT_BITS)) - 1
}

/// A larger bucket whose timers differ in time is filed again rather than sorted at once: appending to sixty-four
/// smaller ones is cheaper than the six rounds of sorting that it saves.
const SORT_AT_ONCE: usize = 2048;

/// A vector of due timers that was once large is cut back to this when it is empty.
const DUE_CAPACITY: usize = 16 * 1024;

struct Level<K, N> {
    /// Bit `i` says whether bucket `i` holds timers.
    occupied: u64,
    /// Sixty-four buckets, or none before the level's first timer.
    buckets: Vec<Bucket<K, N>>,
}

pub(super) struct Wheel<K, N> {
    levels: [Level<K, N>; LEVELS],
    now: Timestamp,
    len: usize,
}

impl<K, N> Default for Wheel<K, N> {
    fn default() -> Self {
        let levels = std::array::from_fn(|_| Level { occupied: 0, buckets: Vec::new() });
        Self { levels, now: Timestamp::MIN, len: 0 }
    }
}

/// Digits compare like timestamps only without a sign.
#[inline]
pub(super) const fn unsigned(timestamp: Timestamp) -> u64 {
    timestamp as u64 ^ (1 << 63)
}

#[inline]
const fn signed(time: u64) -> Timestamp {
    (time ^ (1 << 63)) as Timestamp
}

impl<K: Key, N: Namespace> Wheel<K, N> {
    /// Every timer in the wheel is after this time. It follows the times that [`advance`](Self::advance) was given,
    /// though it may be behind them.
    #[inline]
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// The number of timers, with duplicates.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Files a timer, whose timestamp is after now.
    #[inline]
    pub(super) fn insert(&mut self, timer: Timer<K, N>) {
        let time = unsigned(timer.timestamp);
        let level = (time ^ unsigned(self.now)).ilog2() / DIGIT_BITS;
        let index = (time >> (level * DIGIT_BITS)) % 64;
        let level = &mut self.levels[level as usize];
        if level.buckets.is_empty() {
            level.buckets.resize_with(64, Bucket::default);
        }
        level.occupied |= 1 << index;
        let removed = level.buckets[index as usize].push(timer);
        self.len = self.len + 1 - removed;
    }

    /// The timestamp of the first timer.
    pub(super) fn earliest(&self) -> Option<Timestamp> {
        let (level, index) = self.first()?;
        Some(self.levels[level].buckets[index].earliest)
    }

    /// Moves the next timers up to `up_to` into the empty vector `due`, sorted so that the first to fire is last: none
    /// if there are none, else at least one and not necessarily all.
    pub(super) fn advance(&mut self, up_to: Timestamp, due: &mut Vec<Timer<K, N>>) {
        due.shrink_to(DUE_CAPACITY);
        while due.is_empty() {
            match self.first() {
                Some((level, index)) if self.levels[level].buckets[index].begin(level) <= up_to => {
                    self.empty_bucket(level, index, up_to, due);
                }
                // Nothing is filed before `up_to`, so every bucket stays right for a now of `up_to`.
                _ => {
                    self.now = self.now.max(up_to);
                    return;
                }
            }
        }
        sort(due);
        remove_duplicates(due);
    }

    /// Empties the first bucket, which begins at `up_to` or before.
    fn empty_bucket(&mut self, level: usize, index: usize, up_to: Timestamp, due: &mut Vec<Timer<K, N>>) {
        self.levels[level].occupied &= !(1 << index);
        let bucket = std::mem::take(&mut self.levels[level].buckets[index]);
        self.len -= bucket.len();
        let sort_at_once = bucket.len() <= SORT_AT_ONCE || bucket.earliest == bucket.latest;
        self.now = up_to.min(if sort_at_once { bucket.end(level) } else { bucket.earliest });
        if bucket.latest <= self.now {
            due.reserve_exact(bucket.len());
            bucket.into_chunks().for_each(|mut chunk| due.append(&mut chunk));
            return;
        }
        for chunk in bucket.into_chunks() {
            for timer in chunk {
                if timer.timestamp <= self.now {
                    due.push(timer);
                } else {
                    self.insert(timer);
                }
            }
        }
    }

    /// Level and index of the first bucket with timers.
    #[inline]
    fn first(&self) -> Option<(usize, usize)> {
        let level = self.levels.iter().position(|level| level.occupied != 0)?;
        Some((level, self.levels[level].occupied.trailing_zeros() as usize))
    }

    /// All timers, for a snapshot to keep while the wheel goes on turning. Takes time in proportion to the number of buckets.
    pub(super) fn freeze(&mut self) -> Vec<Chunks<K, N>> {
        self.levels.iter_mut().flat_map(|level| &mut level.buckets).filter_map(Bucket::freeze).collect()
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.buckets().map(Bucket::memory_bytes).sum()
    }

    fn buckets(&self) -> impl Iterator<Item = &Bucket<K, N>> {
        self.levels.iter().flat_map(|level| &level.buckets)
    }

    /// Drops the timers that `keep` is false for.
    pub(super) fn retain(&mut self, keep: impl Fn(&Timer<K, N>) -> bool) {
        self.len = 0;
        for level in &mut self.levels {
            for (index, bucket) in level.buckets.iter_mut().enumerate() {
                bucket.retain(&keep);
                self.len += bucket.len();
                if bucket.len() == 0 {
                    level.occupied &= !(1 << index);
                    *bucket = Bucket::default();
                }
            }
        }
    }
}
