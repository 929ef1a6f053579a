//! Blobs as files.

mod path;
mod writer;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::blob::{BlobInfo, BlobStore, BlobWriter, check_directory, check_path, join, not_found, place};
use super::error::StorageError;
use writer::Temporary;

#[cfg(test)]
mod tests;

/// Keeps blobs as files below a directory, which is made when the first is written.
///
/// A file is written under another name, flushed to the disk and then given its own; the directories that name it are flushed,
/// too. Files that a crash left half-written end with `.tmp` and are listed like all others, so that they are found and deleted.
#[derive(Clone, Debug)]
pub struct LocalBlobStore {
    url: String,
    root: PathBuf,
}

impl LocalBlobStore {
    /// The store of a directory. A relative path is taken from the current one.
    ///
    /// # Errors
    /// When there is no current directory.
    pub fn new(root: impl AsRef<Path>) -> Result<Self, StorageError> {
        let root = path::absolute(root.as_ref())?;
        Ok(Self { url: path::url_of(&root), root })
    }

    fn path(&self, path: &str) -> Result<PathBuf, StorageError> {
        check_path(path)?;
        Ok(self.root.join(path))
    }

    fn error(&self, action: &'static str, path: &str, error: &io::Error) -> StorageError {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory if action == "read" => self.missing(path),
            _ => StorageError::Io { action, place: place(self, path), reason: error.to_string() },
        }
    }

    /// What is missing is the uppermost directory on the way that isn't there.
    fn missing(&self, path: &str) -> StorageError {
        path::missing_ancestor(&self.root).unwrap_or_else(|| not_found(self, path))
    }

    fn open(&self, path: &str) -> Result<(File, u64), StorageError> {
        let read = |path: PathBuf| {
            let file = File::open(path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() { Err(ErrorKind::IsADirectory.into()) } else { Ok((file, metadata.len())) }
        };
        read(self.path(path)?).map_err(|error| self.error("read", path, &error))
    }

    fn temporary(&self, path: &str) -> Result<Temporary, StorageError> {
        let target = self.path(path)?;
        Temporary::create(&self.root, target).map_err(|error| self.error("write", path, &error))
    }

    /// Adds the files below a directory, which may vanish meanwhile.
    fn walk(&self, directory: &str, found: &mut Vec<BlobInfo>) -> io::Result<()> {
        for entry in entries(&self.root.join(directory))? {
            let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
            let path = join(directory, &name);
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => self.walk(&path, found)?,
                Ok(metadata) => found.push(BlobInfo { path, size: metadata.len() }),
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl BlobStore for LocalBlobStore {
    fn url(&self) -> &str {
        &self.url
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        let mut file = self.temporary(path)?;
        file.write(bytes).map_err(|error| self.error("write", path, &error))?;
        file.publish_new().map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => StorageError::AlreadyExists { place: place(self, path) },
            _ => self.error("write", path, &error),
        })
    }

    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError> {
        let file = self.temporary(path)?;
        Ok(Box::new(LocalWriter { store: self.clone(), path: path.to_owned(), file }))
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        let (mut file, size) = self.open(path)?;
        let mut bytes = Vec::with_capacity(size as usize);
        let read = file.read_to_end(&mut bytes);
        read.map_err(|error| self.error("read", path, &error))?;
        Ok(bytes)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>, StorageError> {
        let (mut file, size) = self.open(path)?;
        if range.end > size {
            let reason = format!("it has {size} bytes, not {}", range.end);
            return Err(StorageError::Io { action: "read", place: place(self, path), reason });
        }
        let mut bytes = vec![0; range.end.saturating_sub(range.start) as usize];
        let read = file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|error| self.error("read", path, &error))?;
        Ok(bytes)
    }

    fn size(&self, path: &str) -> Result<u64, StorageError> {
        self.open(path).map(|(_, size)| size)
    }

    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError> {
        check_directory(directory)?;
        let mut found = Vec::new();
        self.walk(directory, &mut found).map_err(|error| self.error("list", directory, &error))?;
        found.sort();
        Ok(found)
    }

    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        check_directory(directory)?;
        let entries = entries(&self.root.join(directory));
        let entries = entries.map_err(|error| self.error("list", directory, &error))?;
        let mut names: Vec<_> =
            entries.iter().filter_map(|entry| entry.file_name().to_str().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    fn delete(&self, path: &str) -> Result<(), StorageError> {
        let file = self.path(path)?;
        match fs::remove_file(&file) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(self.error("delete", path, &error)),
        }
        let directories = file.ancestors().skip(1).take_while(|directory| *directory != self.root);
        // One that is not empty stays, and so do those above it.
        for directory in directories {
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// What a directory holds; nothing if it isn't there.
fn entries(directory: &Path) -> io::Result<Vec<fs::DirEntry>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

struct LocalWriter {
    store: LocalBlobStore,
    path: String,
    file: Temporary,
}

impl BlobWriter for LocalWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), StorageError> {
        self.file.write(bytes).map_err(|error| self.store.error("write", &self.path, &error))
    }

    fn finish(self: Box<Self>) -> Result<(), StorageError> {
        let Self { store, path, file } = *self;
        file.publish().map_err(|error| store.error("write", &path, &error))
    }
}

/// Opens a file that isn't there yet.
fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Makes the names in a directory durable.
fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Writes all of it, in as many calls as it takes.
fn write_all(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    file.write_all(bytes)
}
