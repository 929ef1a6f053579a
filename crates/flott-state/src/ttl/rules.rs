//! What follows from a configuration: when something has expired, and what then.

use flott_core::time::Timestamp;

use super::config::{IncrementalCleanup, StateTtlConfig, StateVisibility, UpdateType};
use crate::error::{StateError, StateErrorKind};

#[derive(Clone, Copy, Debug)]
pub(crate) struct TtlRules {
    ttl_ms: i64,
    pub(super) update_on_read: bool,
    pub(super) return_expired: bool,
    pub(super) filter_snapshots: bool,
    pub(super) filter_compaction: bool,
    pub(super) cleanup: Option<IncrementalCleanup>,
}

impl TtlRules {
    /// The rules for the state called `name`; `None` if it never expires.
    pub(crate) fn of(name: &str, config: Option<StateTtlConfig>) -> Result<Option<Self>, StateError> {
        let Some(config) = config else { return Ok(None) };
        let invalid = |reason| Err(StateErrorKind::InvalidTtl { name: name.to_owned(), reason }.into());
        let ttl_ms = i64::try_from(config.time_to_live.as_millis()).unwrap_or(i64::MAX);
        if ttl_ms == 0 {
            return invalid("TTL is expected to be positive, at least a millisecond");
        }
        if config.incremental.is_some_and(|cleanup| cleanup.entries == 0) {
            return invalid("cleanup_incrementally must look at one entry at least");
        }
        if config.compaction_entries == Some(0) {
            return invalid(
                "cleanup_in_rocksdb_compact_filter must ask for the time after one entry at least",
            );
        }
        if config.update_type == UpdateType::Disabled {
            return Ok(None);
        }
        Ok(Some(Self {
            ttl_ms,
            update_on_read: config.update_type == UpdateType::OnReadAndWrite,
            return_expired: config.visibility == StateVisibility::ReturnExpiredIfNotCleanedUp,
            filter_snapshots: config.cleanup_full_snapshot,
            filter_compaction: config.compaction_filter_entries().is_some(),
            cleanup: config.incremental_cleanup(),
        }))
    }

    /// Whether what was last accessed at `stamp` has expired. What would live beyond the end of time never does.
    #[inline]
    pub(super) const fn expired(&self, stamp: Timestamp, now: Timestamp) -> bool {
        stamp.saturating_add(self.ttl_ms) <= now
    }

    /// Whether what was last accessed at `stamp` can't be read any more.
    #[inline]
    pub(super) const fn hidden(&self, stamp: Timestamp, now: Timestamp) -> bool {
        !self.return_expired && self.expired(stamp, now)
    }

    /// Whether a snapshot keeps what was last accessed at `stamp`.
    pub(super) const fn saved(&self, stamp: Timestamp, now: Timestamp) -> bool {
        !self.filter_snapshots || !self.expired(stamp, now)
    }
}
