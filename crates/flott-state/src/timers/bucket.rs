//! One bucket of the wheel: timers of a span of time, in the order of their registration.

use flott_core::{Key, time::Timestamp};

use super::Timer;
use crate::namespace::Namespace;

/// A bucket looks for duplicates when it has this many timers, and again whenever what was left has doubled.
const FIRST_SEARCH: usize = 1024;

pub(super) struct Bucket<K, N> {
    pub(super) timers: Vec<Timer<K, N>>,
    /// The earliest timestamp in the bucket.
    pub(super) earliest: Timestamp,
    next_search: usize,
}

impl<K, N> Default for Bucket<K, N> {
    fn default() -> Self {
        Self { timers: Vec::new(), earliest: Timestamp::MAX, next_search: FIRST_SEARCH }
    }
}

impl<K: Key, N: Namespace> Bucket<K, N> {
    /// Adds a timer; returns how many duplicates that pushed out.
    #[inline]
    pub(super) fn push(&mut self, timer: Timer<K, N>) -> usize {
        let mut removed = 0;
        if self.timers.len() == self.timers.capacity() {
            removed = self.make_room();
        }
        self.earliest = self.earliest.min(timer.timestamp);
        self.timers.push(timer);
        removed
    }

    /// Makes room by dropping duplicates if that may help, else by growing by half: doubling would need more than
    /// the room of three timers for each.
    #[cold]
    #[inline(never)]
    fn make_room(&mut self) -> usize {
        let before = self.timers.len();
        if before >= self.next_search {
            sort(&mut self.timers);
            remove_duplicates(&mut self.timers);
            self.next_search = FIRST_SEARCH.max(2 * self.timers.len());
        }
        let left = self.timers.len();
        if left > before - before / 4 || before < 4 {
            self.timers.reserve_exact((left / 2).max(4));
        }
        before - left
    }
}

/// Sorts timers into the order in which they fire, last first.
pub(super) fn sort<K, N>(timers: &mut [Timer<K, N>]) {
    timers.sort_unstable_by_key(|timer| std::cmp::Reverse(timer.order()));
}

/// Drops all but one of equal timers from a sorted vector.
pub(super) fn remove_duplicates<K: Eq, N: Eq>(timers: &mut Vec<Timer<K, N>>) {
    let (mut kept, mut group) = (0, 0);
    for at in 0..timers.len() {
        if kept > 0 && timers[kept - 1].order() != timers[at].order() {
            group = kept;
        }
        if !timers[group..kept].contains(&timers[at]) {
            timers.swap(kept, at);
            kept += 1;
        }
    }
    timers.truncate(kept);
}
