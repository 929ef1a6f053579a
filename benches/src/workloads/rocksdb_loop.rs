//! The loop that one would write over RocksDB: get, decode, add, encode, put.

use anyhow::Result;
use rocksdb::{DB, WriteOptions};

use crate::Options;
use crate::event::{Event, checksum};

/// A running sum per key, with the options and the memory that flott's backend has.
pub(super) fn running_sums(options: &Options, records: u64, mask: i64) -> Result<u64> {
    let directory = tempfile::tempdir()?;
    let database = flott_rocksdb::plain_options((options.memory_mib << 20) as usize)?;
    let db = DB::open(&database, directory.path())?;
    let mut writes = WriteOptions::default();
    writes.disable_wal(true);
    let mut total = 0_u64;
    for index in 0..records {
        let event = Event::at(index, options.keys);
        let key = event.key.to_be_bytes();
        let stored = db.get_pinned(key)?;
        let sum = stored.and_then(|bytes| bytes.as_ref().try_into().ok()).map_or(0, i64::from_le_bytes);
        let sum = sum.wrapping_add(event.value);
        db.put_opt(key, sum.to_le_bytes(), &writes)?;
        total = total.wrapping_add(checksum(event.key, sum & mask));
    }
    Ok(total)
}
