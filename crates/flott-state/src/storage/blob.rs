//! Blobs: bytes under a plain path.

use std::{fmt, ops::Range};

use super::StorageError;

#[cfg(test)]
mod tests;

/// Stores blobs under paths such as `chk-7/_metadata`, relative to where the store begins.
///
/// A blob appears whole or not at all, and is there for good when the call that wrote it has returned: neither the death of
/// the process nor a power failure tears it or takes it back. It never changes. All calls block.
pub trait BlobStore: Send + Sync + fmt::Debug {
    /// Where the store begins, as a URL without a slash at its end.
    fn url(&self) -> &str;

    /// Stores a new blob, unless there is one of that path: of any number of callers, one succeeds.
    ///
    /// # Errors
    /// [`StorageError::AlreadyExists`], and whatever the store says.
    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError>;

    /// Begins a blob that needn't fit into memory. The path must be one that nobody else uses: of two blobs, one remains.
    ///
    /// # Errors
    /// Whatever the store says.
    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError>;

    /// All bytes of a blob.
    ///
    /// # Errors
    /// [`StorageError::NotFound`], and whatever the store says.
    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError>;

    /// Some bytes of a blob: exactly those of the range, or an error where it ends before.
    ///
    /// # Errors
    /// As [`BlobStore::get`].
    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError>;

    /// The number of bytes of a blob.
    ///
    /// # Errors
    /// As [`BlobStore::get`].
    fn size(&self, path: &str) -> Result<u64, StorageError>;

    /// All blobs below a directory at any depth, by path; none where there is no such directory. `""` is the store's beginning.
    ///
    /// # Errors
    /// Whatever the store says.
    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError>;

    /// The names directly below a directory, directories and blobs alike, sorted.
    ///
    /// # Errors
    /// As [`BlobStore::list`].
    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError>;

    /// Deletes a blob, if there is one. Directories that become empty vanish; a server may take a while for it.
    ///
    /// # Errors
    /// Whatever the store says.
    fn delete(&self, path: &str) -> Result<(), StorageError>;
}

/// Writes one blob, which appears when it is finished. Dropping the writer gives it up.
pub trait BlobWriter: Send {
    /// Appends bytes.
    ///
    /// # Errors
    /// Whatever the store says; the blob can only be given up then.
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError>;

    /// Stores the blob.
    ///
    /// # Errors
    /// Whatever the store says; there is no blob then.
    fn finish(self: Box<Self>) -> Result<(), StorageError>;
}

/// A blob in a list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlobInfo {
    /// Its path, from the beginning of the store.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
}

/// Refuses what is not the path of a blob.
pub(super) fn check_path(path: &str) -> Result<(), StorageError> {
    let is_name = |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['\\', '\0']);
    match path.split('/').all(is_name) {
        true => Ok(()),
        false => Err(StorageError::BadPath { path: path.to_owned() }),
    }
}

/// Refuses what is neither a path nor the beginning of the store.
pub(super) fn check_directory(path: &str) -> Result<(), StorageError> {
    if path.is_empty() { Ok(()) } else { check_path(path) }
}

/// A path below a directory, which may be the beginning of the store.
pub(crate) fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", path) | (path, "") => path.to_owned(),
        (directory, name) => format!("{directory}/{name}"),
    }
}

/// A path of a store as users know it.
pub(crate) fn place(store: &dyn BlobStore, path: &str) -> String {
    join(store.url(), path)
}

/// That a path is not there: the first directory on the way that is missing, and what is there in its place.
pub(crate) fn not_found(store: &dyn BlobStore, path: &str) -> StorageError {
    let mut directory = "";
    for name in path.split('/') {
        let names = store.children(directory).unwrap_or_default();
        let end = directory.len() + usize::from(!directory.is_empty()) + name.len();
        directory = &path[..end];
        if !names.iter().any(|there| there == name) {
            return StorageError::NotFound { place: place(store, directory), near: nearest(name, names) };
        }
    }
    StorageError::NotFound { place: place(store, path), near: Vec::new() }
}

/// How many names an error lists.
const NEAR_NAMES: usize = 5;

/// The names most similar to one.
pub(crate) fn nearest(name: &str, mut names: Vec<String>) -> Vec<String> {
    names.sort_by_cached_key(|other| strsim::levenshtein(name, other));
    names.truncate(NEAR_NAMES);
    names
}
