//! Writing a snapshot of a table piece by piece while the table goes on changing.
//!
//! A frozen table is written in the order of the tags, so how far it has come is one tag: neither growing nor closing a
//! hole changes the tag of an entry, wherever it moves. What the snapshot must still hold is, at any moment, every entry that was last
//! written before the freeze and whose tag has not been reached. Such an entry is written the moment it is about to be changed
//! or removed; its version, or its absence, then keeps it from being written again. So each entry is encoded once, whether
//! the table changes or not.

use std::sync::Arc;

use flott_core::encoding::EncodeError;

use super::{Epoch, Slot, Table};
use crate::{
    namespace::Namespace,
    snapshot::{GroupEntries, SnapshotBudget},
};

#[cfg(test)]
mod tests;

/// How many slots are passed before the budget is asked again.
const STRIDE: usize = 64;

/// Appends what snapshots keep of an entry; `false` if that is nothing.
pub(super) type EncodeEntry<K, N, V> =
    dyn Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError> + Send + Sync;

/// What is known of a snapshot that a table owes entries to.
pub(crate) struct Frozen<K, N, V> {
    encode: Arc<EncodeEntry<K, N, V>>,
    /// Entries with older versions are not owed.
    since: Epoch,
    /// Entries with smaller tags are written.
    reached: u32,
    written: GroupEntries,
    failed: Option<EncodeError>,
}

impl<K, N, V> Frozen<K, N, V> {
    /// Writes an entry that is about to change in `epoch`, if it is owed and has not been reached.
    #[cold]
    #[inline(never)]
    pub(super) fn save(&mut self, slot: &Slot<K, N, V>, epoch: Epoch) {
        let is_owed = slot.version >= self.since && slot.version < epoch;
        if !is_owed || slot.tag < self.reached || self.failed.is_some() {
            return;
        }
        self.failed = append(&mut self.written, slot, &*self.encode).err();
    }
}

#[inline]
fn append<K, N, V, E>(into: &mut GroupEntries, slot: &Slot<K, N, V>, encode: &E) -> Result<(), EncodeError>
where
    E: Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError> + ?Sized,
{
    let start = into.bytes.len();
    let kept = encode(&slot.key, &slot.namespace, &slot.value, &mut into.bytes);
    if let Ok(true) = kept {
        into.count += 1;
    } else {
        into.bytes.truncate(start);
    }
    kept.map(|_| ())
}

impl<K: Eq + Clone, N: Namespace, V> Table<K, N, V> {
    /// From now on the table owes every entry that was written in the epoch `since` or later to a snapshot. The caller raises the
    /// epoch at the same time.
    pub(crate) fn freeze(&mut self, since: Epoch, encode: Arc<EncodeEntry<K, N, V>>) {
        if self.len > 0 {
            let written = GroupEntries::default();
            self.frozen = Some(Box::new(Frozen { encode, since, reached: 0, written, failed: None }));
        }
    }

    /// Nothing is owed any more, be it written or not.
    pub(crate) fn thaw(&mut self) {
        self.frozen = None;
    }

    /// What was written since it was taken last, once that is `at_least` so many bytes.
    pub(crate) fn take_written(&mut self, at_least: usize) -> Result<Option<GroupEntries>, EncodeError> {
        let Some(frozen) = &mut self.frozen else { return Ok(None) };
        if let Some(error) = frozen.failed.take() {
            return Err(error);
        }
        let is_enough = frozen.written.count > 0 && frozen.written.bytes.len() >= at_least;
        Ok(is_enough.then(|| std::mem::take(&mut frozen.written)))
    }

    /// Writes entries that are owed until the budget is spent or `enough` bytes are written; `true` when no entry is owed any
    /// more. `encode` is what the table was frozen with, `epoch` the one that began then.
    pub(crate) fn write_owed<E>(
        &mut self,
        epoch: Epoch,
        encode: &E,
        enough: usize,
        budget: &mut SnapshotBudget,
    ) -> Result<bool, EncodeError>
    where
        E: Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError>,
    {
        let Some(mut frozen) = self.frozen.take() else { return Ok(true) };
        let mut is_done = false;
        while !is_done && !budget.is_spent() && frozen.written.bytes.len() < enough {
            let before = frozen.written.bytes.len();
            is_done = self.write_stride(&mut frozen, epoch, encode)?;
            budget.spend(STRIDE, frozen.written.bytes.len() - before);
        }
        self.frozen = Some(frozen);
        Ok(is_done)
    }

    /// Writes the entries whose homes are the next few slots; `true` when these were the last.
    fn write_stride<E>(
        &self,
        frozen: &mut Frozen<K, N, V>,
        epoch: Epoch,
        encode: &E,
    ) -> Result<bool, EncodeError>
    where
        E: Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError>,
    {
        let (from, first) = (frozen.reached, self.home(frozen.reached));
        let behind = first + STRIDE;
        // The first tag whose home is `behind` or later; none if that is the end of the table.
        let end = (behind < self.slots.len())
            .then(|| ((behind as u64) << 32).div_ceil(self.slots.len() as u64) as u32);
        let (unwrapped, wrapped) = (&self.slots[first..], &self.slots[..first]);
        for (at, slot) in (first..).zip(unwrapped.iter().chain(wrapped)) {
            match slot {
                Some(slot) => {
                    let in_stride = slot.tag >= from && end.is_none_or(|end| slot.tag < end);
                    if in_stride && slot.version < epoch && slot.version >= frozen.since {
                        append(&mut frozen.written, slot, encode)?;
                    }
                }
                // No entry whose home is before a vacant slot lies behind it.
                None if at >= behind => break,
                None => {}
            }
        }
        frozen.reached = end.unwrap_or(frozen.reached);
        Ok(end.is_none())
    }
}
