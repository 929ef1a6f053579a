//! Storage in memory to which metadata takes long to be written.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use flott_state::storage::{BlobInfo, BlobStore, BlobWriter, MemoryBlobStore, StorageError, url};

use super::{memory, pause};

#[derive(Debug)]
struct Slow(MemoryBlobStore);

/// The URL of such storage; what is in it is found in memory of the same name, as long as the test lasts.
pub(crate) fn slow_metadata(name: &str) -> String {
    memory(name);
    url::register("slow", |name| Ok(Arc::new(Slow(MemoryBlobStore::named(name, "")))));
    format!("slow://{name}")
}

impl BlobStore for Slow {
    fn url(&self) -> &str {
        self.0.url()
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.0.create(path, bytes)?;
        // It is there before anybody knows.
        pause(Duration::from_millis(70));
        Ok(())
    }

    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError> {
        self.0.writer(path)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        self.0.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        self.0.get_range(path, range)
    }

    fn size(&self, path: &str) -> Result<u64, StorageError> {
        self.0.size(path)
    }

    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError> {
        self.0.list(directory)
    }

    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        self.0.children(directory)
    }

    fn delete(&self, path: &str) -> Result<(), StorageError> {
        self.0.delete(path)
    }
}
