//! Through which a reader emits records.

use flott_core::batch::{BATCH_BYTES, BATCH_RECORDS};
use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::{Batch, Data};

use crate::operator::{OutputTag, SideOutputs};

/// A run of records of one split inside the batch that a poll builds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) split: usize,
    pub(crate) start: usize,
}

/// Where the reader has emitted to: the batch, and which of its records belong to which split.
#[derive(Debug)]
pub(crate) struct PollBuffer<T> {
    pub(crate) batch: Batch<T>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) splits: Vec<String>,
    pub(crate) finished: Vec<String>,
    pub(crate) bytes: usize,
    /// How many records a poll emits at most.
    pub(crate) most: usize,
}

impl<T> PollBuffer<T> {
    pub(crate) fn new() -> Self {
        Self {
            batch: Batch::new(),
            segments: Vec::new(),
            splits: Vec::new(),
            finished: Vec::new(),
            bytes: 0,
            most: BATCH_RECORDS,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.batch.clear();
        self.segments.clear();
        self.bytes = 0;
    }

    /// Drops the name of a finished split. Only between [`PollBuffer::clear`] and the next poll, as segments refer
    /// to names by position.
    pub(crate) fn forget(&mut self, split_id: &str) {
        self.splits.retain(|split| split != split_id);
    }
}

/// Through which a [`super::SourceReader`] emits, one poll long.
///
/// Watermarks are kept for each split, so a reader of several splits says with [`SourceOutput::set_split`] which
/// one the following records are from.
pub struct SourceOutput<'a, T> {
    pub(crate) buffer: &'a mut PollBuffer<T>,
    pub(crate) side: &'a mut SideOutputs,
}

impl<T> SourceOutput<'_, T> {
    /// The records that follow are from this split.
    pub fn set_split(&mut self, split_id: &str) {
        let known = self.buffer.splits.iter().position(|known| known == split_id);
        let split = known.unwrap_or_else(|| {
            self.buffer.splits.push(split_id.to_owned());
            self.buffer.splits.len() - 1
        });
        let start = self.buffer.batch.len();
        self.buffer.segments.push(Segment { split, start });
    }

    /// There will be no further records of this split, so that it no longer holds the watermark back.
    pub fn finish_split(&mut self, split_id: &str) {
        self.buffer.finished.push(split_id.to_owned());
    }

    /// Emits a record; its timestamp is what the stream's timestamp assigner makes of it, or none.
    #[inline]
    pub fn collect(&mut self, record: T) {
        self.buffer.batch.push(record, NO_TIMESTAMP);
    }

    /// Emits a record with the timestamp that the external system gave it. An assigner sees it and may replace it.
    #[inline]
    pub fn collect_with_timestamp(&mut self, record: T, timestamp: Timestamp) {
        self.buffer.batch.push(record, timestamp);
    }

    /// Emits many records without timestamps, faster than one by one.
    #[inline]
    pub fn extend(&mut self, records: impl Iterator<Item = T>) {
        let batch = &mut self.buffer.batch;
        batch.records.extend(records);
        if batch.has_timestamps() {
            batch.timestamps.resize(batch.records.len(), NO_TIMESTAMP);
        }
    }

    /// Counts bytes that the records of this poll hold beyond their own size, so that batches of large records
    /// stay small.
    pub fn add_bytes(&mut self, bytes: usize) {
        self.buffer.bytes += bytes;
    }

    /// Emits to a side output. Nothing happens if the program reads no such side output.
    pub fn side<X: Data>(&mut self, tag: &OutputTag<X>, record: X, timestamp: Timestamp) {
        self.side.emit(tag, record, timestamp);
    }

    /// Whether anybody reads this side output.
    pub fn has_side<X: Data>(&self, tag: &OutputTag<X>) -> bool {
        self.side.is_connected(tag.id())
    }

    /// How many records this poll should still emit at most.
    pub fn remaining(&self) -> usize {
        if self.buffer.bytes >= BATCH_BYTES {
            0
        } else {
            self.buffer.most.saturating_sub(self.buffer.batch.len())
        }
    }

    /// Whether the batch is full and the poll should return.
    pub fn is_full(&self) -> bool {
        self.remaining() == 0
    }
}
