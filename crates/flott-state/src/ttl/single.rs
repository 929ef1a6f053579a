//! Access to one value with time to live: that of a value state, a reducing or an aggregating state.

use flott_core::{Data, Key, time::Timestamp};

use super::{kind::Ttl, stamped::Stamped};
use crate::{
    error::StateError,
    merging::Merge,
    namespace::Namespace,
    state_store::{Kind, Selected, StateStore},
};

/// A kind of state that stores one value for each key and namespace.
pub(crate) trait Single: Kind<Stored: Data> {}

impl<'a, K: Key, N: Namespace, D: Single> Selected<'a, K, N, Ttl<D>> {
    /// The value, unless it has expired, and the kind of the state. A value that has is removed, and returned if it may
    /// be.
    pub(crate) fn read(self) -> Result<(Option<&'a D::Stored>, &'a D), StateError> {
        let Self { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } = self;
        kind.accessed(entries, epoch, now);
        let rules = kind.rules;
        let Some(stamped) = entries.get(hash, key, namespace)? else { return Ok((None, &kind.of)) };
        if rules.expired(stamped.stamp, now) {
            let removed = entries.remove(hash, key, namespace, epoch)?;
            kind.lent = removed.filter(|_| rules.return_expired).map(|stamped| stamped.value);
            return Ok((kind.lent.as_ref(), &kind.of));
        }
        if rules.update_on_read
            && let Some(stamped) = entries.get_mut(hash, key, namespace, epoch)?
        {
            stamped.stamp = now;
        }
        Ok((entries.get(hash, key, namespace)?.map(|stamped| &stamped.value), &kind.of))
    }

    /// The value for writing, which counts as accessed now, and the kind of the state. One that has expired is removed,
    /// unless it may be returned: then it lives on.
    pub(crate) fn for_writing(self) -> Result<(Option<&'a mut D::Stored>, &'a D), StateError> {
        let Self { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } = self;
        kind.accessed(entries, epoch, now);
        let hidden = entries.get(hash, key, namespace)?.map(|stamped| kind.rules.hidden(stamped.stamp, now));
        if hidden == Some(true) {
            entries.remove(hash, key, namespace, epoch)?;
        }
        let stamped = entries.get_mut(hash, key, namespace, epoch)?;
        let value = stamped.map(|stamped| {
            stamped.stamp = now;
            &mut stamped.value
        });
        Ok((value, &kind.of))
    }

    /// Sets the value.
    pub(crate) fn write(self, value: D::Stored) -> Result<(), StateError> {
        let Self { store: StateStore { entries, kind }, key, hash, namespace, epoch, now } = self;
        kind.accessed(entries, epoch, now);
        entries.insert(hash, key, namespace, epoch, Stamped { stamp: now, value })?;
        Ok(())
    }

    /// The value for writing as in [`for_writing`](Self::for_writing), made by `default` where there is none.
    pub(crate) fn for_writing_or_insert_with(
        mut self,
        default: impl FnOnce() -> D::Stored,
    ) -> Result<&'a mut D::Stored, StateError> {
        self.reborrow().for_writing()?;
        let stamp = self.now;
        self.get_or_insert_with(|| Stamped { stamp, value: default() }).map(|stamped| &mut stamped.value)
    }

    /// Takes the value out.
    pub(crate) fn take(mut self) -> Result<Option<D::Stored>, StateError> {
        let now = self.now;
        let removed = self.remove()?;
        let visible = removed.filter(|stamped| !self.store.kind.rules.hidden(stamped.stamp, now));
        Ok(visible.map(|stamped| stamped.value))
    }
}

impl<D: Single + Merge> Merge for Ttl<D> {
    fn visible(&self, stamped: Stamped<D::Stored>, now: Timestamp) -> Option<Stamped<D::Stored>> {
        (!self.rules.hidden(stamped.stamp, now)).then_some(stamped)
    }

    fn merge(&self, into: &mut Stamped<D::Stored>, from: Stamped<D::Stored>, now: Timestamp) {
        if self.rules.hidden(into.stamp, now) {
            into.value = from.value;
        } else {
            self.of.merge(&mut into.value, from.value, now);
        }
        into.stamp = now;
    }
}
