//! Removing what has expired a few entries at a time.

use flott_core::{Key, time::Timestamp};

use super::{
    kind::{Ttl, WithTtl},
    stamped::Perishable,
};
use crate::{namespace::Namespace, state_store::Entries, table::Epoch};

impl<D: WithTtl> Ttl<D> {
    /// Called before each access to the state: goes on with the clean-up.
    pub(super) fn accessed<K: Key, N: Namespace>(
        &mut self,
        entries: &mut Entries<K, N, D::Stamped>,
        epoch: Epoch,
        now: Timestamp,
    ) {
        if let Some(cleanup) = self.rules.cleanup {
            self.clean(entries, cleanup.entries as usize, epoch, now);
        }
    }

    /// Looks at the next `count` entries and removes what has expired.
    pub(super) fn clean<K: Key, N: Namespace>(
        &mut self,
        entries: &mut Entries<K, N, D::Stamped>,
        count: usize,
        epoch: Epoch,
        now: Timestamp,
    ) {
        let rules = self.rules;
        let (has_expired, remove_expired) = (
            |stored: &D::Stamped| stored.has_expired(&rules, now),
            |stored: &mut D::Stamped| stored.remove_expired(&rules, now),
        );
        entries.sweep(&mut self.cursor, count, epoch, has_expired, remove_expired);
    }
}
