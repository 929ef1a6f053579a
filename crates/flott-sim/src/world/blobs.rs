//! What is in storage.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flott_state::format::CheckpointMetadata;

use super::Snapshots;

/// Bytes by path, and what snapshots they make.
#[derive(Clone, Debug, Default)]
pub struct Blobs {
    /// The bytes.
    pub bytes: BTreeMap<String, Arc<[u8]>>,
    /// The snapshots.
    pub snapshots: Snapshots,
    /// What could not be deleted when it was to be.
    pub undeleted: BTreeSet<String>,
}

impl Blobs {
    /// Stores bytes, as a whole.
    pub fn store(&mut self, path: &str, bytes: &[u8]) {
        self.snapshots.written(path, bytes);
        self.bytes.insert(path.to_owned(), bytes.into());
    }

    /// Deletes; the snapshot that needs it, if there is one.
    pub fn delete(&mut self, path: &str) -> Option<String> {
        self.undeleted.remove(path);
        self.bytes.remove(path)?;
        self.snapshots.deleted(path).map(str::to_owned)
    }

    /// Flips a bit of a blob, or cuts it off.
    pub fn damage(&mut self, path: &str, random: u64) {
        if let Some(bytes) = self.bytes.get(path).filter(|bytes| !bytes.is_empty()) {
            let mut damaged = bytes.to_vec();
            let at = random as usize % damaged.len();
            match random >> 63 {
                0 => damaged[at] ^= 1 << ((random >> 59) % 8),
                _ => damaged.truncate(at),
            }
            self.bytes.insert(path.to_owned(), damaged.into());
        }
    }

    /// The directories of checkpoints of a job whose metadata is torn or damaged, with a slash behind each.
    pub fn unreadable(&self, job: &str) -> BTreeSet<String> {
        let metadata = self.below(job).filter(|(path, bytes)| {
            path.ends_with("/_metadata") && CheckpointMetadata::from_bytes(bytes).is_err()
        });
        metadata.map(|(path, _)| path.trim_end_matches("_metadata").to_owned()).collect()
    }

    /// The blobs below a directory.
    pub fn below(&self, directory: &str) -> impl Iterator<Item = (&String, &Arc<[u8]>)> {
        let below = format!("{directory}/");
        self.bytes.range(below.clone()..).take_while(move |(path, _)| path.starts_with(&below))
    }
}
