//! A table of keys that is filled, walked and emptied as a whole.
//!
//! Entries lie one behind the other in the order in which they came, so that firing a window walks through memory from
//! front to back; an open-addressed index of eight bytes a slot finds them. Keys are not hashed here: every access takes
//! the routing hash.

use std::hint::black_box;

/// An index of up to this many slots is taken to be in a cache near the core anyway.
const CACHED_SLOTS: usize = 16 * 1024;

/// An index of up to this many slots is not worth giving back.
const SMALL_SLOTS: usize = 1024;

const VACANT: u64 = 0;

mod owed;

use owed::Owed;

/// What is kept of one key.
#[derive(Clone, Debug)]
pub(super) struct Entry<K, V> {
    pub(super) hash: u64,
    pub(super) key: K,
    pub(super) value: V,
}

pub(super) struct KeyTable<K, V> {
    entries: Vec<Entry<K, V>>,
    /// The upper half of a hash and, in the lower half, the number of its entry counted from one. The length is a power
    /// of two, or zero.
    index: Vec<u64>,
    /// What a snapshot has not got yet; `None` most of the time.
    owed: Option<Box<Owed>>,
}

impl<K, V> Default for KeyTable<K, V> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: Vec::new(), owed: None }
    }
}

/// The slot's content for an entry.
#[inline]
const fn slot(hash: u64, at: usize) -> u64 {
    hash & 0xffff_ffff_0000_0000 | (at as u64 + 1)
}

/// The entry that a slot points to.
#[inline]
const fn entry_of(slot: u64) -> usize {
    (slot & 0xffff_ffff) as usize - 1
}

impl<K: Eq, V> KeyTable<K, V> {
    pub(super) fn entries(&self) -> &[Entry<K, V>] {
        &self.entries
    }

    pub(super) fn entries_mut(&mut self) -> &mut [Entry<K, V>] {
        &mut self.entries
    }

    /// From now on the table owes the entries that it has to a snapshot.
    pub(super) fn freeze(&mut self) {
        self.owed = (!self.entries.is_empty()).then(|| Box::new(Owed::all(self.entries.len())));
    }

    /// Nothing is owed any more, be it given or not.
    pub(super) fn thaw(&mut self) {
        self.owed = None;
    }

    /// Whether there may be entries that are owed.
    pub(super) const fn is_frozen(&self) -> bool {
        self.owed.is_some()
    }

    /// The next entry that is owed, which the caller gives to the snapshot now; `None` when none is.
    pub(super) fn take_owed(&mut self) -> Option<&Entry<K, V>> {
        let next = self.owed.as_mut()?.take_next();
        if next.is_none() {
            self.owed = None;
        }
        self.entries.get(next?)
    }

    /// Called before the entry at a place is changed or removed: the entry, if it is owed. The caller gives it to the snapshot now.
    #[inline]
    pub(super) fn owed_at(&mut self, at: usize) -> Option<&Entry<K, V>> {
        let owed = self.owed.as_mut()?;
        if owed.take(at) { self.entries.get(at) } else { None }
    }

    /// Forgets all entries and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.owed = None;
        self.entries.clear();
        self.index.fill(VACANT);
    }

    /// Whether there is memory for at least sixteen times as many entries.
    pub(super) const fn is_oversized(&self) -> bool {
        self.index.len() > SMALL_SLOTS && self.entries.len() < self.index.len() / 32
    }

    #[inline]
    fn home(&self, hash: u64) -> usize {
        hash as usize & (self.index.len().wrapping_sub(1))
    }

    /// Where the entry of a key is.
    #[inline]
    pub(super) fn find(&self, hash: u64, key: &K) -> Option<usize> {
        let mask = self.index.len().wrapping_sub(1);
        let mut at = self.home(hash);
        loop {
            let slot = *self.index.get(at)?;
            if slot == VACANT {
                return None;
            }
            if (slot ^ hash) >> 32 == 0
                && let Some(entry) = self.entries.get(entry_of(slot))
                && entry.hash == hash
                && entry.key == *key
            {
                return Some(entry_of(slot));
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, hash: u64, key: &K) -> Option<&mut V> {
        let at = self.find(hash, key)?;
        self.entries.get_mut(at).map(|entry| &mut entry.value)
    }

    #[inline]
    pub(super) fn get(&self, hash: u64, key: &K) -> Option<&V> {
        let at = self.find(hash, key)?;
        self.entries.get(at).map(|entry| &entry.value)
    }

    /// Adds a key that is not there yet; returns where.
    #[inline(never)]
    pub(super) fn insert(&mut self, hash: u64, key: K, value: V) -> usize {
        if self.entries.len() >= self.index.len() / 4 * 3 {
            self.grow();
        }
        let at = self.entries.len();
        let free = self.vacant(hash);
        self.index[free] = slot(hash, at);
        self.entries.push(Entry { hash, key, value });
        at
    }

    /// Takes the entry at this place out; the last one takes its place. Neither may be owed to a snapshot.
    pub(super) fn swap_remove(&mut self, at: usize) -> Entry<K, V> {
        let hash = self.entries[at].hash;
        self.unlink(self.slot_of(hash, at));
        let last = self.entries.len() - 1;
        if let Some(owed) = &mut self.owed {
            owed.moved(last, at);
        }
        if at != last {
            let moved = self.slot_of(self.entries[last].hash, last);
            self.index[moved] = slot(self.entries[last].hash, at);
        }
        self.entries.swap_remove(at)
    }

    /// Loads what the keys with these hashes have into the cache: the loads of a run depend on nothing, so the
    /// processor does them together, while a look-up after the other would wait for each.
    #[inline]
    pub(super) fn prefetch(&self, hashes: &[u64]) {
        self.prefetch_with(hashes, |_| 0);
    }

    /// As [`KeyTable::prefetch`], and also what `touch` reads of each value: of one that owns memory, what lies there.
    #[inline]
    pub(super) fn prefetch_with(&self, hashes: &[u64], touch: impl Fn(&V) -> u64) {
        if self.index.len() <= CACHED_SLOTS {
            return;
        }
        let mut seen = 0;
        for &hash in hashes {
            let slot = self.index[self.home(hash)];
            if slot != VACANT {
                let entry = &self.entries[entry_of(slot)];
                seen ^= entry.hash ^ touch(&entry.value);
            }
        }
        black_box(seen);
    }

    fn slot_of(&self, hash: u64, entry: usize) -> usize {
        let (mask, wanted) = (self.index.len() - 1, slot(hash, entry));
        let mut at = self.home(hash);
        while self.index[at] != wanted {
            at = (at + 1) & mask;
        }
        at
    }

    fn vacant(&self, hash: u64) -> usize {
        let mask = self.index.len() - 1;
        let mut at = self.home(hash);
        while self.index[at] != VACANT {
            at = (at + 1) & mask;
        }
        at
    }

    /// Empties a slot and moves those behind it back that it would cut off from their homes.
    fn unlink(&mut self, mut hole: usize) {
        let mask = self.index.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let slot = self.index[at];
            if slot == VACANT {
                break;
            }
            let home = self.home(self.entries[entry_of(slot)].hash);
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(hole) & mask {
                self.index[hole] = slot;
                hole = at;
            }
        }
        self.index[hole] = VACANT;
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let slots = (self.index.len() * 2).max(16);
        self.index.clear();
        self.index.resize(slots, VACANT);
        for at in 0..self.entries.len() {
            let hash = self.entries[at].hash;
            let free = self.vacant(hash);
            self.index[free] = slot(hash, at);
        }
    }
}

#[cfg(test)]
mod tests;
