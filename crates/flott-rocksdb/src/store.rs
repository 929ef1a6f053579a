//! The bytes of one operator subtask: a RocksDB instance with a column family for each state.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use flott_core::key_group::KeyGroupRange;
use flott_state::{
    StateError, StateErrorKind,
    disk::{
        ByteScan, ByteStore, ByteStrings, Column, Expiry, LocalFiles, TakeValue, Writes,
        files::{Inherited, TemporaryDirectory},
    },
};
use rocksdb::{BoundColumnFamily, DBWithThreadMode, MultiThreaded, ReadOptions, WriteBatch, WriteOptions};

use crate::{
    EmbeddedRocksDbStateBackend, columns::Columns, error::failed, files::local_files, memory::Share,
    options::RocksDbOptions, scan::Scan,
};

pub(crate) type Db = DBWithThreadMode<MultiThreaded>;

/// An open database. It is closed before its directory is deleted, for fields are dropped in their order.
pub(crate) struct Instance {
    pub(crate) db: Db,
    pub(crate) share: Share,
    pub(crate) directory: TemporaryDirectory,
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
    pub(crate) instance: Arc<Instance>,
    columns: Mutex<Columns>,
    pub(crate) options: RocksDbOptions,
    key_groups: KeyGroupRange,
    /// What it was opened from.
    inherited: Option<Arc<Inherited>>,
    reads: ReadOptions,
    writes: WriteOptions,
}

impl RocksDbStore {
    /// Makes an empty database in a directory.
    pub(crate) fn open(
        directory: TemporaryDirectory,
        options: RocksDbOptions,
        share: Share,
        key_groups: KeyGroupRange,
    ) -> Result<Self, StateError> {
        let of_database = options.of_database(&share.0);
        let db = Db::open(&of_database, directory.path())
            .map_err(|error| failed("open a database", directory.path(), &error))?;
        let instance = Instance { db, share, directory };
        Ok(Self::of(instance, Columns::default(), options, key_groups, None))
    }

    /// The store of a database that is open.
    pub(crate) fn of(
        instance: Instance,
        columns: Columns,
        options: RocksDbOptions,
        key_groups: KeyGroupRange,
        inherited: Option<Arc<Inherited>>,
    ) -> Self {
        let mut writes = WriteOptions::default();
        // State is as durable as the checkpoints; what is not in one is read again from the sources.
        writes.disable_wal(true);
        let (instance, columns, reads) = (Arc::new(instance), Mutex::new(columns), ReadOptions::default());
        Self { instance, columns, options, key_groups, inherited, reads, writes }
    }

    fn columns(&self) -> MutexGuard<'_, Columns> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, column: Column) -> Arc<str> {
        self.columns().name(column)
    }

    /// The column family of a state, which is made if there is none.
    pub(crate) fn name_for(&self, state: &str) -> Result<Arc<str>, StateError> {
        let found = self.columns().find(state);
        found.map_or_else(|| self.create_column(state, None), Ok).map(|column| self.name(column))
    }

    fn failed(&self, doing: &str, error: &rocksdb::Error) -> StateError {
        failed(doing, self.instance.path(), error)
    }
}

impl ByteStore for RocksDbStore {
    fn find_column(&self, state: &str, expiry: Option<&Expiry>) -> Option<Column> {
        let columns = self.columns();
        let column = columns.find(state)?;
        if let Some((key, value)) = expiry.and_then(|expiry| columns.set_expiry(column, expiry)) {
            let name = columns.name(column);
            let family = self.instance.db.cf_handle(&name)?;
            // Without it what has expired goes later, at the next compaction that there is another reason for.
            let _ = self.instance.db.set_options_cf(&family, &[(key, value.as_str())]);
        }
        Some(column)
    }

    fn create_column(&self, state: &str, expiry: Option<Expiry>) -> Result<Column, StateError> {
        let mut columns = self.columns();
        let of_column = self.options.of_column(&self.instance.share.0);
        let (column, options) = columns.plan(state, expiry, of_column);
        let created = self.instance.db.create_cf(column.name(), &options);
        created
            .map_err(|error| self.failed(&format!("create a column family for state '{state}'"), &error))?;
        Ok(columns.add(column))
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

    fn has_files(&self) -> bool {
        true
    }

    fn files(&self) -> Result<LocalFiles, StateError> {
        local_files(&self.instance, self.key_groups, self.inherited.clone())
    }

    fn backend(&self) -> String {
        EmbeddedRocksDbStateBackend::NAME.to_owned()
    }

    fn cache_bytes(&self) -> usize {
        self.instance.share.0.value_cache_bytes()
    }
}

#[cfg(test)]
mod tests;
