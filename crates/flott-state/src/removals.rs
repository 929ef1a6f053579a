//! Which keys a state has lost since older snapshots, for snapshots that hold only what has changed.
//!
//! What was written since shows in the versions of the entries; what was removed leaves nothing behind, so it is noted here. A state that
//! loses too many keys gives up: its next snapshot holds everything.

use flott_core::{
    Data,
    encoding::{EncodeError, encode},
};

use crate::{snapshot::GroupEntries, table::Epoch};

#[cfg(test)]
mod tests;

/// A state may lose so many keys whatever its size.
const FEW: usize = 1024;

/// The keys that were removed in one epoch.
struct Period {
    epoch: Epoch,
    /// For each table, key and namespace of each.
    tables: Vec<GroupEntries>,
}

/// The keys that one state has lost, by epoch.
pub(crate) struct Removals {
    /// No removal from this epoch on is missing; `None` if one of the present epoch is.
    complete_from: Option<Epoch>,
    /// Oldest first; the last is of the present epoch.
    periods: Vec<Period>,
    /// How many more are noted before it gives up.
    left: usize,
}

impl Removals {
    /// Nothing was removed before `epoch`.
    pub(crate) const fn new(epoch: Epoch) -> Self {
        Self { complete_from: Some(epoch), periods: Vec::new(), left: 0 }
    }

    /// A snapshot has begun, and with it `epoch`. Forgets what was removed before the epoch `keep`. `entries` and `tables` are those of the
    /// state.
    pub(crate) fn start(&mut self, epoch: Epoch, keep: Epoch, entries: usize, tables: usize) {
        let from = *self.complete_from.get_or_insert(epoch);
        self.periods.retain(|period| period.epoch >= keep.max(from));
        self.left = (FEW + entries / 4).saturating_sub(self.len());
        self.periods.push(Period { epoch, tables: vec![GroupEntries::default(); tables] });
    }

    /// Notes that a key has lost what it had in a namespace. It may not have had it before the epoch began.
    pub(crate) fn note<K: Data, N: Data>(&mut self, table: usize, key: &K, namespace: &N) {
        if self.complete_from.is_none() {
            return;
        }
        let noted = self.periods.last_mut().map(|period| append(&mut period.tables[table], key, namespace));
        if self.left == 0 || !matches!(noted, Some(Ok(()))) {
            // What was noted in earlier epochs may be part of a snapshot that is being written.
            self.complete_from = None;
            self.periods.pop();
        }
        self.left = self.left.saturating_sub(1);
    }

    /// Whether every removal from the epoch `since` on is known.
    pub(crate) fn are_known(&self, since: Epoch) -> bool {
        self.complete_from.is_some_and(|from| from <= since)
    }

    /// What a table has lost from the epoch `since` on and before `until`.
    pub(crate) fn of(&self, table: usize, since: Epoch, until: Epoch) -> impl Iterator<Item = &GroupEntries> {
        let periods = self.periods.iter().filter(move |period| (since..until).contains(&period.epoch));
        periods.map(move |period| &period.tables[table]).filter(|lost| lost.count > 0)
    }

    fn len(&self) -> usize {
        let noted = self.periods.iter().flat_map(|period| &period.tables).map(|lost| lost.count);
        noted.sum::<u64>() as usize
    }
}

fn append<K: Data, N: Data>(to: &mut GroupEntries, key: &K, namespace: &N) -> Result<(), EncodeError> {
    encode(key, &mut to.bytes)?;
    encode(namespace, &mut to.bytes)?;
    to.count += 1;
    Ok(())
}
