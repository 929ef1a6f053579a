//! Where the key of a record comes from.

use std::marker::PhantomData;

use flott_core::Key;
use flott_core::encoding::EncodeError;
use flott_core::hash::key_hash;
use flott_runtime::exchange::KeyHasher;

/// Extracts the keys of whole batches: one virtual call each, whatever the selector's type.
pub(crate) trait KeySelector<T, K>: KeyHasher<T> {
    /// Makes `keys` the keys of these records. Reuses what the old keys have allocated.
    fn keys(&self, records: &[T], keys: &mut Vec<K>);
}

/// A selector that returns the key.
pub(crate) struct ByValue<F, K> {
    select: F,
    key: PhantomData<fn() -> K>,
}

impl<F, K> ByValue<F, K> {
    pub(crate) fn new(select: F) -> Self {
        Self { select, key: PhantomData }
    }
}

impl<T, K: Key, F: Fn(&T) -> K + Send + Sync> KeyHasher<T> for ByValue<F, K> {
    fn hash(&self, records: &[T], hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
        hash_all(records.iter().map(|record| key_hash(&(self.select)(record))), hashes)
    }
}

impl<T, K: Key, F: Fn(&T) -> K + Send + Sync> KeySelector<T, K> for ByValue<F, K> {
    fn keys(&self, records: &[T], keys: &mut Vec<K>) {
        keys.clear();
        keys.extend(records.iter().map(&self.select));
    }
}

/// A selector that points to the key inside the record.
pub(crate) struct ByReference<F, K> {
    select: F,
    key: PhantomData<fn() -> K>,
}

impl<F, K> ByReference<F, K> {
    pub(crate) fn new(select: F) -> Self {
        Self { select, key: PhantomData }
    }
}

impl<T, K: Key, F: Fn(&T) -> &K + Send + Sync> KeyHasher<T> for ByReference<F, K> {
    fn hash(&self, records: &[T], hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
        hash_all(records.iter().map(|record| key_hash((self.select)(record))), hashes)
    }
}

impl<T, K: Key, F: Fn(&T) -> &K + Send + Sync> KeySelector<T, K> for ByReference<F, K> {
    fn keys(&self, records: &[T], keys: &mut Vec<K>) {
        keys.truncate(records.len());
        let (reused, added) = records.split_at(keys.len());
        for (key, record) in keys.iter_mut().zip(reused) {
            key.clone_from((self.select)(record));
        }
        keys.extend(added.iter().map(|record| (self.select)(record).clone()));
    }
}

fn hash_all(
    found: impl Iterator<Item = Result<u64, EncodeError>>,
    hashes: &mut Vec<u64>,
) -> Result<(), EncodeError> {
    hashes.clear();
    hashes.reserve(found.size_hint().0);
    for hash in found {
        hashes.push(hash?);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
