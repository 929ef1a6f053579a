//! Which snapshots are complete in storage, and which files they need.

use std::collections::{BTreeMap, BTreeSet};

use flott_state::format::{CheckpointMetadata, SnapshotForm};

/// The snapshots whose metadata is in storage.
#[derive(Clone, Debug, Default)]
pub struct Snapshots {
    present: BTreeMap<String, Present>,
    /// The ids of all that were ever complete.
    completed: BTreeSet<u64>,
    next: u64,
}

/// A snapshot that is there.
#[derive(Clone, Debug)]
pub struct Present {
    /// When it was completed, among all.
    pub order: u64,
    /// Its id.
    pub checkpoint: u64,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// Its files, by their paths in storage.
    pub files: BTreeSet<String>,
}

const METADATA: &str = "/_metadata";

impl Snapshots {
    /// A blob was written.
    pub fn written(&mut self, path: &str, bytes: &[u8]) {
        let Some(directory) = path.strip_suffix(METADATA) else { return };
        let Ok(metadata) = CheckpointMetadata::from_bytes(bytes) else { return };
        let is_savepoint = metadata.form == SnapshotForm::Savepoint;
        // Paths start from the directory of the job, or from the savepoint.
        let root = match is_savepoint {
            true => directory,
            false => directory.rsplit_once('/').map_or("", |(job, _)| job),
        };
        let files = metadata.files().map(|file| format!("{root}/{}", file.path)).collect();
        let (order, checkpoint) = (self.next, metadata.checkpoint);
        self.next += 1;
        self.completed.insert(checkpoint);
        self.present.insert(directory.to_owned(), Present { order, checkpoint, is_savepoint, files });
    }

    /// A blob is gone; the snapshot that needs it, if there is one.
    pub fn deleted(&mut self, path: &str) -> Option<&str> {
        if let Some(directory) = path.strip_suffix(METADATA) {
            self.present.remove(directory);
        }
        let needs = self.present.iter().find(|(_, snapshot)| snapshot.files.contains(path));
        needs.map(|(directory, _)| directory.as_str())
    }

    /// Whether a snapshot of this id or a later one was ever complete.
    pub fn is_completed(&self, checkpoint: u64) -> bool {
        self.completed.range(checkpoint..).next().is_some()
    }

    /// All that are there, by directory.
    pub fn present(&self) -> &BTreeMap<String, Present> {
        &self.present
    }

    /// Whether a file belongs to one that is there.
    pub fn needs(&self, path: &str) -> bool {
        self.present.iter().any(|(directory, snapshot)| {
            snapshot.files.contains(path) || path.strip_suffix(METADATA) == Some(directory)
        })
    }
}
