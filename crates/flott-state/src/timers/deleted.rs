//! Tombstones: timers that were deleted while copies of them may still be stored.

use flott_core::{Key, time::Timestamp};

use super::Timer;
use crate::{
    error::{StateError, StateErrorKind},
    namespace::{Namespace, mix_word},
    table::{Epoch, Table},
};

type Tombstones<K, N> = Table<K, (Timestamp, N), ()>;

/// A set of deleted timers. One that is stored and also in this set doesn't exist.
pub(super) struct Deleted<K, N> {
    timers: Tombstones<K, N>,
    /// Stamps the tombstones; raised when a snapshot begins.
    epoch: Epoch,
    /// While a snapshot is written, the tombstones that it may need and that are no longer in `timers`.
    gone: Option<Gone<K, N>>,
}

struct Gone<K, N> {
    /// Taken out one by one.
    revived: Tombstones<K, N>,
    /// Taken out all at once.
    cleared: Tombstones<K, N>,
}

impl<K, N> Default for Deleted<K, N> {
    fn default() -> Self {
        Self { timers: Table::default(), epoch: Epoch::MIN, gone: None }
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

    pub(super) fn memory_bytes(&self) -> usize {
        let gone = self.gone.iter().flat_map(|gone| [&gone.revived, &gone.cleared]);
        gone.chain([&self.timers]).map(Table::memory_bytes).sum()
    }

    pub(super) fn insert(&mut self, timer: Timer<K, N>) {
        if self.gone.is_some() && self.contains(&timer) {
            // A second deletion must not make the tombstone look younger than the snapshot.
            return;
        }
        let at = (timer.timestamp, timer.namespace);
        self.timers.insert(place(timer.hash, &at), &timer.key, &at, self.epoch, ());
    }

    pub(super) fn contains(&self, timer: &Timer<K, N>) -> bool {
        version(&self.timers, timer).is_some()
    }

    /// Takes the timer out of the set; whether it was in it.
    pub(super) fn revive(&mut self, timer: &Timer<K, N>) -> bool {
        let at = (timer.timestamp, timer.namespace.clone());
        let place = place(timer.hash, &at);
        if let Some(gone) = &mut self.gone
            && self.timers.version(place, &timer.key, &at).is_some_and(|version| version < self.epoch)
        {
            gone.revived.insert(place, &timer.key, &at, Epoch::MIN, ());
        }
        self.timers.remove(place, &timer.key, &at, self.epoch).is_some()
    }

    /// Empties the set.
    pub(super) fn clear(&mut self) {
        let timers = std::mem::take(&mut self.timers);
        // What is left out here is younger than the snapshot.
        if let Some(gone) = &mut self.gone
            && gone.cleared.len() == 0
        {
            gone.cleared = timers;
        }
    }

    /// Begins a snapshot: from now on [`was_deleted`](Self::was_deleted) tells of this moment.
    pub(super) fn freeze(&mut self) -> Result<(), StateError> {
        self.epoch = self.epoch.checked_add(1).ok_or(StateErrorKind::TooManySnapshots)?;
        self.gone = Some(Gone { revived: Table::default(), cleared: Table::default() });
        Ok(())
    }

    /// The snapshot has ended.
    pub(super) fn thaw(&mut self) {
        self.gone = None;
    }

    /// Whether the timer was deleted when the snapshot began.
    pub(super) fn was_deleted(&self, timer: &Timer<K, N>) -> bool {
        let gone = self.gone.iter().flat_map(|gone| [&gone.revived, &gone.cleared]);
        let mut sets = gone.chain([&self.timers]).filter(|set| set.len() > 0);
        sets.any(|set| version(set, timer).is_some_and(|version| version < self.epoch))
    }
}

fn version<K: Key, N: Namespace>(of: &Tombstones<K, N>, timer: &Timer<K, N>) -> Option<Epoch> {
    let at = (timer.timestamp, timer.namespace.clone());
    of.version(place(timer.hash, &at), &timer.key, &at)
}

fn place<N: Namespace>(hash: u64, at: &(Timestamp, N)) -> u64 {
    // The hashes of a subtask share their upper bits, which decide the key group: mix all bits first.
    at.mix(mix_word(hash, 0))
}
