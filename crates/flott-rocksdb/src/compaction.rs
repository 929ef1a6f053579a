//! Dropping what has expired while files are compacted.

use std::{
    ffi::CStr,
    sync::{Arc, OnceLock},
};

use flott_state::disk::Expiry;
use rocksdb::{
    CompactionDecision,
    compaction_filter::CompactionFilter,
    compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory},
};

const NAME: &CStr = c"expired";

/// What has expired of a column: known when its state is registered, which may be after it was opened from the files of a checkpoint. Until then nothing is
/// dropped.
pub(crate) type LateExpiry = Arc<OnceLock<Expiry>>;

/// Makes a filter for each compaction. RocksDB owns it, whereas a single filter for all compactions would have to be kept alive beside the
/// database.
pub(crate) struct ExpiryFilters(pub(crate) LateExpiry);

impl CompactionFilterFactory for ExpiryFilters {
    type Filter = ExpiryFilter;

    fn create(&mut self, _context: CompactionFilterContext) -> ExpiryFilter {
        ExpiryFilter(self.0.get().cloned())
    }

    fn name(&self) -> &CStr {
        NAME
    }
}

/// Drops the entries whose values have expired.
pub(crate) struct ExpiryFilter(Option<Expiry>);

impl CompactionFilter for ExpiryFilter {
    fn filter(&mut self, _level: u32, _key: &[u8], value: &[u8]) -> CompactionDecision {
        match &self.0 {
            Some(has_expired) if has_expired(value) => CompactionDecision::Remove,
            _ => CompactionDecision::Keep,
        }
    }

    fn name(&self) -> &CStr {
        NAME
    }
}
