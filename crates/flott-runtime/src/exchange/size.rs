//! How many bytes the records of a batch hold, well enough to bound queues.

use flott_core::{Batch, Data, encoding};

/// How many records of a batch are measured.
const SAMPLES: usize = 8;

/// The size of a batch in bytes: exact for records without heap data, else estimated from the encoded length of
/// a few records.
pub(crate) fn batch_bytes<T: Data>(batch: &Batch<T>) -> usize {
    let count = batch.len();
    let fixed = count * size_of::<T>() + size_of_val(&*batch.timestamps) + size_of_val(&*batch.hashes);
    if !std::mem::needs_drop::<T>() || count == 0 {
        return fixed;
    }
    let step = count.div_ceil(SAMPLES);
    let (mut bytes, mut measured) = (0, 0);
    for record in batch.records.iter().step_by(step) {
        // A record that can't be encoded is reported where it is encoded, not where it is counted.
        bytes += encoding::encoded_len(record).unwrap_or(0);
        measured += 1;
    }
    fixed + bytes * count / measured
}
