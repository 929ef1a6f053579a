//! Access to a list whose elements have a time to live.

use flott_core::{Data, Key, time::Timestamp};

use super::{
    kind::Ttl,
    stamped::{Perishable, StampedList},
};
use crate::{
    error::StateError,
    list_state::Lists,
    merging::Merge,
    namespace::Namespace,
    state_store::{Selected, StateStore},
};

impl<'a, K: Key, N: Namespace, T: Data> Selected<'a, K, N, Ttl<Lists<T>>> {
    /// The elements that have not expired. Those that have are removed, and returned too if they may be.
    pub(crate) fn elements(self) -> Result<&'a [T], StateError> {
        let Self { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } = self;
        kind.accessed(entries, epoch, now);
        let Some(list) = entries.get(hash, key, namespace)? else { return Ok(&[]) };
        let rules = kind.rules;
        let some_expired = list.has_expired(&rules, now);
        if some_expired && rules.return_expired {
            kind.lent = Some(list.elements.clone());
        }
        if (some_expired || rules.update_on_read)
            && let Some(list) = entries.get_mut(hash, key, namespace, epoch)?
        {
            let is_left = list.remove_expired(&rules, now);
            if rules.update_on_read {
                list.stamps.fill(now);
            }
            if !is_left {
                entries.remove(hash, key, namespace, epoch)?;
            }
        }
        if some_expired && rules.return_expired {
            return Ok(kind.lent.as_deref().unwrap_or_default());
        }
        Ok(entries.get(hash, key, namespace)?.map_or(&[], |list| &list.elements))
    }

    /// Appends elements, of which there is one at least.
    pub(crate) fn append(self, elements: impl IntoIterator<Item = T>) -> Result<(), StateError> {
        let Self { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } = self;
        kind.accessed(entries, epoch, now);
        entries.get_or_insert_with(hash, key, namespace, epoch, StampedList::default)?.extend(elements, now);
        Ok(())
    }

    /// Replaces the list.
    pub(crate) fn replace(self, elements: Vec<T>) -> Result<(), StateError> {
        let Self { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } = self;
        kind.accessed(entries, epoch, now);
        entries.insert(hash, key, namespace, epoch, StampedList::new(elements, now))?;
        Ok(())
    }

    /// Takes the elements out.
    pub(crate) fn take_elements(mut self) -> Result<Vec<T>, StateError> {
        let now = self.now;
        let list = self.remove()?;
        let visible = list.and_then(|list| self.store.kind.visible(list, now));
        Ok(visible.map(|list| list.elements).unwrap_or_default())
    }
}

impl<T: Data> Merge for Ttl<Lists<T>> {
    fn visible(&self, mut list: StampedList<T>, now: Timestamp) -> Option<StampedList<T>> {
        let hidden = !self.rules.return_expired && !list.remove_expired(&self.rules, now);
        (!hidden).then_some(list)
    }

    fn merge(&self, into: &mut StampedList<T>, from: StampedList<T>, _now: Timestamp) {
        into.append(from);
    }
}
