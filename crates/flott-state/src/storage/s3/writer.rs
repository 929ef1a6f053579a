//! An object that needn't fit into memory.

use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload, WriteMultipart};

use super::S3BlobStore;
use super::runtime::block_on;
use crate::storage::blob::BlobWriter;
use crate::storage::error::StorageError;

/// A smaller object is written at once; a larger one in parts of this size, the smallest that S3 takes.
const PART_BYTES: usize = 5 << 20;

/// How many parts may be on their way: with the one in the making, what a writer takes of memory.
const PARTS_UNDER_WAY: usize = 2;

pub(super) struct S3Writer {
    store: S3BlobStore,
    path: String,
    object: Path,
    /// What was written, until it is a part.
    start: Vec<u8>,
    parts: Option<WriteMultipart>,
}

impl S3Writer {
    pub(super) fn new(store: S3BlobStore, path: String, object: Path) -> Self {
        Self { store, path, object, start: Vec::new(), parts: None }
    }

    fn block_on<T>(&self, work: impl Future<Output = object_store::Result<T>>) -> Result<T, StorageError> {
        block_on(&self.store, &self.path, work)?
            .map_err(|error| self.store.error("write", &self.path, &error))
    }
}

impl BlobWriter for S3Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        if self.parts.is_none() && self.start.len() + bytes.len() < PART_BYTES {
            self.start.extend_from_slice(bytes);
            return Ok(());
        }
        let mut parts = match self.parts.take() {
            Some(parts) => parts,
            None => {
                let upload = self.block_on(self.store.objects.put_multipart(&self.object))?;
                WriteMultipart::new_with_chunk_size(upload, PART_BYTES)
            }
        };
        let start = std::mem::take(&mut self.start);
        let written = self.block_on(async {
            for piece in [start.as_slice(), bytes] {
                parts.write(piece);
                parts.wait_for_capacity(PARTS_UNDER_WAY).await?;
            }
            Ok(())
        });
        self.parts = Some(parts);
        written
    }

    fn finish(mut self: Box<Self>) -> Result<(), StorageError> {
        match self.parts.take() {
            Some(parts) => self.block_on(parts.finish()).map(drop),
            None => {
                let payload = PutPayload::from(std::mem::take(&mut self.start));
                self.block_on(self.store.objects.put(&self.object, payload)).map(drop)
            }
        }
    }
}

impl Drop for S3Writer {
    fn drop(&mut self) {
        if let Some(parts) = self.parts.take() {
            // Parts that can't be deleted now go by the rules of the bucket.
            let _ = self.block_on(parts.abort());
        }
    }
}
