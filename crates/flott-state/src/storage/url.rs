//! Which store a URL names.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::blob::{BlobStore, check_directory};
use super::error::StorageError;
use super::local::LocalBlobStore;
use super::memory::MemoryBlobStore;
use super::percent;

#[cfg(test)]
mod tests;

/// Opens the store that begins at a URL of a scheme that is not flott's own; it gets what is behind `SCHEME://`.
pub type Opener = fn(&str) -> Result<Arc<dyn BlobStore>, StorageError>;

/// The schemes of the program's own.
static REGISTERED: Mutex<BTreeMap<&'static str, Opener>> = Mutex::new(BTreeMap::new());

/// Makes a store known to the process whose URLs begin with `SCHEME://` (Flink: a `FileSystemFactory`). One that was known
/// before under this scheme is replaced; flott's own schemes can't be.
pub fn register(scheme: &'static str, opener: Opener) {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner).insert(scheme, opener);
}

fn registered(scheme: &str) -> Option<Opener> {
    REGISTERED.lock().unwrap_or_else(PoisonError::into_inner).get(scheme).copied()
}

/// Opens the store that begins at a URL. Nothing needs to be there yet.
///
/// * `/data/checkpoints`, `checkpoints`, `file:///data/checkpoints`, `file:/data/checkpoints`: a directory; in a URL `%20` stands
///   for a space, and `%25` for a percent sign;
/// * `memory://name/path`: memory of this process, gone with the last user of the name;
/// * `s3://bucket/path` (or `s3a:`): S3, in builds with the feature `s3`;
/// * what the program has made known with [`register`].
///
/// # Errors
/// When the URL is not one of these.
pub fn open(url: &str) -> Result<Arc<dyn BlobStore>, StorageError> {
    let bad = |reason: &str| StorageError::BadUrl { url: url.to_owned(), reason: reason.to_owned() };
    match url.split_once(':') {
        _ if url.is_empty() => Err(bad("it is empty; give a directory or a URL")),
        Some(("file", path)) => {
            let path = file_path(path).and_then(percent::decode).map_err(bad)?;
            Ok(Arc::new(LocalBlobStore::new(&path)?))
        }
        Some(("memory", rest)) => {
            let rest = rest.trim_start_matches('/').trim_end_matches('/');
            let (name, root) = rest.split_once('/').unwrap_or((rest, ""));
            check_directory(root)?;
            Ok(Arc::new(MemoryBlobStore::named(name, root)))
        }
        Some(("s3" | "s3a", rest)) if rest.starts_with("//") => s3(rest.trim_matches('/'), bad),
        Some((scheme, rest)) if rest.starts_with("//") => match registered(scheme) {
            Some(opener) => opener(&rest[2..]),
            None => Err(bad(&format!(
                "flott has no storage for '{scheme}:'; known are file: (or a plain path), memory: and s3:"
            ))),
        },
        _ => Ok(Arc::new(LocalBlobStore::new(url)?)),
    }
}

#[cfg(feature = "s3")]
fn s3(path: &str, bad: impl Fn(&str) -> StorageError) -> Result<Arc<dyn BlobStore>, StorageError> {
    match path.split_once('/').unwrap_or((path, "")) {
        ("", _) => Err(bad("it names no bucket, as in s3://bucket/checkpoints")),
        (bucket, prefix) => Ok(Arc::new(super::s3::S3BlobStore::new(bucket, prefix)?)),
    }
}

#[cfg(not(feature = "s3"))]
fn s3(_path: &str, bad: impl Fn(&str) -> StorageError) -> Result<Arc<dyn BlobStore>, StorageError> {
    Err(bad("this program was built without S3; build it with the feature 's3' of flott"))
}

/// The path of a `file:` URL, of which what is behind the scheme is given.
fn file_path(rest: &str) -> Result<&str, &'static str> {
    match rest.strip_prefix("//") {
        None if rest.starts_with('/') => Ok(rest),
        Some(path) if path.starts_with('/') => Ok(path),
        Some(path) if path.starts_with("localhost/") => Ok(&path["localhost".len()..]),
        _ => Err("a file URL has three slashes and an absolute path, as in file:///data/checkpoints"),
    }
}
