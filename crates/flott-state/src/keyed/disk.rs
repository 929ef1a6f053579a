//! States on disk: what a batch is about to access is fetched at once, and room is made for it.

use std::sync::{Arc, atomic::AtomicI64};

use flott_core::Key;

use super::KeyedState;
use crate::{
    disk::{ByteStore, EVICTED},
    erased::ErasedStore,
    error::StateError,
};

#[cfg(test)]
mod tests;

/// Where states keep what is not in memory.
pub(super) struct OnDisk {
    pub(super) store: Arc<dyn ByteStore>,
    /// Processing time, for what is done on other threads.
    pub(super) clock: Arc<AtomicI64>,
}

impl<K: Key> KeyedState<K> {
    /// Fetches what these keys have in any user state into memory, if the backend keeps state on disk: the engine calls it for a batch
    /// of records before it hands them to user code, and also [`prefetch`](Self::prefetch) where the records are about to
    /// be processed. What was fetched before may make room.
    ///
    /// # Errors
    /// When the backend fails, or a hash belongs to a key group that the subtask doesn't own.
    #[inline]
    pub fn load(&mut self, keys: &[K], hashes: &[u64]) -> Result<(), StateError> {
        if self.disk.is_none() {
            return Ok(());
        }
        self.make_room()?;
        self.stores.iter_mut().try_for_each(|store| store.any_mut().load(keys, hashes))
    }

    /// Drops cached entries, of the state that has most of them first, until the rest keep within what the backend allows.
    #[inline]
    pub(crate) fn make_room(&mut self) -> Result<(), StateError> {
        match &self.disk {
            None => Ok(()),
            Some(disk) => {
                let allowed = disk.store.cache_bytes();
                self.shrink_to(allowed)
            }
        }
    }

    #[inline(never)]
    fn shrink_to(&mut self, allowed: usize) -> Result<(), StateError> {
        let sizes = |stores: &mut [ErasedStore<K>]| -> Vec<usize> {
            stores.iter_mut().map(|store| store.any_mut().cached_bytes()).collect()
        };
        let mut cached = sizes(&mut self.stores);
        let mut total: usize = cached.iter().sum();
        if total > allowed {
            let wanted = allowed - allowed / EVICTED;
            while total > wanted {
                let largest = (0..cached.len()).max_by_key(|&store| cached[store]);
                let Some(largest) = largest.filter(|&store| cached[store] > 0) else { break };
                let until = cached[largest].saturating_sub(total - wanted);
                self.stores[largest].any_mut().evict(until)?;
                total -= cached[largest] - until;
                // What it could not drop is not asked for again.
                cached[largest] = until;
            }
            cached = sizes(&mut self.stores);
            total = cached.iter().sum();
        }
        let least = allowed / (4 * self.stores.len().max(1));
        for (store, own) in self.stores.iter_mut().zip(cached) {
            let left = (allowed + own).saturating_sub(total);
            store.any_mut().set_cache_limit(left.max(least));
        }
        Ok(())
    }
}
