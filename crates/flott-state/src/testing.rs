//! For tests: a state backend that treats state as one on disk does, and keeps it in memory.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{
    backend::{BackendScope, KeyedStorage, StateBackend},
    disk::{ByteScan, ByteStore, ByteStrings, Column, Expiry, StoredEntry, TakeValue, Writes},
    error::{StateError, StateErrorKind},
};

/// Keeps the bytes of state in sorted maps: what a backend on disk does, without the disk. Each subtask caches so little that a test with a
/// few dozen keys makes it write back, evict and fetch again.
#[derive(Clone, Debug)]
pub struct SortedMapStateBackend {
    cache_bytes: usize,
    counts: Arc<Counts>,
}

/// How often the stores of a [`SortedMapStateBackend`] were asked.
#[derive(Debug, Default)]
struct Counts {
    lookups: AtomicU64,
    /// Fails all that is written from so many batches on.
    writes_left: AtomicU64,
}

impl Default for SortedMapStateBackend {
    fn default() -> Self {
        Self::with_cache_bytes(4 * 1024)
    }
}

impl SortedMapStateBackend {
    /// What a job's configuration calls this backend.
    pub const NAME: &'static str = "sorted-map";

    /// A backend whose subtasks cache so many bytes each.
    pub fn with_cache_bytes(cache_bytes: usize) -> Self {
        let counts = Counts { lookups: AtomicU64::new(0), writes_left: AtomicU64::new(u64::MAX) };
        Self { cache_bytes, counts: Arc::new(counts) }
    }

    /// How many look-ups of one or more keys there have been.
    pub fn lookups(&self) -> u64 {
        self.counts.lookups.load(Ordering::Relaxed)
    }

    /// Lets all batches of writes fail after this many.
    pub fn fail_writes_after(&self, batches: u64) {
        self.counts.writes_left.store(batches, Ordering::Relaxed);
    }
}

impl StateBackend for SortedMapStateBackend {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn is_on_disk(&self) -> bool {
        true
    }

    fn open(&self, _scope: &BackendScope) -> Result<KeyedStorage, StateError> {
        let Self { cache_bytes, counts } = self.clone();
        Ok(KeyedStorage::Disk(Arc::new(SortedMapStore { columns: Mutex::default(), cache_bytes, counts })))
    }
}

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

struct SortedMapStore {
    columns: Mutex<Vec<(Map, Option<Expiry>)>>,
    cache_bytes: usize,
    counts: Arc<Counts>,
}

impl SortedMapStore {
    fn columns(&self) -> MutexGuard<'_, Vec<(Map, Option<Expiry>)>> {
        self.columns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ByteStore for SortedMapStore {
    fn create_column(&self, _state: &str, expiry: Option<Expiry>) -> Result<Column, StateError> {
        let mut columns = self.columns();
        columns.push((Map::new(), expiry));
        Ok(Column(columns.len() as u32 - 1))
    }

    fn get(&self, column: Column, keys: &ByteStrings, take: &mut TakeValue<'_>) -> Result<(), StateError> {
        self.counts.lookups.fetch_add(1, Ordering::Relaxed);
        assert!(keys.iter().is_sorted_by(|a, b| a < b), "keys come sorted, and each once");
        let columns = self.columns();
        for (number, key) in keys.iter().enumerate() {
            if let Some(value) = columns[column.0 as usize].0.get(key) {
                take(number, value)?;
            }
        }
        Ok(())
    }

    fn write(&self, column: Column, writes: &Writes) -> Result<(), StateError> {
        let left = &self.counts.writes_left;
        let one_less = |left: u64| if left == u64::MAX { Some(left) } else { left.checked_sub(1) };
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err() {
            let (doing, place) = ("write".to_owned(), "memory".to_owned());
            return Err(StateErrorKind::Store { doing, place, reason: "the test says so".to_owned() }.into());
        }
        assert!(writes.iter().is_sorted_by(|(a, _), (b, _)| a < b), "writes come sorted, and no key twice");
        let (map, expiry) = &mut self.columns()[column.0 as usize];
        // As if everything were compacted all the time.
        if let Some(has_expired) = expiry {
            map.retain(|_, value| !has_expired(value));
        }
        for (key, value) in writes.iter() {
            match value {
                Some(value) => map.insert(key.to_vec(), value.to_vec()),
                None => map.remove(key),
            };
        }
        Ok(())
    }

    fn scan(&self, column: Column, prefix: &[u8]) -> Result<Box<dyn ByteScan>, StateError> {
        let columns = self.columns();
        let found = columns[column.0 as usize].0.range(prefix.to_vec()..);
        let found = found.take_while(|(key, _)| key.starts_with(prefix));
        let entries: Vec<_> = found.map(|(key, value)| (key.clone(), value.clone())).collect();
        Ok(Box::new(Entries { entries, next: 0 }))
    }

    fn backend(&self) -> String {
        SortedMapStateBackend::NAME.to_owned()
    }

    fn cache_bytes(&self) -> usize {
        self.cache_bytes
    }
}

struct Entries {
    entries: Vec<(Vec<u8>, Vec<u8>)>,
    next: usize,
}

impl ByteScan for Entries {
    fn next(&mut self) -> Result<Option<StoredEntry<'_>>, StateError> {
        let entry = self.entries.get(self.next);
        self.next += 1;
        Ok(entry.map(|(key, value)| (key.as_slice(), value.as_slice())))
    }
}
