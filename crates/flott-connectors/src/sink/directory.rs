//! The directory of a file sink, and what makes its entries durable.

use std::fs::{self, File};
use std::path::{self, Path, PathBuf};

use super::error::FileSinkError;

/// A directory that exists, by its absolute path: a job may be restored from elsewhere.
#[derive(Debug)]
pub(super) struct Directory(PathBuf);

impl Directory {
    /// Creates the directory and those above it if need be.
    pub(super) fn prepare(path: &Path) -> Result<Self, FileSinkError> {
        if path.to_str().is_none() {
            return Err(FileSinkError::PathNotUtf8 { path: path.display().to_string() });
        }
        let absolute =
            path::absolute(or_here(path)).map_err(FileSinkError::access("find directory", path))?;
        let missing: Vec<_> = absolute.ancestors().take_while(|path| !path.exists()).collect();
        fs::create_dir_all(&absolute).map_err(FileSinkError::access("create directory", &absolute))?;
        for created in missing {
            sync(created.parent().unwrap_or(created))?;
        }
        Ok(Self(absolute))
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The names of all entries; those that aren't UTF-8 are none of a sink's.
    pub(super) fn names(&self) -> Result<Vec<String>, FileSinkError> {
        let names = fs::read_dir(&self.0).and_then(|entries| {
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
        });
        names.map_err(FileSinkError::access("list", &self.0))
    }

    /// Makes names that were given or taken away outlive a crash of the machine.
    pub(super) fn sync(&self) -> Result<(), FileSinkError> {
        sync(&self.0)
    }
}

/// Makes the names in the directory of `path` outlive a crash of the machine.
pub(super) fn sync_parent(path: &str) -> Result<(), FileSinkError> {
    sync(Path::new(path).parent().unwrap_or(Path::new("")))
}

fn sync(directory: &Path) -> Result<(), FileSinkError> {
    let synced = File::open(or_here(directory)).and_then(|directory| directory.sync_all());
    synced.map_err(FileSinkError::access("sync directory", directory))
}

/// An empty path means the present directory.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
