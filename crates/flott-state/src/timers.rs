//! Timers of one operator subtask in one time domain.
//!
//! [`TimerQueue`] is the whole: registering appends to the `wheel`, whose buckets cover ever longer spans of time
//! the further away they are. As time advances, the buckets that become due are sorted and deduplicated once and
//! fire from there. Deleting leaves a tombstone (`deleted`), so that neither operation searches for a timer.

use std::collections::BTreeMap;

use flott_core::{Key, time::Timestamp};

use crate::namespace::Namespace;
use deleted::Deleted;
use frozen::Frozen;
pub(crate) use restore::timers_name;
use wheel::Wheel;

mod bucket;
mod deleted;
mod frozen;
mod restore;
#[cfg(test)]
mod tests;
mod wheel;

/// A timer: `key` in `namespace` is to be called when time reaches `timestamp`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timer<K, N> {
    /// When it is due, in milliseconds since the epoch.
    pub timestamp: Timestamp,
    /// The routing hash of `key`, which also tells the key group.
    pub hash: u64,
    /// Whose timer it is.
    pub key: K,
    /// The window it belongs to; `()` for a user's own timers.
    pub namespace: N,
}

impl<K, N> Timer<K, N> {
    /// Timers fire in this order, by timestamp and then by hash. It depends on nothing but the timers, so every run
    /// fires them alike. One number, as numbers are compared without a branch.
    #[inline]
    const fn order(&self) -> u128 {
        (wheel::unsigned(self.timestamp) as u128) << 64 | self.hash as u128
    }
}

/// The timers of one operator subtask that wait for one kind of time, either the watermark or the clock.
///
/// A timer is identified by key, namespace and timestamp: registering it again before it fires changes nothing
/// (Flink: `InternalTimerService`).
///
/// Memory: one [`Timer`] for each registration not yet fired, in chunks of 16 KiB. Duplicates and deleted timers are cleared out before they outnumber the others.
pub struct TimerQueue<K, N> {
    /// Timers after `wheel.now()`.
    wheel: Wheel<K, N>,
    /// Timers up to `wheel.now()`, last to fire first, without duplicates.
    due: Vec<Timer<K, N>>,
    /// By their order, timers registered for times up to `wheel.now()` after these had come; none is in `due` as well.
    late: BTreeMap<u128, Vec<Timer<K, N>>>,
    deleted: Deleted<K, N>,
    /// The snapshot that is being drained.
    frozen: Option<Frozen<K, N>>,
}

impl<K: Key, N: Namespace> Default for TimerQueue<K, N> {
    fn default() -> Self {
        Self {
            wheel: Wheel::default(),
            due: Vec::new(),
            late: BTreeMap::new(),
            deleted: Deleted::default(),
            frozen: None,
        }
    }
}

impl<K: Key, N: Namespace> TimerQueue<K, N> {
    /// Registers a timer; it may be due already, and then fires at the next [`pop_due`](Self::pop_due).
    #[inline]
    pub fn register(&mut self, timestamp: Timestamp, hash: u64, key: K, namespace: N) {
        let timer = Timer { timestamp, hash, key, namespace };
        if !self.deleted.is_empty() {
            self.deleted.revive(&timer);
        }
        if timestamp > self.wheel.now() {
            self.wheel.insert(timer);
        } else {
            self.register_late(timer);
        }
    }

    /// Deletes a timer, even one that is due and waits to fire. Deleting one that isn't registered does nothing.
    pub fn delete(&mut self, timestamp: Timestamp, hash: u64, key: &K, namespace: &N) {
        let timer = Timer { timestamp, hash, key: key.clone(), namespace: namespace.clone() };
        self.deleted.insert(timer);
        if self.deleted.len() > 1024.max(self.stored() / 4) {
            self.forget_deleted();
        }
    }

    /// No timer fires before this time; `None` if there are none. Cheap. After deletions it can be the time of a
    /// timer that no longer exists, which is then skipped when its time comes.
    pub fn next_due(&self) -> Option<Timestamp> {
        let due = self.due.last().map(|timer| timer.timestamp);
        let late = self.late.values().next().and_then(|timers| Some(timers.first()?.timestamp));
        match (due, late) {
            (Some(due), Some(late)) => Some(due.min(late)),
            (None, None) => self.wheel.earliest(),
            (one, other) => one.or(other),
        }
    }

    /// Takes out the first timer that is due at `up_to`, if any.
    ///
    /// Timers come by timestamp, and those of one timestamp by the hash of their keys. To fire all that are due, call
    /// it until it returns `None`: between the calls user code may register more timers, which fire in the same pass
    /// if they are due, and delete timers that have not fired yet.
    #[inline]
    pub fn pop_due(&mut self, up_to: Timestamp) -> Option<Timer<K, N>> {
        loop {
            let timer = self.pop(up_to)?;
            if self.deleted.is_empty() || !self.deleted.revive(&timer) {
                return Some(timer);
            }
        }
    }

    /// The key hashes of up to `count` timers that fire next, for prefetching their state. Empty until the first of
    /// a run of timers was popped.
    pub fn upcoming_hashes(&self, count: usize) -> impl Iterator<Item = u64> {
        self.due.iter().rev().take(count).map(|timer| timer.hash)
    }

    /// Bytes held by the queue, without what keys and namespaces own elsewhere.
    pub fn memory_bytes(&self) -> usize {
        let timers = self.due.capacity() + self.late.len();
        self.wheel.memory_bytes() + self.deleted.memory_bytes() + timers * size_of::<Timer<K, N>>()
    }

    #[inline]
    fn pop(&mut self, up_to: Timestamp) -> Option<Timer<K, N>> {
        if self.due.is_empty() && self.late.is_empty() {
            self.wheel.advance(up_to, &mut self.due);
        }
        match self.due.last() {
            Some(timer) if !self.late.is_empty() && self.late_is_before(timer.order()) => {
                self.pop_late(up_to)
            }
            Some(timer) if timer.timestamp <= up_to => self.due.pop(),
            Some(_) => None,
            None => self.pop_late(up_to),
        }
    }

    fn late_is_before(&self, order: u128) -> bool {
        self.late.first_key_value().is_some_and(|(late, _)| *late < order)
    }

    fn pop_late(&mut self, up_to: Timestamp) -> Option<Timer<K, N>> {
        let mut first = self
            .late
            .first_entry()
            .filter(|entry| entry.get().iter().all(|timer| timer.timestamp <= up_to))?;
        if first.get().len() > 1 {
            return first.get_mut().pop();
        }
        first.remove().pop()
    }

    #[cold]
    fn register_late(&mut self, timer: Timer<K, N>) {
        let order = timer.order();
        let first = self.due.partition_point(|due| due.order() > order);
        if self.due[first..].iter().take_while(|due| due.order() == order).any(|due| *due == timer) {
            return;
        }
        let same = self.late.entry(order).or_default();
        if !same.contains(&timer) {
            same.push(timer);
        }
    }

    /// The number of timers held, with duplicates and deleted ones.
    fn stored(&self) -> usize {
        self.wheel.len() + self.due.len() + self.late.len()
    }

    /// Clears out the deleted timers and their tombstones.
    #[cold]
    fn forget_deleted(&mut self) {
        let Self { wheel, due, late, deleted, .. } = self;
        wheel.retain(|timer| !deleted.contains(timer));
        due.retain(|timer| !deleted.contains(timer));
        late.retain(|_, timers| {
            timers.retain(|timer| !deleted.contains(timer));
            !timers.is_empty()
        });
        deleted.clear();
    }
}
