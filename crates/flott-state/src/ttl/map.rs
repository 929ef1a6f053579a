//! Access to a map whose entries have a time to live.

use std::{
    borrow::{Borrow, Cow},
    hash::Hash,
};

use flott_core::{Data, Key};
use indexmap::map;

use super::{
    kind::Ttl,
    stamped::{Perishable, Stamped},
};
use crate::{
    error::StateError,
    map_state::{Maps, UserMap},
    namespace::Namespace,
    state_store::{Selected, StateStore},
};

impl<'a, K: Key, N: Namespace, UK: Data + Eq + Hash, UV: Data> Selected<'a, K, N, Ttl<Maps<UK, UV>>> {
    /// The value of `user_key`, unless it has expired. One that has is removed, and returned if it may be.
    pub(crate) fn read_entry<Q>(mut self, user_key: &Q) -> Result<Option<&'a UV>, StateError>
    where
        UK: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Selected { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } =
            self.reborrow();
        kind.accessed(entries, epoch, now);
        let rules = kind.rules;
        let entry = entries.get(hash, key, namespace)?.and_then(|map| map.get(user_key));
        let Some(stamped) = entry else { return Ok(None) };
        if rules.expired(stamped.stamp, now) {
            let removed = self.remove_entry(user_key)?;
            let kind = &mut self.store.kind;
            kind.lent = removed.filter(|_| rules.return_expired).map(|stamped| stamped.value);
            return Ok(kind.lent.as_ref());
        }
        if rules.update_on_read
            && let Some(map) = entries.get_mut(hash, key, namespace, epoch)?
            && let Some(stamped) = map.get_mut(user_key)
        {
            stamped.stamp = now;
        }
        Ok(self.get()?.and_then(|map| map.get(user_key)).map(|stamped| &stamped.value))
    }

    /// The value of `user_key` for writing, which counts as accessed now. One that has expired is removed, unless it
    /// may be returned: then it lives on.
    pub(crate) fn entry_for_writing<Q>(mut self, user_key: &Q) -> Result<Option<&'a mut UV>, StateError>
    where
        UK: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Selected { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } =
            self.reborrow();
        kind.accessed(entries, epoch, now);
        let rules = kind.rules;
        let entry = entries.get(hash, key, namespace)?.and_then(|map| map.get(user_key));
        if entry.is_some_and(|stamped| rules.hidden(stamped.stamp, now)) {
            self.remove_entry(user_key)?;
        }
        let entry = self.get_mut()?.and_then(|map| map.get_mut(user_key));
        Ok(entry.map(|stamped| {
            stamped.stamp = now;
            &mut stamped.value
        }))
    }

    /// The value of `user_key` for writing as in [`entry_for_writing`](Self::entry_for_writing), made by `default` where
    /// there is none.
    pub(crate) fn entry_for_writing_or_insert_with(
        mut self,
        user_key: UK,
        default: impl FnOnce() -> UV,
    ) -> Result<&'a mut UV, StateError> {
        self.reborrow().entry_for_writing(&user_key)?;
        let now = self.now;
        let map = self.get_or_insert_with(UserMap::default)?;
        Ok(&mut map.entry(user_key).or_insert_with(|| Stamped { stamp: now, value: default() }).value)
    }

    /// Sets the values of several keys, of which there is one at least.
    pub(crate) fn put(self, pairs: impl IntoIterator<Item = (UK, UV)>) -> Result<(), StateError> {
        let Self { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } = self;
        kind.accessed(entries, epoch, now);
        let stamped = pairs.into_iter().map(|(key, value)| (key, Stamped { stamp: now, value }));
        entries.get_or_insert_with(hash, key, namespace, epoch, UserMap::default)?.extend(stamped);
        Ok(())
    }

    /// Takes the value of `user_key` out.
    pub(crate) fn take_entry<Q>(mut self, user_key: &Q) -> Result<Option<UV>, StateError>
    where
        UK: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let Selected { store: StateStore { entries, kind }, epoch, now, .. } = self.reborrow();
        kind.accessed(entries, epoch, now);
        let rules = kind.rules;
        let removed = self.remove_entry(user_key)?;
        Ok(removed.filter(|stamped| !rules.hidden(stamped.stamp, now)).map(|stamped| stamped.value))
    }

    /// The entries that have not expired. Those that have are removed, and returned too if they may be.
    pub(crate) fn entries(mut self) -> Result<MapEntries<'a, UK, UV>, StateError> {
        let Selected { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } =
            self.reborrow();
        kind.accessed(entries, epoch, now);
        let rules = kind.rules;
        let Some(map) = entries.get(hash, key, namespace)? else { return Ok(MapEntries::default()) };
        let some_expired = map.has_expired(&rules, now);
        let mut expired = Vec::new();
        if (some_expired || rules.update_on_read)
            && let Some(map) = entries.get_mut(hash, key, namespace, epoch)?
        {
            if rules.return_expired {
                let gone = map.iter().filter(|(_, stamped)| rules.expired(stamped.stamp, now));
                expired.extend(gone.map(|(key, stamped)| (key.clone(), stamped.value.clone())));
            }
            map.remove_expired(&rules, now);
            if rules.update_on_read {
                map.values_mut().for_each(|stamped| stamped.stamp = now);
            }
            if map.is_empty() {
                entries.remove(hash, key, namespace, epoch)?;
            }
        }
        let live = self.get()?.map(UserMap::iter).unwrap_or_default();
        Ok(MapEntries::Stamped { expired: expired.into_iter(), live })
    }

    /// Removes an entry, and the map with its last one.
    fn remove_entry<Q>(&mut self, user_key: &Q) -> Result<Option<Stamped<UV>>, StateError>
    where
        UK: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let (Some(map), _) = self.get_mut_and_kind()? else { return Ok(None) };
        let removed = map.swap_remove(user_key);
        if map.is_empty() {
            self.remove()?;
        }
        Ok(removed)
    }
}

/// The entries of a map, with or without time to live.
pub(crate) enum MapEntries<'a, UK, UV> {
    Plain(map::Iter<'a, UK, UV>),
    Stamped { expired: std::vec::IntoIter<(UK, UV)>, live: map::Iter<'a, UK, Stamped<UV>> },
}

impl<UK, UV> Default for MapEntries<'_, UK, UV> {
    fn default() -> Self {
        Self::Plain(map::Iter::default())
    }
}

impl<'a, UK: Clone, UV: Clone> Iterator for MapEntries<'a, UK, UV> {
    type Item = (Cow<'a, UK>, Cow<'a, UV>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Plain(entries) => {
                entries.next().map(|(key, value)| (Cow::Borrowed(key), Cow::Borrowed(value)))
            }
            Self::Stamped { expired, live } => {
                let gone = expired.next().map(|(key, value)| (Cow::Owned(key), Cow::Owned(value)));
                let next = || live.next().map(|(key, of)| (Cow::Borrowed(key), Cow::Borrowed(&of.value)));
                gone.or_else(next)
            }
        }
    }
}
