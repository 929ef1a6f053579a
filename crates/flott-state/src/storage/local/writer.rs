//! A file that is being written under another name.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{create_new, sync_directory, write_all};

/// How often a directory may vanish, as the last file in it is deleted, while a file is to be made there.
const ATTEMPTS: usize = 8;

/// Tells the files of one process apart; those of others are met by trying the next number.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// A file under a name that ends with `.tmp`, which is deleted unless it is published.
#[derive(Debug)]
pub(super) struct Temporary {
    file: File,
    path: PathBuf,
    target: PathBuf,
    is_published: bool,
}

impl Temporary {
    /// A new file that is to become `target`, which is below `root`.
    pub(super) fn create(root: &Path, target: PathBuf) -> io::Result<Self> {
        let directory = target.parent().unwrap_or(root);
        let mut attempts = ATTEMPTS;
        loop {
            let mut name = target.file_name().unwrap_or_default().to_owned();
            name.push(format!(".{}.tmp", NEXT.fetch_add(1, Ordering::Relaxed)));
            let path = directory.join(name);
            match make_directories(directory).and_then(|()| create_new(&path)) {
                Ok(file) => return Ok(Self { file, path, target, is_published: false }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists && path.exists() => {}
                Err(error) if error.kind() == ErrorKind::NotFound && attempts > 0 => attempts -= 1,
                Err(error) => return Err(error),
            }
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.file, bytes)
    }

    /// Makes it the target, in place of what may be there.
    pub(super) fn publish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.target)?;
        self.is_published = true;
        self.sync_name()
    }

    /// Makes it the target, unless there is one.
    pub(super) fn publish_new(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::hard_link(&self.path, &self.target)?;
        // The other name goes when this is dropped.
        self.sync_name()
    }

    fn sync_name(&self) -> io::Result<()> {
        self.target.parent().map_or(Ok(()), sync_directory)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_published {
            // What can't be deleted now is deleted with the rest of what nobody refers to.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a directory and those above it, durably.
fn make_directories(directory: &Path) -> io::Result<()> {
    let missing: Vec<_> = directory.ancestors().take_while(|above| !above.is_dir()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(directory)?;
    missing.iter().filter_map(|new| new.parent()).try_for_each(|above| {
        sync_directory(if above.as_os_str().is_empty() { Path::new(".") } else { above })
    })
}
