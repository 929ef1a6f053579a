//! Reading a column in order as it was when the scan began.
#![allow(unsafe_code)]

use std::sync::Arc;

use flott_state::{
    StateError,
    disk::{ByteScan, StoredEntry},
};
use rocksdb::{DBRawIteratorWithThreadMode, ReadOptions};

use crate::{
    error::failed,
    store::{Db, Instance},
};

/// Read ahead by so much: scans pass over everything.
const READAHEAD_BYTES: usize = 2 * 1024 * 1024;

/// An iterator of RocksDB together with the instance that it reads, so that neither the database nor its directory goes
/// while it is used.
pub(crate) struct Scan {
    /// Declared before what it borrows, so that it is dropped first.
    iterator: DBRawIteratorWithThreadMode<'static, Db>,
    instance: Arc<Instance>,
    is_first: bool,
}

impl Scan {
    /// The entries of a column whose keys begin with `prefix`.
    pub(crate) fn new(instance: &Arc<Instance>, column: &str, prefix: &[u8]) -> Result<Self, StateError> {
        Self::from(instance, column, prefix, successor(prefix))
    }

    /// The entries of a column whose keys are not less than `start`, and less than `end`.
    pub(crate) fn between(
        instance: &Arc<Instance>,
        column: &str,
        start: &[u8],
        end: Vec<u8>,
    ) -> Result<Self, StateError> {
        Self::from(instance, column, start, Some(end))
    }

    fn from(
        instance: &Arc<Instance>,
        column: &str,
        start: &[u8],
        end: Option<Vec<u8>>,
    ) -> Result<Self, StateError> {
        let mut options = ReadOptions::default();
        // Without it rows are missing where a prefix extractor is set.
        options.set_total_order_seek(true);
        options.set_readahead_size(READAHEAD_BYTES);
        options.fill_cache(false);
        if let Some(end) = end {
            options.set_iterate_upper_bound(end);
        }
        let column = instance.column(column)?;
        let iterator = instance.db.raw_iterator_cf_opt(&column, options);
        // SAFETY: the lifetime says that the database must outlive the iterator. It does: it lies in `instance`, on the heap, which is
        // kept as long as the iterator and dropped after it, and of which nobody hands out the database by value or for writing.
        let mut iterator = unsafe {
            std::mem::transmute::<DBRawIteratorWithThreadMode<'_, Db>, DBRawIteratorWithThreadMode<'static, Db>>(
                iterator,
            )
        };
        iterator.seek(start);
        Ok(Self { iterator, instance: Arc::clone(instance), is_first: true })
    }
}

impl ByteScan for Scan {
    fn next(&mut self) -> Result<Option<StoredEntry<'_>>, StateError> {
        if !self.is_first && self.iterator.valid() {
            self.iterator.next();
        }
        self.is_first = false;
        if !self.iterator.valid() {
            let status = self.iterator.status();
            return status.map(|()| None).map_err(|error| failed("read", self.instance.path(), &error));
        }
        Ok(self.iterator.item())
    }
}

/// The first key behind all that begin with `prefix`, if there is one.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

#[cfg(test)]
mod tests;
