//! A directory of its own for each operator subtask.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use flott_state::{BackendScope, StateError};

use crate::error::directory_failed;

/// Numbers the directories of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A directory that is deleted with all that is in it when this is dropped.
pub(crate) struct LocalDirectory(PathBuf);

impl LocalDirectory {
    /// Makes a new one below `base`, which is made too where it is missing.
    pub(crate) fn create(base: &Path, scope: &BackendScope) -> Result<Self, StateError> {
        fs::create_dir_all(base).map_err(|error| directory_failed(base, &error))?;
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let process = std::process::id();
            let name = format!("flott-rocksdb-{process}-{number}-{}-{}", scope.operator, scope.subtask);
            let path = base.join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Self(path)),
                // A process with the same id has left it behind.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(directory_failed(&path, &error)),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for LocalDirectory {
    fn drop(&mut self) {
        // What can't be deleted is in nobody's way; its name is not used again.
        let _ = fs::remove_dir_all(&self.0);
    }
}
