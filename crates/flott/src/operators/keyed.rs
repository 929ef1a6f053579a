//! What all keyed operators do first: the keys and hashes of a batch, and state fetched ahead.

use std::sync::Arc;

use flott_core::time::NO_TIMESTAMP;
use flott_core::{Batch, Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Collector, Output};

use crate::function::{KeySelector, KeyedContext, KeyedHost};

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

    /// Gives each record to `process`, in the context of its key.
    #[inline]
    pub(crate) fn each<O: Data, A>(
        &mut self,
        batch: &mut Batch<T>,
        host: &mut KeyedHost<K>,
        out: &mut Output<O>,
        mut process: impl FnMut(T, &mut KeyedContext<'_, K, A>, &mut Collector<'_, O>) -> FnResult,
    ) -> FnResult {
        host.start_batch();
        self.extract(batch)?;
        host.state.load(&self.keys, &self.hashes)?;
        let count = batch.len();
        let mut out = Collector::new(out, NO_TIMESTAMP);
        let Batch { records, timestamps, .. } = batch;
        let keys = self.keys.iter().zip(&self.hashes);
        for (index, (record, (key, &hash))) in records.drain(..).zip(keys).enumerate() {
            if let Some(ahead) = self.ahead(index) {
                host.state.prefetch(ahead);
            }
            let timestamp = timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP);
            out.set_timestamp(timestamp);
            process(record, &mut host.context(key, hash, timestamp), &mut out)?;
        }
        host.state.records_processed(count);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
