//! The backend as jobs choose it.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use flott_core::config::{ConfigError, Configuration, keys};
use flott_state::{
    BackendScope, KeyedStorage, StateBackend, StateError, StateErrorKind,
    disk::{StoreImage, files::TemporaryDirectory},
};

use crate::{
    directory, files,
    memory::{MemorySettings, Share, SharedMemory},
    options::RocksDbOptions,
    store::RocksDbStore,
};

/// Keeps state in RocksDB, in a directory of this machine (Flink: `EmbeddedRocksDBStateBackend`).
///
/// A job chooses it by `state.backend.type: rocksdb`, and gets it with its settings. State is bounded by the disk. What it takes of
/// memory is bounded by `taskmanager.memory.managed.size` for all such state of the process together. Keys are the same if their encoded bytes
/// are. The directory of each operator subtask is deleted when it ends: state is safe in checkpoints, not here.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbeddedRocksDbStateBackend;

impl EmbeddedRocksDbStateBackend {
    /// What a job's configuration calls this backend.
    pub const NAME: &'static str = "rocksdb";
}

impl StateBackend for EmbeddedRocksDbStateBackend {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn is_on_disk(&self) -> bool {
        true
    }

    fn configured(
        &self,
        configuration: &Configuration,
    ) -> Result<Option<Arc<dyn StateBackend>>, ConfigError> {
        Ok(Some(Arc::new(Configured::of(configuration)?)))
    }

    fn open(&self, scope: &BackendScope) -> Result<KeyedStorage, StateError> {
        Configured::with_defaults()?.open(scope)
    }

    fn open_from(&self, scope: &BackendScope, images: &[StoreImage]) -> Result<KeyedStorage, StateError> {
        Configured::with_defaults()?.open_from(scope, images)
    }
}

/// The backend with the settings of a job.
struct Configured {
    local_directories: Vec<PathBuf>,
    memory: MemorySettings,
    options: RocksDbOptions,
    /// Once the first subtask opens, what all of the job share.
    in_use: OnceLock<Arc<SharedMemory>>,
}

impl Configured {
    fn with_defaults() -> Result<Self, StateError> {
        Self::of(&Configuration::new()).map_err(|error| {
            let (doing, place) = ("find its settings".to_owned(), "the defaults".to_owned());
            StateErrorKind::Store { doing, place, reason: error.to_string() }.into()
        })
    }

    /// A new directory for a subtask, and its share of the memory.
    fn prepare(&self, scope: &BackendScope) -> Result<(TemporaryDirectory, Share), StateError> {
        let memory = self.in_use.get_or_init(|| SharedMemory::with(self.memory));
        let base = &self.local_directories[scope.subtask as usize % self.local_directories.len()];
        Ok((directory::create(base, scope)?, Share::of(Arc::clone(memory))))
    }

    fn of(configuration: &Configuration) -> Result<Self, ConfigError> {
        let listed = configuration.get_optional(&keys::ROCKSDB_LOCAL_DIRECTORIES)?;
        let listed = listed.as_deref().unwrap_or_default().split([',', ';']).map(str::trim);
        let mut local_directories: Vec<_> =
            listed.filter(|directory| !directory.is_empty()).map(PathBuf::from).collect();
        if local_directories.is_empty() {
            local_directories.push(std::env::temp_dir());
        }
        // One value there is so far, and any other is an error.
        configuration.get(&keys::ROCKSDB_TIMER_SERVICE)?;
        Ok(Self {
            local_directories,
            memory: MemorySettings {
                total_bytes: configuration.get(&keys::MANAGED_MEMORY)?.bytes as usize,
                value_cache_ratio: configuration.get(&keys::ROCKSDB_VALUE_CACHE_RATIO)?,
                write_buffer_ratio: configuration.get(&keys::ROCKSDB_WRITE_BUFFER_RATIO)?,
            },
            options: RocksDbOptions::of(configuration)?,
            in_use: OnceLock::new(),
        })
    }
}

impl StateBackend for Configured {
    fn name(&self) -> &str {
        EmbeddedRocksDbStateBackend::NAME
    }

    fn is_on_disk(&self) -> bool {
        true
    }

    fn open(&self, scope: &BackendScope) -> Result<KeyedStorage, StateError> {
        let (directory, share) = self.prepare(scope)?;
        let store = RocksDbStore::open(directory, self.options.clone(), share, scope.key_groups)?;
        Ok(KeyedStorage::Disk(Arc::new(store)))
    }

    fn open_from(&self, scope: &BackendScope, images: &[StoreImage]) -> Result<KeyedStorage, StateError> {
        let (directory, share) = self.prepare(scope)?;
        let store = files::open_from(directory, self.options.clone(), share, scope, images)?;
        Ok(KeyedStorage::Disk(Arc::new(store)))
    }
}

/// The options of a database of one column family with so much memory, none of it for decoded values: for comparing with what a program would do
/// itself.
///
/// # Errors
/// Never with the defaults that there are.
pub fn plain_options(total_bytes: usize) -> Result<rocksdb::Options, ConfigError> {
    let settings = MemorySettings { total_bytes, value_cache_ratio: 0.0, write_buffer_ratio: 0.5 };
    let options = RocksDbOptions::of(&Configuration::new())?;
    Ok(options.of_database(&SharedMemory::with(settings)))
}
