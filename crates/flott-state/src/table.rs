//! The table of one key group of one state: key and namespace → value.
//!
//! Open addressing with linear probing over one flat array, whose slots hold key, value and version together: a
//! look-up costs one cache miss, and prefetching a slot prefetches everything. Four choices make it small and fast:
//!
//! * The upper 32 bits of the caller's place are the slot's *tag*. The home position is `tag × capacity / 2³²`, so
//!   the tag alone finds the new home when the table grows: no key is hashed again, and capacity can be any number.
//! * Homes grow with tags, so growing reads and writes both arrays from front to back.
//! * A large table grows by a quarter when two thirds are full. It is therefore between 53 % and 67 % full, which is at
//!   most 45 bytes an entry for 8-byte keys and values. Smaller tables are kept emptier than that.
//! * Removal shifts the entries behind the hole back, so there are no tombstones to probe over.

use std::num::NonZeroU32;

use crate::{namespace::Namespace, prefetch::prefetch};
use frozen::Frozen;

mod frozen;
#[cfg(test)]
mod tests;
mod visit;

/// Stamps every write: the number of the snapshot period in which it happened, counted from one.
///
/// A snapshot starts by raising the epoch. From then on a slot with an older version still holds what the snapshot
/// must save, and a slot with the current one was written after it began (`table/frozen.rs`).
pub type Epoch = NonZeroU32;

/// Tables up to this capacity are kept three quarters empty and double. As long as everything fits a cache near the
/// core, what a look-up costs is the mispredicted branch of a second probe.
const ROOMY: usize = 256;

/// Tables beyond this capacity grow by a quarter, so that they never waste much.
const STEEP: usize = 16 * 1024;

/// How many slots a sample looks at.
const SAMPLE: usize = 16;

/// How many entries a table may hold.
#[inline]
const fn full_at(capacity: usize) -> usize {
    if capacity <= ROOMY { capacity / 4 } else { capacity / 3 * 2 }
}

const fn grown(capacity: usize) -> usize {
    match capacity {
        0 => 8,
        1..=ROOMY => 2 * capacity,
        _ if capacity <= STEEP => capacity + capacity / 2,
        _ => capacity + capacity / 4,
    }
}

/// How much a sweep may still do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SweepBudget {
    /// Entries to look at.
    pub(crate) entries: usize,
    /// Slots and tables to pass on the way, occupied or not.
    pub(crate) steps: usize,
}

pub(crate) struct Slot<K, N, V> {
    key: K,
    namespace: N,
    value: V,
    /// The epoch of the last write. Never zero, so `Option<Slot>` needs no byte for its tag.
    version: Epoch,
    tag: u32,
}

impl<K: Eq, N: Namespace, V> Slot<K, N, V> {
    #[inline]
    fn holds(&self, tag: u32, key: &K, namespace: &N) -> bool {
        // A key that owns memory is worth a look only if the tag agrees; a plain one is compared as fast as a tag.
        let plain = !std::mem::needs_drop::<K>();
        (plain || self.tag == tag) && self.key == *key && self.namespace == *namespace
    }
}

/// One flat hash table. The caller supplies each key's place, evenly distributed over 2⁶⁴; equal keys in equal
/// namespaces must come with equal places.
pub(crate) struct Table<K, N, V> {
    /// Either empty or with at least one vacant slot, at which every probe ends.
    slots: Box<[Option<Slot<K, N, V>>]>,
    len: usize,
    /// What a snapshot is owed; `None` most of the time.
    frozen: Option<Box<Frozen<K, N, V>>>,
}

impl<K, N, V> Default for Table<K, N, V> {
    fn default() -> Self {
        Self { slots: Box::default(), len: 0, frozen: None }
    }
}

/// No tag has this value.
const NO_TAG: u64 = u64::MAX;

/// The part of a place that decides the position in the table.
#[inline]
const fn tag_of(place: u64) -> u32 {
    (place >> 32) as u32
}

/// Called before an entry is changed or removed in `epoch`: a snapshot that is owed it gets it as it is.
#[inline]
fn save_before_write<K, N, V>(frozen: &mut Option<Box<Frozen<K, N, V>>>, slot: &Slot<K, N, V>, epoch: Epoch) {
    // Without a snapshot this is all: one load from a line that the access has read already, and a branch that is never taken.
    if let Some(frozen) = frozen {
        frozen.save(slot, epoch);
    }
}

impl<K: Eq + Clone, N: Namespace, V> Table<K, N, V> {
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Bytes of the slots, occupied or not; without what keys and values own elsewhere.
    pub(crate) const fn memory_bytes(&self) -> usize {
        self.slots.len() * size_of::<Option<Slot<K, N, V>>>()
    }

    /// Loads the home slot of `place` and those behind it into the cache: many a probe goes on into the next line.
    #[inline]
    pub(crate) fn prefetch(&self, place: u64) {
        let home = self.home(tag_of(place));
        if let Some(slot) = self.slots.get(home) {
            prefetch(slot);
        }
        if let Some(slot) = self.slots.get(home + 2) {
            prefetch(slot);
        }
    }

    #[inline]
    pub(crate) fn get(&self, place: u64, key: &K, namespace: &N) -> Option<&V> {
        let at = self.find(tag_of(place), key, namespace).ok()?;
        self.slots[at].as_ref().map(|slot| &slot.value)
    }

    /// The epoch of the last write to the entry.
    pub(crate) fn version(&self, place: u64, key: &K, namespace: &N) -> Option<Epoch> {
        let at = self.find(tag_of(place), key, namespace).ok()?;
        self.slots[at].as_ref().map(|slot| slot.version)
    }

    /// The value for writing; counts as written in `epoch` whether or not the caller changes it.
    #[inline]
    pub(crate) fn get_mut(&mut self, place: u64, key: &K, namespace: &N, epoch: Epoch) -> Option<&mut V> {
        let at = self.find(tag_of(place), key, namespace).ok()?;
        let slot = self.slots[at].as_mut()?;
        save_before_write(&mut self.frozen, slot, epoch);
        slot.version = epoch;
        Some(&mut slot.value)
    }

    /// The value for writing, made by `default` where there is none.
    #[inline]
    pub(crate) fn get_or_insert_with(
        &mut self,
        place: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
        default: impl FnOnce() -> V,
    ) -> &mut V {
        let tag = tag_of(place);
        let at = match self.find(tag, key, namespace) {
            Ok(at) => at,
            Err(vacant) => self.insert_new(vacant, tag, key, namespace, default(), epoch),
        };
        match &mut self.slots[at] {
            Some(slot) => {
                save_before_write(&mut self.frozen, slot, epoch);
                slot.version = epoch;
                &mut slot.value
            }
            None => unreachable!("the slot was just found or filled"),
        }
    }

    /// Fills a slot for a key that has none, and returns where it is.
    #[inline(never)]
    fn insert_new(
        &mut self,
        vacant: usize,
        tag: u32,
        key: &K,
        namespace: &N,
        value: V,
        version: Epoch,
    ) -> usize {
        let at = self.admit(tag, vacant);
        self.slots[at] = Some(Slot { key: key.clone(), namespace: namespace.clone(), value, version, tag });
        at
    }

    /// Sets the value and returns the one it replaces.
    #[inline]
    pub(crate) fn insert(&mut self, place: u64, key: &K, namespace: &N, epoch: Epoch, value: V) -> Option<V> {
        let tag = tag_of(place);
        match self.find(tag, key, namespace) {
            Ok(at) => self.slots[at].as_mut().map(|slot| {
                save_before_write(&mut self.frozen, slot, epoch);
                slot.version = epoch;
                std::mem::replace(&mut slot.value, value)
            }),
            Err(vacant) => {
                self.insert_new(vacant, tag, key, namespace, value, epoch);
                None
            }
        }
    }

    /// Takes the entry out and returns its value.
    pub(crate) fn remove(&mut self, place: u64, key: &K, namespace: &N, epoch: Epoch) -> Option<V> {
        let at = self.find(tag_of(place), key, namespace).ok()?;
        let slot = self.slots[at].take()?;
        save_before_write(&mut self.frozen, &slot, epoch);
        self.len -= 1;
        self.close_hole(at);
        Some(slot.value)
    }

    /// Shows the values from slot `at` on to `is_due`, and those for which that is true to `clean`, which changes them; if it
    /// returns `false`, nothing is left and the entry is removed, which `removed` is told. Moves `at` to the slot to go on with, beyond the end once all have been passed.
    pub(crate) fn sweep(
        &mut self,
        at: &mut usize,
        budget: &mut SweepBudget,
        epoch: Epoch,
        is_due: &impl Fn(&V) -> bool,
        clean: &impl Fn(&mut V) -> bool,
        removed: &mut impl FnMut(&K, &N),
    ) {
        while budget.entries > 0 && budget.steps > 0 {
            let Some(slot) = self.slots.get_mut(*at) else { return };
            budget.steps -= 1;
            let Some(entry) = slot else {
                *at += 1;
                continue;
            };
            budget.entries -= 1;
            if !is_due(&entry.value) {
                *at += 1;
                continue;
            }
            save_before_write(&mut self.frozen, entry, epoch);
            entry.version = epoch;
            if clean(&mut entry.value) {
                *at += 1;
            } else {
                // Another entry may move into the slot, so it is looked at again.
                removed(&entry.key, &entry.namespace);
                *slot = None;
                self.len -= 1;
                self.close_hole(*at);
            }
        }
    }

    /// The number of slots, occupied or not.
    pub(crate) const fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// Every entry with the epoch of its last write, in the order of the slots.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &N, &V, Epoch)> {
        self.slots.iter().flatten().map(|slot| (&slot.key, &slot.namespace, &slot.value, slot.version))
    }

    /// Of a few entries all over the table, how many there are, and how many of these were written in the epoch `since` or later.
    pub(crate) fn sample(&self, since: Epoch) -> (usize, usize) {
        let sample = self.slots.iter().step_by((self.slots.len() / SAMPLE).max(1)).flatten();
        sample.fold((0, 0), |(all, since_then), slot| {
            (all + 1, since_then + usize::from(slot.version >= since))
        })
    }

    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize
    }

    /// The position of the entry, or else of the vacant slot where its probe ended.
    ///
    /// Nearly every entry of a large table is in its home slot or the next. Which of the two is chosen without a branch, as a branch
    /// would be mispredicted each time it is the next.
    #[inline]
    fn find(&self, tag: u32, key: &K, namespace: &N) -> Result<usize, usize> {
        let home = self.home(tag);
        let Some(first) = self.slots.get(home) else { return Err(0) };
        if self.slots.len() <= ROOMY {
            // So empty a table has nearly every entry at home, and the branch is predicted.
            return match first {
                Some(slot) if slot.holds(tag, key, namespace) => Ok(home),
                _ => self.probe(home, tag, key, namespace),
            };
        }
        let next = if home + 1 == self.slots.len() { 0 } else { home + 1 };
        let at = if first.as_ref().map_or(NO_TAG, |slot| u64::from(slot.tag)) == u64::from(tag) {
            home
        } else {
            next
        };
        match &self.slots[at] {
            Some(slot) if slot.holds(tag, key, namespace) => Ok(at),
            _ => self.probe(home, tag, key, namespace),
        }
    }

    #[inline(never)]
    fn probe(&self, home: usize, tag: u32, key: &K, namespace: &N) -> Result<usize, usize> {
        let mut at = home;
        loop {
            // The bounds check is the test for wrapping around.
            match self.slots.get(at) {
                Some(Some(slot)) if slot.holds(tag, key, namespace) => return Ok(at),
                Some(Some(_)) => at += 1,
                Some(None) => return Err(at),
                None => at = 0,
            }
        }
    }

    /// Counts one more entry and returns the slot to put it into: `vacant` as found, unless the table had to grow.
    #[inline]
    fn admit(&mut self, tag: u32, vacant: usize) -> usize {
        let full = self.len >= full_at(self.slots.len());
        if full {
            self.grow();
        }
        self.len += 1;
        if full { self.vacant_for(tag) } else { vacant }
    }

    fn vacant_for(&self, tag: u32) -> usize {
        let mut at = self.home(tag);
        loop {
            match self.slots.get(at) {
                Some(Some(_)) => at += 1,
                Some(None) => return at,
                None => at = 0,
            }
        }
    }

    /// Grows at once to where so many more entries would lead.
    pub(crate) fn reserve(&mut self, entries: usize) {
        let mut capacity = self.slots.len();
        while full_at(capacity) < self.len.saturating_add(entries) {
            capacity = grown(capacity);
        }
        if capacity > self.slots.len() {
            self.grow_to(capacity);
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        self.grow_to(grown(self.slots.len()));
    }

    fn grow_to(&mut self, capacity: usize) {
        let mut grown = Vec::with_capacity(capacity);
        #[cfg(target_os = "linux")]
        crate::huge_pages::advise(grown.spare_capacity_mut());
        grown.resize_with(capacity, || None);
        let mut old = std::mem::replace(&mut self.slots, grown.into_boxed_slice()).into_vec();
        for slot in old.drain(..).flatten() {
            let at = self.vacant_for(slot.tag);
            self.slots[at] = Some(slot);
        }
        #[cfg(target_os = "linux")]
        crate::huge_pages::release(old.spare_capacity_mut());
    }

    /// Moves entries back until none is cut off from its home by the vacant slot `hole`.
    fn close_hole(&mut self, mut hole: usize) {
        let capacity = self.slots.len();
        let distance = |from: usize, to: usize| if to >= from { to - from } else { to + capacity - from };
        let mut at = hole;
        loop {
            at = if at + 1 == capacity { 0 } else { at + 1 };
            let Some(slot) = &self.slots[at] else { return };
            if distance(self.home(slot.tag), at) >= distance(hole, at) {
                self.slots.swap(hole, at);
                hole = at;
            }
        }
    }
}
