//! Dropping what has expired while files are compacted.

use std::ffi::CStr;

use flott_state::disk::Expiry;
use rocksdb::{
    CompactionDecision,
    compaction_filter::CompactionFilter,
    compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory},
};

const NAME: &CStr = c"expired";

/// Makes a filter for each compaction. RocksDB owns it, whereas a single filter for all compactions would have to be kept alive beside the
/// database.
pub(crate) struct ExpiryFilters(pub(crate) Expiry);

impl CompactionFilterFactory for ExpiryFilters {
    type Filter = ExpiryFilter;

    fn create(&mut self, _context: CompactionFilterContext) -> ExpiryFilter {
        ExpiryFilter(Expiry::clone(&self.0))
    }

    fn name(&self) -> &CStr {
        NAME
    }
}

/// Drops the entries whose values have expired.
pub(crate) struct ExpiryFilter(Expiry);

impl CompactionFilter for ExpiryFilter {
    fn filter(&mut self, _level: u32, _key: &[u8], value: &[u8]) -> CompactionDecision {
        if (self.0)(value) { CompactionDecision::Remove } else { CompactionDecision::Keep }
    }

    fn name(&self) -> &CStr {
        NAME
    }
}
