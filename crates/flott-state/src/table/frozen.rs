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

/// How many slots are passed at most before the budget is asked again.
const STRIDE: usize = 128;

/// Strides that write more than this are too long.
const STRIDE_BYTES: usize = 16 * 1024;

/// After one that wrote so many bytes: so that neither small entries cost much nor large ones come many at a time.
const fn next_stride(stride: usize, bytes: usize) -> usize {
    if bytes > STRIDE_BYTES {
        if stride > 8 { stride / 8 } else { 1 }
    } else if stride < STRIDE {
        stride * 2
    } else {
        STRIDE
    }
}

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
    /// How many slots are passed next.
    stride: usize,
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
        match append(&mut self.written.bytes, slot, &*self.encode) {
            Ok(kept) => self.written.count += u64::from(kept),
            Err(error) => self.failed = Some(error),
        }
    }
}

/// Appends what is kept of an entry; `false` if that is nothing.
#[inline]
fn append<K, N, V, E>(into: &mut Vec<u8>, slot: &Slot<K, N, V>, encode: &E) -> Result<bool, EncodeError>
where
    E: Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError> + ?Sized,
{
    let start = into.len();
    let kept = encode(&slot.key, &slot.namespace, &slot.value, into);
    if !matches!(kept, Ok(true)) {
        into.truncate(start);
    }
    kept
}

/// What was written of what a table owes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owed {
    /// The number of entries.
    pub(crate) count: u64,
    /// No entry is owed any more.
    pub(crate) is_done: bool,
}

impl<K: Eq + Clone, N: Namespace, V> Table<K, N, V> {
    /// From now on the table owes every entry that was written in the epoch `since` or later to a snapshot. The caller raises the
    /// epoch at the same time.
    pub(crate) fn freeze(&mut self, since: Epoch, encode: Arc<EncodeEntry<K, N, V>>) {
        if self.len > 0 {
            let written = GroupEntries::default();
            self.frozen =
                Some(Box::new(Frozen { encode, since, reached: 0, stride: 1, written, failed: None }));
        }
    }

    /// Nothing is owed any more, be it written or not.
    pub(crate) fn thaw(&mut self) {
        self.frozen = None;
    }

    /// What was written because it was about to change, once that is `at_least` so many bytes.
    pub(crate) fn written(&mut self, at_least: usize) -> Result<Option<&GroupEntries>, EncodeError> {
        let Some(frozen) = &mut self.frozen else { return Ok(None) };
        if let Some(error) = frozen.failed.take() {
            return Err(error);
        }
        let is_enough = frozen.written.count > 0 && frozen.written.bytes.len() >= at_least;
        Ok(is_enough.then_some(&frozen.written))
    }

    /// What was written has been handed on.
    pub(crate) fn forget_written(&mut self) {
        if let Some(frozen) = &mut self.frozen {
            frozen.written.count = 0;
            frozen.written.bytes.clear();
        }
    }

    /// Appends entries that are owed to `into` until the budget is spent or `enough` bytes are written. `encode` is what the
    /// table was frozen with, `epoch` the one that began then.
    pub(crate) fn write_owed<E>(
        &mut self,
        epoch: Epoch,
        encode: &E,
        enough: usize,
        budget: &mut SnapshotBudget,
        into: &mut Vec<u8>,
    ) -> Result<Owed, EncodeError>
    where
        E: Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError>,
    {
        let mut owed = Owed { count: 0, is_done: true };
        let Some(mut frozen) = self.frozen.take() else { return Ok(owed) };
        owed.is_done = false;
        let enough = into.len() + enough;
        while !owed.is_done && !budget.is_spent() && into.len() < enough {
            let (before, stride) = (into.len(), frozen.stride);
            owed.is_done = self.write_stride(&mut frozen, epoch, encode, into, &mut owed.count)?;
            let bytes = into.len() - before;
            budget.spend(stride, bytes);
            frozen.stride = next_stride(stride, bytes);
        }
        self.frozen = Some(frozen);
        Ok(owed)
    }

    /// Writes the entries whose homes are the next few slots; `true` when these were the last.
    fn write_stride<E>(
        &self,
        frozen: &mut Frozen<K, N, V>,
        epoch: Epoch,
        encode: &E,
        into: &mut Vec<u8>,
        count: &mut u64,
    ) -> Result<bool, EncodeError>
    where
        E: Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError>,
    {
        let (from, first) = (frozen.reached, self.home(frozen.reached));
        let behind = (first + frozen.stride).min(self.slots.len());
        // The first tag whose home is `behind` or later; none if that is the end of the table.
        let end = (behind < self.slots.len())
            .then(|| ((behind as u64) << 32).div_ceil(self.slots.len() as u64) as u32);
        let tags = from..=end.map_or(u32::MAX, |end| end - 1);
        let (since, periods) = (frozen.since.get(), epoch.get().saturating_sub(frozen.since.get()));
        let is_owed = |version: u32| version.wrapping_sub(since) < periods;
        // Found without a branch, as which slots are vacant and which are owed can't be predicted. No version is zero.
        let (mut owed, mut found) = ([0_u8; STRIDE], 0);
        for (at, slot) in self.slots[first..behind].iter().enumerate() {
            owed[found] = at as u8;
            found += usize::from(is_owed(slot.as_ref().map_or(0, |slot| slot.version.get())));
        }
        for at in &owed[..found] {
            // Nearly all that are here have their homes here.
            if let Some(slot) = &self.slots[first + usize::from(*at)]
                && tags.contains(&slot.tag)
            {
                *count += u64::from(append(into, slot, encode)?);
            }
        }
        // No entry whose home is before a vacant slot lies behind it.
        let pushed_on = self.slots[behind..].iter().chain(&self.slots[..first]).map_while(Option::as_ref);
        for slot in pushed_on.filter(|slot| is_owed(slot.version.get()) && tags.contains(&slot.tag)) {
            *count += u64::from(append(into, slot, encode)?);
        }
        frozen.reached = end.unwrap_or(from);
        Ok(end.is_none())
    }
}
