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

/// What is left after what has expired was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    All,
    Some,
    Nothing,
}

/// What can expire, as a whole or in parts.
pub(crate) trait Perishable {
    /// Removes the parts that have expired. If nothing is left, the caller removes the whole.
    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> Left;
}

impl<V> Perishable for Stamped<V> {
    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> Left {
        if rules.expired(self.stamp, now) { Left::Nothing } else { Left::All }
    }
}

impl<T> Perishable for StampedList<T> {
    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> Left {
        let before = self.stamps.len();
        let mut stamps = self.stamps.iter();
        self.elements.retain(|_| stamps.next().is_some_and(|stamp| !rules.expired(*stamp, now)));
        self.stamps.retain(|stamp| !rules.expired(*stamp, now));
        left(before, self.stamps.len())
    }
}

impl<UK, UV> Perishable for UserMap<UK, Stamped<UV>> {
    fn remove_expired(&mut self, rules: &TtlRules, now: Timestamp) -> Left {
        let before = self.len();
        self.retain(|_, stamped| !rules.expired(stamped.stamp, now));
        left(before, self.len())
    }
}

fn left(before: usize, after: usize) -> Left {
    match after {
        0 => Left::Nothing,
        _ if after < before => Left::Some,
        _ => Left::All,
    }
}
