//! What a program asks for when it gives a state a time to live.

use std::time::Duration;

/// How many entries the clean-up in the background looks at when a state is accessed, unless a program says otherwise.
const DEFAULT_CLEANUP_ENTRIES: u32 = 5;

/// After how many entries the compaction of the RocksDB backend asks for the time, unless a program says otherwise.
const DEFAULT_COMPACTION_ENTRIES: u64 = 1000;

/// What counts as an access that lets state live on (Flink: `StateTtlConfig.UpdateType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UpdateType {
    /// The state never expires.
    Disabled,
    /// Creating and writing (the default).
    #[default]
    OnCreateAndWrite,
    /// Creating, writing and reading.
    OnReadAndWrite,
}

/// Whether what has expired can still be read (Flink: `StateTtlConfig.StateVisibility`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StateVisibility {
    /// What has expired reads as absent (the default).
    #[default]
    NeverReturnExpired,
    /// What has expired is returned once more if it hasn't been cleaned up. The read removes it.
    ReturnExpiredIfNotCleanedUp,
}

/// How long state lives, and when it is removed (Flink: `StateTtlConfig`).
///
/// Time is processing time. A value expires when its last access is as long ago as the time to live; elements of
/// lists and entries of maps do so each on its own. Reading what has expired removes it. What is never read is removed
/// in the background, by default a few entries at each access of the state.
///
/// None of this is part of a snapshot: it may be changed between a snapshot and its restore, and time to live may be
/// added or given up. What was written without it counts as accessed when it is restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateTtlConfig {
    pub(super) time_to_live: Duration,
    pub(super) update_type: UpdateType,
    pub(super) visibility: StateVisibility,
    pub(super) cleanup_full_snapshot: bool,
    pub(super) incremental: Option<IncrementalCleanup>,
    pub(super) compaction_entries: Option<u64>,
    background: bool,
}

/// Clean-up of a few entries at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct IncrementalCleanup {
    /// How many entries are looked at.
    pub(crate) entries: u32,
    /// Whether that is done for each record too, not only for each access.
    pub(crate) per_record: bool,
}

impl StateTtlConfig {
    /// State that expires `time_to_live` after its last access; at least a millisecond, of which fractions are cut
    /// off. What counts as an access and all else is as the other methods describe as default.
    pub const fn new(time_to_live: Duration) -> Self {
        Self {
            time_to_live,
            update_type: UpdateType::OnCreateAndWrite,
            visibility: StateVisibility::NeverReturnExpired,
            cleanup_full_snapshot: false,
            incremental: None,
            compaction_entries: None,
            background: true,
        }
    }

    /// Sets what counts as an access; [`UpdateType::OnCreateAndWrite`] by default.
    #[must_use]
    pub const fn update_type(mut self, update_type: UpdateType) -> Self {
        self.update_type = update_type;
        self
    }

    /// Sets whether what has expired can still be read; [`StateVisibility::NeverReturnExpired`] by default.
    #[must_use]
    pub const fn state_visibility(mut self, visibility: StateVisibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// Leaves what has expired out of snapshots; the state itself is not changed. Off by default.
    #[must_use]
    pub const fn cleanup_full_snapshot(mut self) -> Self {
        self.cleanup_full_snapshot = true;
        self
    }

    /// Looks at the next `entries` entries of the state at each access, and if `per_record` also for each record of
    /// the operator, and removes what has expired. For the hashmap backend; 5 entries at each access by default. The
    /// clean-up comes before the access.
    #[must_use]
    pub const fn cleanup_incrementally(mut self, entries: u32, per_record: bool) -> Self {
        self.incremental = Some(IncrementalCleanup { entries, per_record });
        self
    }

    /// Removes what has expired while the files of the RocksDB backend are compacted, asking for the time once in so
    /// many entries; 1000 by default.
    #[must_use]
    pub const fn cleanup_in_rocksdb_compact_filter(mut self, entries: u64) -> Self {
        self.compaction_entries = Some(entries);
        self
    }

    /// Does without the defaults of [`cleanup_incrementally`](Self::cleanup_incrementally) and
    /// [`cleanup_in_rocksdb_compact_filter`](Self::cleanup_in_rocksdb_compact_filter), but not without what was set by
    /// calling them.
    #[must_use]
    pub const fn disable_cleanup_in_background(mut self) -> Self {
        self.background = false;
        self
    }

    /// The clean-up of the hashmap backend, if any.
    pub(super) fn incremental_cleanup(&self) -> Option<IncrementalCleanup> {
        let default = IncrementalCleanup { entries: DEFAULT_CLEANUP_ENTRIES, per_record: false };
        self.incremental.or_else(|| self.background.then_some(default))
    }

    /// After how many entries the compaction of a backend on disk asks for the time; `None` if it removes nothing.
    pub fn compaction_filter_entries(&self) -> Option<u64> {
        self.compaction_entries.or_else(|| self.background.then_some(DEFAULT_COMPACTION_ENTRIES))
    }
}
