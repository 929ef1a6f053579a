//! Tombstones: timers that were deleted while copies of them may still be stored.

use flott_core::{Key, time::Timestamp};

use super::Timer;
use crate::{
    namespace::{Namespace, mix_word},
    table::{Epoch, Table},
};

/// A set of deleted timers. One that is stored and also in this set doesn't exist.
pub(super) struct Deleted<K, N> {
    timers: Table<K, (Timestamp, N), ()>,
}

impl<K, N> Default for Deleted<K, N> {
    fn default() -> Self {
        Self { timers: Table::default() }
    }
}

impl<K: Key, N: Namespace> Deleted<K, N> {
    pub(super) const fn len(&self) -> usize {
        self.timers.len()
    }

    #[inline]
    pub(super) const fn is_empty(&self) -> bool {
        self.timers.len() == 0
    }

    pub(super) const fn memory_bytes(&self) -> usize {
        self.timers.memory_bytes()
    }

    pub(super) fn insert(&mut self, timer: Timer<K, N>) {
        let at = (timer.timestamp, timer.namespace);
        self.timers.insert(place(timer.hash, &at), &timer.key, &at, Epoch::MIN, ());
    }

    pub(super) fn contains(&self, timer: &Timer<K, N>) -> bool {
        let at = (timer.timestamp, timer.namespace.clone());
        self.timers.get(place(timer.hash, &at), &timer.key, &at).is_some()
    }

    /// Takes the timer out of the set; whether it was in it.
    pub(super) fn revive(&mut self, timer: &Timer<K, N>) -> bool {
        let at = (timer.timestamp, timer.namespace.clone());
        self.timers.remove(place(timer.hash, &at), &timer.key, &at, Epoch::MIN).is_some()
    }
}

fn place<N: Namespace>(hash: u64, at: &(Timestamp, N)) -> u64 {
    // The hashes of a subtask share their upper bits, which decide the key group: mix all bits first.
    at.mix(mix_word(hash, 0))
}
