//! The names of a subtask's parts, and the part being written.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use flott_core::time::Timestamp;

use super::commit::FileCommittable;
use super::error::FileSinkError;

const IN_PROGRESS: &str = ".inprogress";

/// The directory and the number of the subtask's next part.
#[derive(Debug)]
pub(super) struct Parts {
    directory: PathBuf,
    subtask: u32,
    suffix: String,
    next: u64,
}

/// A hidden file that grows.
#[derive(Debug)]
pub(super) struct Part {
    file: File,
    in_progress: PathBuf,
    target: PathBuf,
    pub(super) length: u64,
    pub(super) begun_ms: Timestamp,
    pub(super) written_ms: Timestamp,
}

impl Parts {
    /// Creates the directory, and finds the first number that no part of the subtask has had.
    pub(super) fn prepare(directory: &Path, subtask: u32, suffix: &str) -> Result<Self, FileSinkError> {
        if directory.to_str().is_none() {
            return Err(FileSinkError::PathNotUtf8 { path: directory.display().to_string() });
        }
        fs::create_dir_all(directory).map_err(FileSinkError::access("create directory", directory))?;
        let mut parts = Self { directory: directory.to_owned(), subtask, suffix: suffix.to_owned(), next: 0 };
        let list = FileSinkError::access("list", directory);
        let names = fs::read_dir(directory).and_then(|entries| {
            entries
                .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
                .collect::<Result<Vec<_>, _>>()
        });
        let used = names.map_err(list)?.into_iter().filter_map(|name| number_of(&name, subtask)).max();
        parts.next = used.map_or(0, |used| used + 1);
        // Opening a part now finds a directory that can't be written before any record is read.
        let probe = parts.begin(0)?;
        let path = probe.in_progress.clone();
        drop(probe);
        fs::remove_file(&path).map_err(FileSinkError::access("remove", &path))?;
        parts.next -= 1;
        Ok(parts)
    }

    /// Begins the next part. A number that another writer of the directory has taken meanwhile is passed over.
    pub(super) fn begin(&mut self, now_ms: Timestamp) -> Result<Part, FileSinkError> {
        loop {
            let name = format!("part-{}-{}", self.subtask, self.next);
            let in_progress = self.directory.join(format!(".{name}{IN_PROGRESS}"));
            let target = self.directory.join(format!("{name}{}", self.suffix));
            self.next += 1;
            match OpenOptions::new().write(true).create_new(true).open(&in_progress) {
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {}
                Err(cause) => return Err(FileSinkError::access("create", &in_progress)(cause)),
                // Only whoever has the hidden file makes the finished one: if there is none by now, it is ours.
                Ok(_) if target.exists() => {
                    fs::remove_file(&in_progress).map_err(FileSinkError::access("remove", &in_progress))?;
                }
                Ok(file) => {
                    let (begun_ms, written_ms) = (now_ms, now_ms);
                    return Ok(Part { file, in_progress, target, length: 0, begun_ms, written_ms });
                }
            }
        }
    }
}

impl Part {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FileSinkError> {
        self.file.write_all(bytes).map_err(FileSinkError::access("write", &self.in_progress))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes the part durable; it may then be committed.
    pub(super) fn finish(self) -> Result<FileCommittable, FileSinkError> {
        self.file.sync_all().map_err(FileSinkError::access("write", &self.in_progress))?;
        Ok(FileCommittable {
            in_progress: self.in_progress.display().to_string(),
            target: self.target.display().to_string(),
            length: self.length,
        })
    }
}

/// The number of a part of this subtask, finished or not.
fn number_of(name: &str, subtask: u32) -> Option<u64> {
    let name = name.strip_prefix('.').unwrap_or(name);
    let rest = name.strip_prefix(&format!("part-{subtask}-"))?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}
