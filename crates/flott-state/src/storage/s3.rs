//! Blobs in S3, and in whatever speaks its protocol.

mod runtime;
mod writer;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use super::blob::{BlobInfo, BlobStore, BlobWriter, check_directory, check_path, join, not_found, place};
use super::error::StorageError;
use runtime::block_on;
use writer::S3Writer;

#[cfg(test)]
mod tests;

/// Keeps blobs as objects of a bucket. Clones are the same store.
///
/// Credentials, region and endpoint come from the usual environment variables: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
/// `AWS_SESSION_TOKEN`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`; or from the machine's role. The server must know
/// conditional writes (`If-None-Match: *`).
#[derive(Clone, Debug)]
pub struct S3BlobStore {
    url: String,
    /// What the path of every object starts with.
    prefix: String,
    objects: Arc<dyn ObjectStore>,
}

impl S3BlobStore {
    /// The store of `s3://BUCKET/PREFIX`.
    ///
    /// # Errors
    /// When the settings in the environment don't fit together.
    pub fn new(bucket: &str, prefix: &str) -> Result<Self, StorageError> {
        let url = join(&format!("s3://{bucket}"), prefix);
        check_directory(prefix)?;
        // Whoever was first in this process has chosen.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let objects = AmazonS3Builder::from_env().with_bucket_name(bucket).build();
        let objects =
            objects.map_err(|error| StorageError::BadUrl { url: url.clone(), reason: error.to_string() })?;
        Ok(Self { url, prefix: prefix.to_owned(), objects: Arc::new(objects) })
    }

    fn object(&self, path: &str) -> Result<Path, StorageError> {
        check_path(path)?;
        Path::parse(join(&self.prefix, path)).map_err(|_| StorageError::BadPath { path: path.to_owned() })
    }

    /// What all paths below a directory start with, if they start with something.
    fn below(&self, directory: &str) -> Result<Option<Path>, StorageError> {
        check_directory(directory)?;
        let path = join(&self.prefix, directory);
        let parsed = if path.is_empty() { None } else { Some(Path::parse(&path)) };
        parsed.transpose().map_err(|_| StorageError::BadPath { path })
    }

    /// The path of an object from the beginning of the store.
    fn relative(&self, object: &Path) -> String {
        let path = object.as_ref();
        path.strip_prefix(&self.prefix).unwrap_or(path).trim_start_matches('/').to_owned()
    }

    fn error(&self, action: &'static str, path: &str, error: &Error) -> StorageError {
        match error {
            Error::NotFound { .. } if action == "read" => not_found(self, path),
            Error::AlreadyExists { .. } | Error::Precondition { .. } => {
                StorageError::AlreadyExists { place: place(self, path) }
            }
            _ => StorageError::Io { action, place: place(self, path), reason: error.to_string() },
        }
    }

    fn head(&self, path: &str) -> Result<ObjectMeta, StorageError> {
        let object = self.object(path)?;
        block_on(self, path, self.objects.head(&object))?.map_err(|error| self.error("read", path, &error))
    }
}

impl BlobStore for S3BlobStore {
    fn url(&self) -> &str {
        &self.url
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let object = self.object(path)?;
        let (payload, options) = (PutPayload::from(bytes.to_vec()), PutOptions::from(PutMode::Create));
        let put = block_on(self, path, self.objects.put_opts(&object, payload, options))?;
        put.map(drop).map_err(|error| self.error("write", path, &error))
    }

    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError> {
        let object = self.object(path)?;
        Ok(Box::new(S3Writer::new(self.clone(), path.to_owned(), object)))
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        let object = self.object(path)?;
        let get = async { self.objects.get(&object).await?.bytes().await };
        let bytes = block_on(self, path, get)?.map_err(|error| self.error("read", path, &error))?;
        Ok(bytes.into())
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        if range.is_empty() {
            return self.head(path).map(|_| Vec::new());
        }
        let object = self.object(path)?;
        let bytes = block_on(self, path, self.objects.get_range(&object, range.clone()))?;
        let bytes = bytes.map_err(|error| self.error("read", path, &error))?;
        if bytes.len() as u64 == range.end - range.start {
            return Ok(bytes.into());
        }
        let reason = format!("it has {} bytes, not {}", range.start + bytes.len() as u64, range.end);
        Err(StorageError::Io { action: "read", place: place(self, path), reason })
    }

    fn size(&self, path: &str) -> Result<u64, StorageError> {
        self.head(path).map(|object| object.size)
    }

    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError> {
        let below = self.below(directory)?;
        let objects = block_on(self, directory, self.objects.list(below.as_ref()).try_collect::<Vec<_>>())?;
        let objects = objects.map_err(|error| self.error("list", directory, &error))?;
        let mut blobs: Vec<_> = objects
            .into_iter()
            .map(|object| BlobInfo { path: self.relative(&object.location), size: object.size })
            .collect();
        blobs.sort();
        Ok(blobs)
    }

    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        let below = self.below(directory)?;
        let listed = block_on(self, directory, self.objects.list_with_delimiter(below.as_ref()))?;
        let listed = listed.map_err(|error| self.error("list", directory, &error))?;
        let objects = listed.objects.iter().map(|object| &object.location);
        let names = listed.common_prefixes.iter().chain(objects).filter_map(Path::filename);
        Ok(names.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect())
    }

    fn delete(&self, path: &str) -> Result<(), StorageError> {
        let object = self.object(path)?;
        match block_on(self, path, self.objects.delete(&object))? {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error("delete", path, &error)),
        }
    }
}
