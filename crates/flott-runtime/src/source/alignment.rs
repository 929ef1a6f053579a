//! What the alignment with other sources asks of a reader.

use std::collections::BTreeSet;

use flott_core::time::{MAX_WATERMARK, Timestamp};
use flott_core::watermark::WatermarkAlignment;

/// The error of a source whose splits can't be paused one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a split is ahead of its watermark alignment group, and the source can't pause single splits: give each split a \
     subtask of its own, or set pipeline.watermark-alignment.allow-unaligned-source-splits"
)]
pub struct CannotPauseSplits;

/// When to report, whether to wait, and which splits to pause.
#[derive(Debug)]
pub(super) struct ReaderAlignment {
    interval_ns: u64,
    next_report_ns: u64,
    /// The greatest watermark with which the reader may go on.
    limit: Timestamp,
    /// Splits that the reader was told to pause.
    paused: BTreeSet<String>,
    /// Whether the reader can pause single splits, as far as is known.
    per_split: bool,
}

/// Which splits must change.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SplitChanges {
    pub(super) pause: Vec<String>,
    pub(super) resume: Vec<String>,
}

impl ReaderAlignment {
    /// Of a reader that may go on until it hears otherwise.
    pub(super) fn new(alignment: &WatermarkAlignment) -> Self {
        Self {
            interval_ns: u64::try_from(alignment.update_interval().as_nanos()).unwrap_or(u64::MAX),
            next_report_ns: 0,
            limit: MAX_WATERMARK,
            paused: BTreeSet::new(),
            per_split: true,
        }
    }

    /// Whether a report is due; then the next is due an interval later.
    pub(super) fn take_due_report(&mut self, now_ns: u64) -> bool {
        let is_due = now_ns >= self.next_report_ns;
        if is_due {
            self.next_report_ns = now_ns.saturating_add(self.interval_ns);
        }
        is_due
    }

    /// When the next report is due.
    pub(super) const fn next_report_ns(&self) -> u64 {
        self.next_report_ns
    }

    /// The group has come so far.
    pub(super) const fn set_limit(&mut self, limit: Timestamp) {
        self.limit = limit;
    }

    /// Whether a reader at this watermark is too far ahead.
    pub(super) const fn is_ahead(&self, watermark: Timestamp) -> bool {
        watermark > self.limit
    }

    /// Whether the reader was told to pause this split.
    pub(super) fn is_paused(&self, split: &str) -> bool {
        self.paused.contains(split)
    }

    /// Which splits must be paused or resumed, by their watermarks. One that is the only `assigned` is not paused, as the
    /// whole reader waits then.
    pub(super) fn split_changes<'a>(
        &self,
        assigned: usize,
        splits: impl Iterator<Item = (&'a str, Timestamp)>,
    ) -> SplitChanges {
        let mut changes = SplitChanges::default();
        if !self.per_split || (assigned <= 1 && self.paused.is_empty()) {
            return changes;
        }
        for (split, watermark) in splits {
            let (is_ahead, is_paused) = (self.is_ahead(watermark), self.is_paused(split));
            if is_ahead && !is_paused {
                changes.pause.push(split.to_owned());
            } else if !is_ahead && is_paused {
                changes.resume.push(split.to_owned());
            }
        }
        changes
    }

    /// The reader has done so.
    pub(super) fn note(&mut self, changes: SplitChanges) {
        self.paused.extend(changes.pause);
        self.paused.retain(|split| !changes.resume.contains(split));
    }

    /// The reader can't pause single splits, and need not.
    pub(super) const fn give_up_splits(&mut self) {
        self.per_split = false;
    }

    /// A split has ended.
    pub(super) fn forget(&mut self, split: &str) {
        self.paused.remove(split);
    }
}
