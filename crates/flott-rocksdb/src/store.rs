//! The bytes of one operator subtask: a RocksDB instance with a column family for each state.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use flott_state::{
    StateError, StateErrorKind,
    disk::{ByteScan, ByteStore, ByteStrings, Column, Expiry, TakeValue, Writes},
};
use rocksdb::{BoundColumnFamily, DBWithThreadMode, MultiThreaded, ReadOptions, WriteBatch, WriteOptions};

use crate::{
    compaction::ExpiryFilters, directory::LocalDirectory, error::failed, memory::Share,
    options::RocksDbOptions, scan::Scan,
};

/// Files with state that expires are compacted when they are so old, whether there is another reason or not: 30 days, as in Flink.
const PERIODIC_COMPACTION_SECONDS: u64 = 30 * 24 * 3600;

pub(crate) type Db = DBWithThreadMode<MultiThreaded>;

/// An open database. It is closed before its directory is deleted, for fields are dropped in their order.
pub(crate) struct Instance {
    pub(crate) db: Db,
    pub(crate) share: Share,
    pub(crate) directory: LocalDirectory,
}

impl Instance {
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn column(&self, name: &str) -> Result<Arc<BoundColumnFamily<'_>>, StateError> {
        self.db.cf_handle(name).ok_or_else(|| {
            StateErrorKind::Store {
                doing: format!("find column family '{name}'"),
                place: self.path().display().to_string(),
                reason: "it was never created".to_owned(),
            }
            .into()
        })
    }
}

/// What flott-state sees of an instance.
pub(crate) struct RocksDbStore {
    instance: Arc<Instance>,
    /// The names of the column families.
    columns: Mutex<Vec<Arc<str>>>,
    options: RocksDbOptions,
    reads: ReadOptions,
    writes: WriteOptions,
}

impl RocksDbStore {
    /// Makes an empty database in a directory.
    pub(crate) fn open(
        directory: LocalDirectory,
        options: RocksDbOptions,
        share: Share,
    ) -> Result<Self, StateError> {
        let of_database = options.of_database(&share.0);
        let db = Db::open(&of_database, directory.path())
            .map_err(|error| failed("open a database", directory.path(), &error))?;
        let mut writes = WriteOptions::default();
        // State is as durable as the checkpoints; what is not in one is read again from the sources.
        writes.disable_wal(true);
        let instance = Arc::new(Instance { db, share, directory });
        let reads = ReadOptions::default();
        Ok(Self { instance, columns: Mutex::default(), options, reads, writes })
    }

    fn name(&self, column: Column) -> Arc<str> {
        let columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        columns.get(column.0 as usize).map_or_else(|| "".into(), Arc::clone)
    }

    fn failed(&self, doing: &str, error: &rocksdb::Error) -> StateError {
        failed(doing, self.instance.path(), error)
    }
}

impl ByteStore for RocksDbStore {
    fn create_column(&self, state: &str, expiry: Option<Expiry>) -> Result<Column, StateError> {
        let mut columns = self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        let number = columns.len() as u32;
        // RocksDB has one called 'default' already.
        let name = format!("{number}-{state}");
        let mut options = self.options.of_column(&self.instance.share.0);
        if let Some(has_expired) = expiry {
            options.set_compaction_filter_factory(ExpiryFilters(has_expired));
            options.set_periodic_compaction_seconds(PERIODIC_COMPACTION_SECONDS);
        }
        let created = self.instance.db.create_cf(&name, &options);
        created
            .map_err(|error| self.failed(&format!("create a column family for state '{state}'"), &error))?;
        columns.push(name.into());
        Ok(Column(number))
    }

    fn get(&self, column: Column, keys: &ByteStrings, take: &mut TakeValue<'_>) -> Result<(), StateError> {
        let name = self.name(column);
        let (db, column) = (&self.instance.db, self.instance.column(&name)?);
        let failed = |error: rocksdb::Error| self.failed("read", &error);
        if keys.len() == 1 {
            let value = db.get_pinned_cf_opt(&column, keys.get(0), &self.reads).map_err(failed)?;
            return value.map_or(Ok(()), |value| take(0, &value));
        }
        let values = db.batched_multi_get_cf_opt(&column, keys.iter(), true, &self.reads);
        for (number, value) in values.into_iter().enumerate() {
            if let Some(value) = value.map_err(failed)? {
                take(number, &value)?;
            }
        }
        Ok(())
    }

    fn write(&self, column: Column, writes: &Writes) -> Result<(), StateError> {
        let name = self.name(column);
        let column = self.instance.column(&name)?;
        let mut batch = WriteBatch::default();
        for (key, value) in writes.iter() {
            match value {
                Some(value) => batch.put_cf(&column, key, value),
                None => batch.delete_cf(&column, key),
            }
        }
        let written = self.instance.db.write_opt(batch, &self.writes);
        written.map_err(|error| self.failed("write", &error))
    }

    fn scan(&self, column: Column, prefix: &[u8]) -> Result<Box<dyn ByteScan>, StateError> {
        Ok(Box::new(Scan::new(&self.instance, &self.name(column), prefix)?))
    }

    fn cache_bytes(&self) -> usize {
        self.instance.share.0.value_cache_bytes()
    }
}

#[cfg(test)]
mod tests;
