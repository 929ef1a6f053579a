//! Finds the checkpoints that a job can start from.

use std::cmp::Reverse;
use std::sync::Arc;

use super::blob::{BlobStore, join};
use super::error::StorageError;
use super::layout::{METADATA_FILE, checkpoint_of_directory};
use super::source::StateSource;
use super::stored::StoredSnapshot;
use super::url;
use crate::format::JobKey;

#[cfg(test)]
mod tests;

/// The completed checkpoints below a directory.
#[derive(Debug)]
pub struct FoundCheckpoints {
    /// Those whose metadata could be read, the newest first: by the time of completion, then by id.
    pub checkpoints: Vec<StoredSnapshot>,
    /// Why others could not be read.
    pub damaged: Vec<StorageError>,
}

/// The newest checkpoint that can be restored.
#[derive(Debug)]
pub struct LatestCheckpoint {
    /// The checkpoint, all of whose state has been read and checked; none if there is none.
    pub checkpoint: Option<StoredSnapshot>,
    /// Why others were passed over: each names the file that is missing or damaged.
    pub passed_over: Vec<StorageError>,
}

/// Finds the completed checkpoints of all jobs below a directory, which may be that of one job as well. Savepoints are not
/// among them.
///
/// # Errors
/// When the directory can't be read. One that isn't there has no checkpoints.
pub fn find_checkpoints(url: &str) -> Result<FoundCheckpoints, StorageError> {
    let store = url::open(url)?;
    let mut found = FoundCheckpoints { checkpoints: Vec::new(), damaged: Vec::new() };
    let names = store.children("")?;
    let jobs = names.iter().filter(|name| name.parse::<JobKey>().is_ok());
    found.add_job(&store, "")?;
    jobs.into_iter().try_for_each(|job| found.add_job(&store, job))?;
    found
        .checkpoints
        .sort_by_key(|stored| Reverse((stored.metadata.completed_ms, stored.metadata.checkpoint)));
    Ok(found)
}

/// Finds the newest checkpoint below a directory that can be restored, all of its files included.
///
/// # Errors
/// When the storage can't be read; a missing or damaged file only passes its checkpoint over.
pub fn latest_checkpoint(url: &str) -> Result<LatestCheckpoint, StorageError> {
    let FoundCheckpoints { checkpoints, damaged: mut passed_over } = find_checkpoints(url)?;
    for stored in checkpoints {
        match stored.verify() {
            Ok(()) => return Ok(LatestCheckpoint { checkpoint: Some(stored), passed_over }),
            Err(error) if is_lost(&error) => passed_over.push(error),
            Err(error) => return Err(error),
        }
    }
    Ok(LatestCheckpoint { checkpoint: None, passed_over })
}

/// Whether what was stored is not there any more, rather than out of reach for now.
fn is_lost(error: &StorageError) -> bool {
    matches!(error, StorageError::Damaged { .. } | StorageError::NotFound { .. })
}

impl FoundCheckpoints {
    /// Adds the checkpoints in the directory of a job.
    fn add_job(&mut self, store: &Arc<dyn BlobStore>, root: &str) -> Result<(), StorageError> {
        for name in store.children(root)? {
            let is_complete = || {
                store.children(&join(root, &name)).map(|files| files.iter().any(|file| file == METADATA_FILE))
            };
            if checkpoint_of_directory(&name).is_none() || !is_complete()? {
                continue;
            }
            let source = StateSource { store: Arc::clone(store), root: root.to_owned() };
            match StoredSnapshot::read(source, name) {
                Ok(stored) => self.checkpoints.push(stored),
                Err(error) if is_lost(&error) => self.damaged.push(error),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
