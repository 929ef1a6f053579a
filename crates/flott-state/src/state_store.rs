//! A state of one subtask: its tables, and what its kind adds to them, such as the reduce function.

use flott_core::Key;

use crate::{
    error::StateError, keyed::CurrentKey, namespace::Namespace, table::Epoch, value_store::ValueStore,
};

/// A kind of state: what is stored for each key and namespace, and what is needed to work with it.
pub(crate) trait Kind: Send + 'static {
    /// What a slot holds.
    type Stored: Send + 'static;
}

/// A state: tables of what its kind stores.
pub(crate) struct StateStore<K, N, D: Kind> {
    pub(crate) entries: ValueStore<K, N, D::Stored>,
    pub(crate) kind: D,
}

/// A state at the current key: what an access needs once its handle is resolved.
pub(crate) struct Selected<'a, K, N, D: Kind> {
    pub(crate) store: &'a mut StateStore<K, N, D>,
    key: &'a K,
    hash: u64,
    namespace: &'a N,
    epoch: Epoch,
}

impl<'a, K: Key, N: Namespace, D: Kind> Selected<'a, K, N, D> {
    /// The state with this id at the current key, if there is one and it is of kind `D`.
    #[inline]
    pub(crate) fn new(id: u32, current: CurrentKey<'a, K, N>) -> Option<Self> {
        let CurrentKey { state, key, hash, namespace } = current;
        let epoch = state.epoch();
        let store = state.store_mut(id)?;
        Some(Self { store, key, hash, namespace, epoch })
    }

    #[inline]
    pub(crate) fn get(self) -> Result<Option<&'a D::Stored>, StateError> {
        self.store.entries.get(self.hash, self.key, self.namespace)
    }

    #[inline]
    pub(crate) fn get_mut(self) -> Result<Option<&'a mut D::Stored>, StateError> {
        self.store.entries.get_mut(self.hash, self.key, self.namespace, self.epoch)
    }

    #[inline]
    pub(crate) fn get_or_insert_with(
        self,
        default: impl FnOnce() -> D::Stored,
    ) -> Result<&'a mut D::Stored, StateError> {
        self.store.entries.get_or_insert_with(self.hash, self.key, self.namespace, self.epoch, default)
    }

    #[inline]
    pub(crate) fn insert(&mut self, stored: D::Stored) -> Result<(), StateError> {
        self.store.entries.insert(self.hash, self.key, self.namespace, self.epoch, stored)?;
        Ok(())
    }

    #[inline]
    pub(crate) fn remove(&mut self) -> Result<Option<D::Stored>, StateError> {
        self.store.entries.remove(self.hash, self.key, self.namespace)
    }

    /// What is stored, and the kind of the state.
    #[inline]
    pub(crate) fn get_and_kind(&self) -> Result<(Option<&D::Stored>, &D), StateError> {
        let StateStore { entries, kind } = &*self.store;
        Ok((entries.get(self.hash, self.key, self.namespace)?, kind))
    }

    /// What is stored, for writing, and the kind of the state.
    #[inline]
    pub(crate) fn get_mut_and_kind(&mut self) -> Result<(Option<&mut D::Stored>, &mut D), StateError> {
        let StateStore { entries, kind } = &mut *self.store;
        Ok((entries.get_mut(self.hash, self.key, self.namespace, self.epoch)?, kind))
    }
}
