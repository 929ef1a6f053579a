//! One state of one subtask: a table for each of its key groups.

use flott_core::{
    Key,
    key_group::{KeyGroupRange, key_place},
};

use crate::{
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    removals::Removals,
    snapshot::GroupEntries,
    table::{Epoch, SweepBudget, Table},
};

#[cfg(test)]
mod tests;

/// Tables of up to this many bytes in all are taken to be in a cache near the core anyway.
const CACHED_BYTES: usize = 256 * 1024;

/// How many slots and tables a sweep passes at most for each entry that it is to look at: enough for the emptiest table,
/// and an end to it where a state is nearly empty.
const SWEEP_STEPS: usize = 16;

/// How far a sweep has come.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cursor {
    table: usize,
    slot: usize,
}

/// A value per key and namespace, for the keys of a range of key groups.
///
/// Every access takes the routing hash of the key ([`flott_core::hash::key_hash`]), which travels with the record, so
/// that no key is hashed here. A hash whose key group is outside the range is an error,
/// [`StateErrorKind::OutsideRange`]: the record should never have come to this subtask.
pub struct ValueStore<K, N, V> {
    tables: Box<[Table<K, N, V>]>,
    range: KeyGroupRange,
    max_parallelism: u32,
    /// What was removed since older snapshots, if there may be snapshots of changes.
    removals: Option<Box<Removals>>,
}

impl<K: Key, N: Namespace, V> ValueStore<K, N, V> {
    /// An empty store for the key groups in `range` of `max_parallelism` in all. Allocates nothing per key group
    /// before the group's first entry but 32 bytes.
    pub fn new(range: KeyGroupRange, max_parallelism: u32) -> Self {
        let tables = (range.start..range.end).map(|_| Table::default()).collect();
        Self { tables, range, max_parallelism, removals: None }
    }

    /// The value of `key` in `namespace`.
    #[inline]
    pub fn get(&self, hash: u64, key: &K, namespace: &N) -> Result<Option<&V>, StateError> {
        let (index, place) = self.locate(hash, namespace);
        let table = self.tables.get(index).ok_or_else(|| self.outside_range(hash))?;
        Ok(table.get(place, key, namespace))
    }

    /// The value for writing. It counts as written in `epoch` whether or not the caller changes it.
    #[inline]
    pub fn get_mut(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
    ) -> Result<Option<&mut V>, StateError> {
        let (table, place) = self.table_mut(hash, namespace)?;
        Ok(table.get_mut(place, key, namespace, epoch))
    }

    /// The value for writing, made by `default` where there is none.
    #[inline]
    pub fn get_or_insert_with(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
        default: impl FnOnce() -> V,
    ) -> Result<&mut V, StateError> {
        let (table, place) = self.table_mut(hash, namespace)?;
        Ok(table.get_or_insert_with(place, key, namespace, epoch, default))
    }

    /// Sets the value and returns the one it replaces.
    #[inline]
    pub fn insert(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
        value: V,
    ) -> Result<Option<V>, StateError> {
        let (table, place) = self.table_mut(hash, namespace)?;
        Ok(table.insert(place, key, namespace, epoch, value))
    }

    /// Takes the value out in `epoch`.
    #[inline]
    pub fn remove(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        epoch: Epoch,
    ) -> Result<Option<V>, StateError> {
        let (table, place) = self.table_mut(hash, namespace)?;
        let removed = table.remove(place, key, namespace, epoch);
        if removed.is_some()
            && let Some(removals) = &mut self.removals
        {
            let index = index_of(self.range, key_place(hash, self.max_parallelism).group);
            removals.note(index, key, namespace);
        }
        Ok(removed)
    }

    /// Shows the next `count` values to `is_due`, and those for which that is true to `clean`, which changes them and returns
    /// whether anything is left; moves the cursor past them. Ends early when all have been seen; the next sweep then starts again.
    pub(crate) fn sweep(
        &mut self,
        cursor: &mut Cursor,
        count: usize,
        epoch: Epoch,
        is_due: impl Fn(&V) -> bool,
        clean: impl Fn(&mut V) -> bool,
    ) {
        let mut budget = SweepBudget { entries: count, steps: count.saturating_mul(SWEEP_STEPS) };
        while budget.entries > 0 && budget.steps > 0 {
            let Some(table) = self.tables.get_mut(cursor.table) else {
                *cursor = Cursor::default();
                return;
            };
            let mut note = |key: &K, namespace: &N| {
                if let Some(removals) = &mut self.removals {
                    removals.note(cursor.table, key, namespace);
                }
            };
            table.sweep(&mut cursor.slot, &mut budget, epoch, &is_due, &clean, &mut note);
            if cursor.slot >= table.capacity() {
                *cursor = Cursor { table: cursor.table + 1, slot: 0 };
                budget.steps = budget.steps.saturating_sub(1);
            }
        }
    }

    /// Loads the home slots of a run of records into the cache; runs of 8 to 16 pay best. Hashes outside
    /// the range are passed over. A store that is small enough to stay in the cache is left alone.
    #[inline]
    pub fn prefetch(&self, hashes: &[u64], namespace: &N) {
        if self.is_small() {
            return;
        }
        for &hash in hashes {
            let (index, place) = self.locate(hash, namespace);
            if let Some(table) = self.tables.get(index) {
                table.prefetch(place);
            }
        }
    }

    /// Every entry of `group` with the epoch of its last write, in no particular order; none if another subtask owns
    /// the group.
    pub fn iter_group(&self, group: u32) -> impl Iterator<Item = (&K, &N, &V, Epoch)> {
        self.tables.get(index_of(self.range, group)).into_iter().flat_map(Table::iter)
    }

    /// Makes room for so many more entries of a key group.
    pub(crate) fn reserve(&mut self, group: u32, entries: usize) {
        if let Some(table) = self.tables.get_mut(index_of(self.range, group)) {
            table.reserve(entries);
        }
    }

    /// The tables.
    pub(crate) fn tables_mut(&mut self) -> impl Iterator<Item = &mut Table<K, N, V>> {
        self.tables.iter_mut()
    }

    /// The table at `index` and its key group.
    pub(crate) fn table_at(&mut self, index: usize) -> Option<(u32, &mut Table<K, N, V>)> {
        let group = self.range.start + index as u32;
        self.tables.get_mut(index).map(|table| (group, table))
    }

    /// `epoch` has begun. Removals are noted from now on if snapshots may be asked for that hold the changes since the epoch `keep` or a later
    /// one; `None` if there will be none.
    pub(crate) fn note_removals(&mut self, epoch: Epoch, keep: Option<Epoch>) {
        let entries = self.len();
        match keep {
            None => self.removals = None,
            Some(keep) => {
                let removals = self.removals.get_or_insert_with(|| Box::new(Removals::new(epoch)));
                removals.start(epoch, keep, entries, self.tables.len());
            }
        }
    }

    /// Whether a snapshot of the changes from the epoch `since` on can be taken and is worth it: removals are known, and most
    /// entries of a sample have not changed.
    pub(crate) fn knows_changes(&self, since: Epoch) -> bool {
        let samples = self.tables.iter().map(|table| table.sample(since));
        let (all, changed) = samples.fold((0, 0), |(all, changed), of| (all + of.0, changed + of.1));
        2 * changed <= all && self.removals.as_ref().is_some_and(|removals| removals.are_known(since))
    }

    /// What the table at `index` has lost from the epoch `since` on and before `until`.
    pub(crate) fn removed(
        &self,
        index: usize,
        since: Epoch,
        until: Epoch,
    ) -> impl Iterator<Item = &GroupEntries> {
        self.removals.iter().flat_map(move |removals| removals.of(index, since, until))
    }

    /// The number of key groups in all.
    pub(crate) const fn max_parallelism(&self) -> u32 {
        self.max_parallelism
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.tables.iter().map(Table::len).sum()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes held by the tables, without what keys and values own elsewhere.
    pub fn memory_bytes(&self) -> usize {
        size_of_val(&*self.tables) + self.tables.iter().map(Table::memory_bytes).sum::<usize>()
    }

    /// Judged by one table, for hashes fill all alike.
    #[inline]
    fn is_small(&self) -> bool {
        self.tables.first().is_none_or(|table| table.memory_bytes() * self.tables.len() <= CACHED_BYTES)
    }

    #[inline]
    fn table_mut(&mut self, hash: u64, namespace: &N) -> Result<(&mut Table<K, N, V>, u64), StateError> {
        let (index, place) = self.locate(hash, namespace);
        if index >= self.tables.len() {
            return Err(self.outside_range(hash));
        }
        Ok((&mut self.tables[index], place))
    }

    /// The table of a hash and the place in it.
    #[inline]
    pub(crate) fn locate(&self, hash: u64, namespace: &N) -> (usize, u64) {
        let at = key_place(hash, self.max_parallelism);
        (index_of(self.range, at.group), namespace.mix(at.place))
    }

    #[cold]
    #[inline(never)]
    fn outside_range(&self, hash: u64) -> StateError {
        let group = key_place(hash, self.max_parallelism).group;
        StateErrorKind::OutsideRange { hash, group, owned: self.range }.into()
    }
}

/// Where the table of `group` is. A group below the range wraps to an index far beyond the end.
#[inline]
const fn index_of(range: KeyGroupRange, group: u32) -> usize {
    group.wrapping_sub(range.start) as usize
}
