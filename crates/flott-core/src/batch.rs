//! The unit of flow: up to about a thousand records that travel together.

use crate::time::{NO_TIMESTAMP, Timestamp};

/// Most records in a batch that the engine builds.
pub const BATCH_RECORDS: usize = 1024;

/// Most bytes of records in a batch that the engine builds; a single record may be larger.
pub const BATCH_BYTES: usize = 32 * 1024;

/// Records with their event timestamps and, on a keyed edge, the routing hash of their keys, in parallel arrays.
///
/// `timestamps` is either empty (no record has one) or as long as `records`, where a record without a timestamp
/// among others holds [`NO_TIMESTAMP`]. `hashes` is empty or as long as `records`: a keyed exchange fills it with
/// [`crate::hash::key_hash`] of each key, and the state tables behind reuse it, so that a key is hashed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<T> {
    /// The values, in order.
    pub records: Vec<T>,
    /// Event timestamps in milliseconds since the epoch; empty when the stream has none.
    pub timestamps: Vec<Timestamp>,
    /// Routing hashes of the keys; empty outside keyed exchanges.
    pub hashes: Vec<u64>,
}

impl<T> Default for Batch<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Batch<T> {
    /// An empty batch that has allocated nothing yet.
    pub const fn new() -> Self {
        Self { records: Vec::new(), timestamps: Vec::new(), hashes: Vec::new() }
    }

    /// A batch of these records without timestamps.
    pub const fn of(records: Vec<T>) -> Self {
        Self { records, timestamps: Vec::new(), hashes: Vec::new() }
    }

    /// The number of records.
    pub const fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no records.
    pub const fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether the batch carries timestamps.
    pub const fn has_timestamps(&self) -> bool {
        !self.timestamps.is_empty()
    }

    /// The timestamp of record `index`, [`NO_TIMESTAMP`] where it has none.
    #[inline]
    pub fn timestamp(&self, index: usize) -> Timestamp {
        self.timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP)
    }

    /// Appends a record. The first record with a timestamp gives every earlier one [`NO_TIMESTAMP`].
    #[inline]
    pub fn push(&mut self, record: T, timestamp: Timestamp) {
        if timestamp != NO_TIMESTAMP || self.has_timestamps() {
            self.push_timestamp(timestamp);
        }
        self.records.push(record);
    }

    #[inline]
    fn push_timestamp(&mut self, timestamp: Timestamp) {
        if self.timestamps.len() != self.records.len() {
            self.timestamps.resize(self.records.len(), NO_TIMESTAMP);
        }
        self.timestamps.push(timestamp);
    }

    /// Moves all records of `other` behind those of this batch and leaves `other` empty. Routing hashes are kept
    /// where both sides have them, and dropped otherwise.
    pub fn append(&mut self, other: &mut Self) {
        if self.is_empty() {
            self.clear();
            std::mem::swap(self, other);
            return;
        }
        if other.is_empty() {
            other.clear();
            return;
        }
        if self.has_timestamps() || other.has_timestamps() {
            self.timestamps.resize(self.records.len(), NO_TIMESTAMP);
            other.timestamps.resize(other.records.len(), NO_TIMESTAMP);
            self.timestamps.append(&mut other.timestamps);
        }
        if self.hashes.len() == self.records.len() && other.hashes.len() == other.records.len() {
            self.hashes.append(&mut other.hashes);
        } else {
            self.hashes.clear();
            other.hashes.clear();
        }
        self.records.append(&mut other.records);
    }

    /// Cuts the batch in two: it keeps the first `at` records, the others are returned.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Self {
        let timestamps = if self.has_timestamps() { self.timestamps.split_off(at) } else { Vec::new() };
        let hashes = if self.hashes.is_empty() { Vec::new() } else { self.hashes.split_off(at) };
        Self { records: self.records.split_off(at), timestamps, hashes }
    }

    /// Removes all records and keeps the allocations.
    pub fn clear(&mut self) {
        self.records.clear();
        self.timestamps.clear();
        self.hashes.clear();
    }
}

#[cfg(test)]
mod tests;
