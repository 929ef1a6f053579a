//! The memory of all RocksDB instances of a process: one block cache and one limit of write buffers, and what is left for
//! decoded values.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicUsize, Ordering},
};

use rocksdb::{Cache, WriteBufferManager};

/// How much memory there is and how it is divided.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct MemorySettings {
    /// What all state of the process on RocksDB may take.
    pub(crate) total_bytes: usize,
    /// The part of it that caches decoded values; RocksDB gets the rest.
    pub(crate) value_cache_ratio: f64,
    /// The part of RocksDB's that holds what was written lately.
    pub(crate) write_buffer_ratio: f64,
}

/// The memory that instances with the same settings share.
pub(crate) struct SharedMemory {
    settings: MemorySettings,
    pub(crate) block_cache: Cache,
    pub(crate) write_buffers: WriteBufferManager,
    instances: AtomicUsize,
}

/// What is in use in this process.
static IN_USE: Mutex<Vec<Weak<SharedMemory>>> = Mutex::new(Vec::new());

impl SharedMemory {
    /// The memory with these settings: that of the process if it is in use already.
    pub(crate) fn with(settings: MemorySettings) -> Arc<Self> {
        let mut in_use = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        in_use.retain(|memory| memory.strong_count() > 0);
        let same = in_use.iter().filter_map(Weak::upgrade).find(|memory| memory.settings == settings);
        same.unwrap_or_else(|| {
            let memory = Arc::new(Self::new(settings));
            in_use.push(Arc::downgrade(&memory));
            memory
        })
    }

    fn new(settings: MemorySettings) -> Self {
        let MemorySettings { total_bytes, value_cache_ratio, write_buffer_ratio } = settings;
        let for_rocksdb = total_bytes as f64 * (1.0 - value_cache_ratio);
        // RocksDB lets write buffers grow to half as much again before it stops them, and counts them in the block cache. With these two
        // sizes all together keep within what there is (Flink: RocksDBMemoryControllerUtils).
        let write_buffer_bytes = for_rocksdb * write_buffer_ratio * 2.0 / 3.0;
        let block_cache_bytes = for_rocksdb * (3.0 - write_buffer_ratio) / 3.0;
        let block_cache = Cache::new_lru_cache(block_cache_bytes as usize);
        let write_buffers = WriteBufferManager::new_write_buffer_manager_with_cache(
            write_buffer_bytes as usize,
            false,
            block_cache.clone(),
        );
        Self { settings, block_cache, write_buffers, instances: AtomicUsize::new(0) }
    }

    /// How many bytes of decoded values each instance may cache.
    pub(crate) fn value_cache_bytes(&self) -> usize {
        let all = self.settings.total_bytes as f64 * self.settings.value_cache_ratio;
        all as usize / self.instances.load(Ordering::Relaxed).max(1)
    }
}

/// One instance's share of the memory, until this is dropped.
pub(crate) struct Share(pub(crate) Arc<SharedMemory>);

impl Share {
    pub(crate) fn of(memory: Arc<SharedMemory>) -> Self {
        memory.instances.fetch_add(1, Ordering::Relaxed);
        Self(memory)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.instances.fetch_sub(1, Ordering::Relaxed);
    }
}
