//! The files of stores of bytes on their way between the local disk and a checkpoint.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3Default;

use super::blob::{BlobStore, join, place};
use super::error::StorageError;
use super::layout::SHARED;
use super::source::StateSource;
use super::target::{FileScope, SnapshotTarget};
use super::url;
use crate::disk::files::StoreImage;
use crate::format::{Damage, StateFile, StoreFile, StoreFiles, StoredBytes};

#[cfg(test)]
mod tests;

/// So much of a file is in memory at once.
const PIECE_BYTES: usize = 1 << 20;

/// What errors call the bytes of a file.
const CONTENT: &str = "content";

impl SnapshotTarget {
    /// Stores a file of the local disk, as it is; a small one that is for this snapshot alone goes into the metadata. `name` must be
    /// another for each file of the snapshot.
    ///
    /// # Errors
    /// When it can't be read or stored.
    pub fn store_local(
        &self,
        name: &str,
        scope: FileScope,
        from: &Path,
    ) -> Result<StoredBytes, StorageError> {
        let mut file = File::open(from).map_err(|error| local("read", from, &error))?;
        let len = file.metadata().map_err(|error| local("read", from, &error))?.len();
        if scope == FileScope::Exclusive && len < self.limits.inline_below {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).map_err(|error| local("read", from, &error))?;
            return Ok(StoredBytes::Inline(bytes));
        }
        let path = self.path_of(name, scope);
        let mut writer = self.store.writer(&join(&self.root, &path))?;
        let (mut hasher, mut size) = (Xxh3Default::new(), 0);
        let mut piece = vec![0; PIECE_BYTES.min(len as usize + 1)];
        loop {
            let read = match file.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => &piece[..read],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(local("read", from, &error)),
            };
            hasher.update(read);
            size += read.len() as u64;
            writer.write(read)?;
        }
        writer.finish()?;
        Ok(StoredBytes::File(StateFile { path, size, checksum: hasher.digest() }))
    }

    /// The path of a file of this snapshot, from the root.
    pub(super) fn path_of(&self, name: &str, scope: FileScope) -> String {
        let name = format!("{name}-{:016x}", self.salt);
        match scope {
            FileScope::Exclusive => join(&self.directory, &name),
            FileScope::Shared => format!("{SHARED}/{}-{name}", self.checkpoint),
        }
    }
}

impl StoreImage {
    /// The files of a store in a checkpoint that a source reads.
    pub fn of(source: &StateSource, files: StoreFiles) -> Self {
        Self { root: place(source.store.as_ref(), &source.root), files }
    }

    /// Writes the files into a directory of the local disk, and checks them.
    ///
    /// # Errors
    /// When one is not there or damaged, or can't be written.
    pub fn download(&self, into: &Path) -> Result<(), StorageError> {
        let source = StateSource { store: url::open(&self.root)?, root: String::new() };
        for StoreFile { name, content } in &self.files.files {
            if !is_plain_name(name) {
                let damage = Damage::Inconsistent { what: "a file of a store has a name with a path" };
                return Err(StorageError::Damaged { place: self.root.clone(), damage });
            }
            let to = into.join(name);
            let mut file = File::create_new(&to).map_err(|error| local("write", &to, &error))?;
            source.read_store_file(content, |bytes| {
                file.write_all(bytes).map_err(|error| local("write", &to, &error))
            })?;
        }
        Ok(())
    }
}

impl StateSource {
    /// Reads and checks the files of a store.
    pub(super) fn verify_store(&self, store: &StoreFiles) -> Result<(), StorageError> {
        store.files.iter().try_for_each(|file| self.read_store_file(&file.content, |_| Ok(())))
    }

    /// Hands a file on piece by piece, and then compares its checksum.
    fn read_store_file(
        &self,
        content: &StoredBytes,
        mut take: impl FnMut(&[u8]) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let StateFile { path, size, checksum } = match content {
            // The checksum of the metadata covers them.
            StoredBytes::Inline(bytes) => return take(bytes),
            StoredBytes::File(file) => file,
        };
        let store: &Arc<dyn BlobStore> = &self.store;
        let path = join(&self.root, path);
        let damaged = |damage| StorageError::Damaged { place: place(store.as_ref(), &path), damage };
        let found = store.size(&path)?;
        if found != *size {
            return Err(damaged(Damage::Length { found, expected: *size }));
        }
        let mut hasher = Xxh3Default::new();
        let mut at = 0;
        while at < *size {
            let end = size.min(&(at + PIECE_BYTES as u64)).to_owned();
            let bytes = store.get_range(&path, at..end)?;
            hasher.update(&bytes);
            take(&bytes)?;
            at = end;
        }
        match hasher.digest() {
            found if found == *checksum => Ok(()),
            found => Err(damaged(Damage::Checksum { part: CONTENT, found, expected: *checksum })),
        }
    }
}

/// Whether a name stays in the directory that it is joined to.
fn is_plain_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])
}

fn local(action: &'static str, path: &Path, error: &io::Error) -> StorageError {
    StorageError::Io { action, place: path.display().to_string(), reason: error.to_string() }
}
