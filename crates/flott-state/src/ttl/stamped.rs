//! Values together with the time of their last access.

use flott_core::time::Timestamp;

use super::rules::TtlRules;
use crate::map_state::UserMap;

/// A value and when it was last accessed.
pub(crate) struct Stamped<V> {
    pub(super) stamp: Timestamp,
    pub(super) value: V,
}

/// The elements of a list and when each was last accessed. Two vectors, so that the elements can be lent as a slice.
pub(crate) struct StampedList<T> {
    pub(super) elements: Vec<T>,
    pub(super) stamps: Vec<Timestamp>,
}

impl<T> Default for StampedList<T> {
    fn default() -> Self {
        Self { elements: Vec::new(), stamps: Vec::new() }
    }
}

impl<T> StampedList<T> {
    pub(super) fn new(elements: Vec<T>, now: Timestamp) -> Self {
        let stamps = vec![now; elements.len()];
        Self { elements, stamps }
    }

    pub(super) fn extend(&mut self, elements: impl IntoIterator<Item = T>, now: Timestamp) {
        self.elements.extend(elements);
        self.stamps.resize(self.elements.len(), now);
    }

    pub(super) fn append(&mut self, mut other: Self) {
        self.elements.append(&mut other.elements);
        self.stamps.append(&mut other.stamps);
    }
}

/// What can expire, as a whole or in parts.
pub(crate) trait Perishable {
    /// Whether any part has expired.
    fn has_expired(&self, rules: &TtlRules, now: Timestamp) -> bool;

    /// Removes the parts that have expired; whether anything is left. If not, the caller removes the whole.
    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> bool;
}

impl<V> Perishable for Stamped<V> {
    fn has_expired(&self, rules: &TtlRules, now: Timestamp) -> bool {
        rules.expired(self.stamp, now)
    }

    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> bool {
        !rules.expired(self.stamp, now)
    }
}

impl<T> Perishable for StampedList<T> {
    fn has_expired(&self, rules: &TtlRules, now: Timestamp) -> bool {
        self.stamps.iter().any(|stamp| rules.expired(*stamp, now))
    }

    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> bool {
        let mut stamps = self.stamps.iter();
        self.elements.retain(|_| stamps.next().is_some_and(|stamp| !rules.expired(*stamp, now)));
        self.stamps.retain(|stamp| !rules.expired(*stamp, now));
        !self.stamps.is_empty()
    }
}

impl<UK, UV> Perishable for UserMap<UK, Stamped<UV>> {
    fn has_expired(&self, rules: &TtlRules, now: Timestamp) -> bool {
        self.values().any(|stamped| rules.expired(stamped.stamp, now))
    }

    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> bool {
        self.retain(|_, stamped| !rules.expired(stamped.stamp, now));
        !self.is_empty()
    }
}
