//! The part being written.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use flott_core::time::Timestamp;

use super::commit::FileCommittable;
use super::error::FileSinkError;

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

impl Part {
    /// Begins a part that will be called `target`.
    pub(super) fn begin(
        in_progress: PathBuf,
        target: PathBuf,
        now_ms: Timestamp,
    ) -> Result<Self, FileSinkError> {
        let file = OpenOptions::new().write(true).create_new(true).open(&in_progress);
        let file = file.map_err(FileSinkError::access("create", &in_progress))?;
        Ok(Self { file, in_progress, target, length: 0, begun_ms: now_ms, written_ms: now_ms })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), FileSinkError> {
        self.file.write_all(bytes).map_err(FileSinkError::access("write", &self.in_progress))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Makes the bytes of the part durable; it may then be committed.
    pub(super) fn finish(self) -> Result<FileCommittable, FileSinkError> {
        self.file.sync_all().map_err(FileSinkError::access("write", &self.in_progress))?;
        Ok(FileCommittable {
            in_progress: self.in_progress.display().to_string(),
            target: self.target.display().to_string(),
            length: self.length,
        })
    }

    /// Removes a part that will not be finished.
    pub(super) fn discard(self) -> Result<(), FileSinkError> {
        fs::remove_file(&self.in_progress).map_err(FileSinkError::access("remove", &self.in_progress))
    }
}

#[cfg(test)]
mod tests;
