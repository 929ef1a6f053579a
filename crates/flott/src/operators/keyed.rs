//! What all keyed operators do first: the keys and hashes of a batch, and state fetched ahead.

use std::sync::Arc;

use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;

use crate::function::KeySelector;

/// For how many records state is fetched ahead.
pub(crate) const RUN: usize = 16;

/// Extracts the keys of batches into buffers that are used again.
pub(crate) struct KeyedBatch<T, K> {
    selector: Arc<dyn KeySelector<T, K>>,
    keys: Vec<K>,
    hashes: Vec<u64>,
}

impl<T: Data, K: Key> KeyedBatch<T, K> {
    pub(crate) fn new(selector: Arc<dyn KeySelector<T, K>>) -> Self {
        Self { selector, keys: Vec::new(), hashes: Vec::new() }
    }

    /// Extracts the keys. Their hashes came with the batch, unless it came from inside a chain.
    pub(crate) fn extract(&mut self, batch: &mut Batch<T>) -> FnResult {
        if batch.hashes.len() == batch.len() {
            std::mem::swap(&mut self.hashes, &mut batch.hashes);
        } else {
            self.selector.hash(&batch.records, &mut self.hashes)?;
        }
        self.selector.keys(&batch.records, &mut self.keys);
        Ok(())
    }

    /// The keys of the last batch.
    #[inline]
    pub(crate) fn keys(&self) -> &[K] {
        &self.keys
    }

    /// The routing hashes of the last batch.
    #[inline]
    pub(crate) fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// At the first record of a run: the hashes of the run after it, which are to be fetched now. Before record 0 that
    /// is the first two runs.
    #[inline]
    pub(crate) fn ahead(&self, index: usize) -> Option<&[u64]> {
        if !index.is_multiple_of(RUN) {
            return None;
        }
        let start = if index == 0 { 0 } else { index + RUN };
        let end = (index + 2 * RUN).min(self.hashes.len());
        self.hashes.get(start..end)
    }
}

#[cfg(test)]
mod tests;
