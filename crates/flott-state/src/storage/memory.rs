//! Blobs in the memory of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::blob::{BlobInfo, BlobStore, BlobWriter, check_directory, check_path, join, not_found, place};
use super::error::StorageError;

#[cfg(test)]
mod tests;

/// Keeps blobs in memory, for as long as the store is used. Clones share the blobs.
#[derive(Clone)]
pub struct MemoryBlobStore {
    url: String,
    /// Where this store begins in the blobs.
    root: String,
    blobs: Blobs,
}

type BlobMap = Mutex<BTreeMap<String, Arc<[u8]>>>;
type Blobs = Arc<BlobMap>;

/// The named stores that are in use.
static NAMED: Mutex<BTreeMap<String, Weak<BlobMap>>> = Mutex::new(BTreeMap::new());

impl MemoryBlobStore {
    /// An empty store of its own, whose URL is `memory:`.
    pub fn new() -> Self {
        Self { url: "memory:".to_owned(), root: String::new(), blobs: Blobs::default() }
    }

    /// The store of `memory://NAME/ROOT`: whoever opens the same name in the process sees the same blobs, as long as one of
    /// them is in use.
    pub fn named(name: &str, root: &str) -> Self {
        let mut named = lock(&NAMED);
        named.retain(|_, blobs| blobs.strong_count() > 0);
        let blobs = named.get(name).and_then(Weak::upgrade).unwrap_or_else(|| {
            let blobs = Blobs::default();
            named.insert(name.to_owned(), Arc::downgrade(&blobs));
            blobs
        });
        Self { url: join(&format!("memory://{name}"), root), root: root.to_owned(), blobs }
    }

    fn below(&self, directory: &str) -> String {
        match join(&self.root, directory) {
            path if path.is_empty() => path,
            path => path + "/",
        }
    }

    fn blob(&self, path: &str) -> Result<Arc<[u8]>, StorageError> {
        check_path(path)?;
        let blob = lock(&self.blobs).get(&join(&self.root, path)).cloned();
        blob.ok_or_else(|| not_found(self, path))
    }
}

impl Default for MemoryBlobStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryBlobStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBlobStore").field("url", &self.url).finish_non_exhaustive()
    }
}

impl BlobStore for MemoryBlobStore {
    fn url(&self) -> &str {
        &self.url
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        check_path(path)?;
        let mut blobs = lock(&self.blobs);
        match blobs.entry(join(&self.root, path)) {
            std::collections::btree_map::Entry::Occupied(_) => {
                Err(StorageError::AlreadyExists { place: place(self, path) })
            }
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(bytes.into());
                Ok(())
            }
        }
    }

    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError> {
        check_path(path)?;
        let path = join(&self.root, path);
        Ok(Box::new(MemoryWriter { path, bytes: Vec::new(), blobs: Arc::clone(&self.blobs) }))
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        self.blob(path).map(|blob| blob.to_vec())
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        let blob = self.blob(path)?;
        let bytes = blob.get(range.start as usize..range.end as usize);
        bytes.map(<[u8]>::to_vec).ok_or_else(|| StorageError::Io {
            action: "read",
            place: place(self, path),
            reason: format!("it has {} bytes, not {}", blob.len(), range.end),
        })
    }

    fn size(&self, path: &str) -> Result<u64, StorageError> {
        self.blob(path).map(|blob| blob.len() as u64)
    }

    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError> {
        check_directory(directory)?;
        let (below, root) = (self.below(directory), self.below(""));
        let blobs = lock(&self.blobs);
        let found = blobs.range(below.clone()..).take_while(|(path, _)| path.starts_with(&below));
        Ok(found
            .map(|(path, blob)| BlobInfo { path: path[root.len()..].to_owned(), size: blob.len() as u64 })
            .collect())
    }

    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let skip = if directory.is_empty() { 0 } else { directory.len() + 1 };
        let names = self.list(directory)?.into_iter().filter_map(|blob| {
            let rest = blob.path.get(skip..)?;
            rest.split('/').next().map(str::to_owned)
        });
        Ok(names.collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn delete(&self, path: &str) -> Result<(), StorageError> {
        check_path(path)?;
        lock(&self.blobs).remove(&join(&self.root, path));
        Ok(())
    }
}

struct MemoryWriter {
    path: String,
    bytes: Vec<u8>,
    blobs: Blobs,
}

impl BlobWriter for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), StorageError> {
        lock(&self.blobs).insert(self.path, self.bytes.into());
        Ok(())
    }
}

/// The maps are whole even where a thread has panicked while it held one: every change is a single insertion or removal.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
