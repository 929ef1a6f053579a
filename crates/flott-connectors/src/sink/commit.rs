//! Gives a finished part its name.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};

use flott_runtime::sink::{CommitError, Committer};
use serde::{Deserialize, Serialize};

use super::directory::sync_parent;
use super::error::FileSinkError;

/// A part that is complete and hidden.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCommittable {
    /// Path of the hidden file.
    pub in_progress: String,
    /// Path that it gets.
    pub target: String,
    /// Its bytes. If the file holds more, they were written by an attempt that failed, and are cut off.
    pub length: u64,
}

/// Renames parts. Within a directory that happens in one step.
#[derive(Debug)]
pub(super) struct FileCommitter;

impl Committer<FileCommittable> for FileCommitter {
    fn commit(&mut self, part: &FileCommittable) -> Result<(), CommitError> {
        let hidden = length_of(&part.in_progress).map_err(failed)?;
        let finished = length_of(&part.target).map_err(failed)?;
        let FileCommittable { in_progress, target, length } = part.clone();
        match (hidden, finished) {
            (None, Some(found)) if found == length => {
                // The attempt before may have ended before it could make the name durable.
                sync_parent(&target).map_err(failed)?;
                Err(CommitError::AlreadyCommitted)
            }
            (_, Some(_)) => Err(failed(FileSinkError::Occupied { target })),
            (None, None) => Err(failed(FileSinkError::Missing { in_progress, target })),
            (Some(found), None) if found < length => {
                Err(failed(FileSinkError::TooShort { in_progress, target, found, expected: length }))
            }
            (Some(found), None) => publish(part, found > length).map_err(failed),
        }
    }
}

fn failed(error: FileSinkError) -> CommitError {
    CommitError::Failed(error.into())
}

fn length_of(path: &str) -> Result<Option<u64>, FileSinkError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(cause) if cause.kind() == ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(FileSinkError::access("inspect", path)(cause)),
    }
}

fn publish(part: &FileCommittable, surplus: bool) -> Result<(), FileSinkError> {
    if surplus {
        truncate(part).map_err(FileSinkError::access("truncate", &part.in_progress))?;
    }
    fs::rename(&part.in_progress, &part.target)
        .map_err(FileSinkError::access("rename", &part.in_progress))?;
    // The new name itself must outlive a crash of the machine.
    sync_parent(&part.target)
}

fn truncate(part: &FileCommittable) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(&part.in_progress)?;
    file.set_len(part.length)?;
    file.sync_all()
}
