//! A directory of its own for each operator subtask, and for each copy of its files.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use flott_state::{BackendScope, StateError, disk::files::TemporaryDirectory};

use crate::error::directory_failed;

/// Numbers the directories of this process.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Makes a new directory below `base`, which is made too where it is missing.
pub(crate) fn create(base: &Path, scope: &BackendScope) -> Result<TemporaryDirectory, StateError> {
    fs::create_dir_all(base).map_err(|error| directory_failed(base, &error))?;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        let name = format!("flott-rocksdb-{process}-{number}-{}-{}", scope.operator, scope.subtask);
        let path = base.join(name);
        match fs::create_dir(&path) {
            Ok(()) => return Ok(TemporaryDirectory::new(path)),
            // A process with the same id has left it behind.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(directory_failed(&path, &error)),
        }
    }
}

/// A directory that is not there yet, beside another and on the same disk.
pub(crate) fn beside(directory: &Path) -> TemporaryDirectory {
    let mut name = directory.file_name().unwrap_or_default().to_owned();
    name.push(format!("-{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let path: PathBuf = directory.with_file_name(name);
    // What a process with the same id has left behind.
    drop(TemporaryDirectory::new(path.clone()));
    TemporaryDirectory::new(path)
}
