//! What a job knows of its checkpoints, for the rule of deletion.

use std::collections::{BTreeMap, BTreeSet};

use super::blob::join;
use super::layout::{METADATA_FILE, SHARED, checkpoint_directory, writer_of};
use super::retention::{KeptCheckpoint, PendingCheckpoint, SnapshotOwner, deletable, is_kept};
use crate::format::CheckpointMetadata;

/// The checkpoints in the directory of a job. Pure; [`super::CheckpointDirectory`] deletes what it says.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    kept: BTreeMap<u64, KeptCheckpoint>,
    pending: BTreeMap<u64, PendingCheckpoint>,
    /// Files that nothing kept refers to, but a checkpoint under way might. Each is looked at again.
    undecided: BTreeSet<String>,
    /// Checkpoints that are no longer kept but whose metadata is still there, by its path.
    leaving: BTreeMap<String, KeptCheckpoint>,
}

impl Ledger {
    /// A checkpoint begins.
    pub(super) fn begin(&mut self, checkpoint: u64) {
        let kept = self.kept.values().filter_map(|kept| kept.files.as_ref()).flatten();
        let base = || kept.filter(|file| is_shared(file)).cloned().collect();
        self.pending.entry(checkpoint).or_insert_with(|| PendingCheckpoint { checkpoint, base: base() });
    }

    /// A file that a checkpoint under way refers to although it may have been deleted: it was not kept when the checkpoint began.
    pub(super) fn lost_base<'m>(&self, checkpoint: u64, metadata: &'m CheckpointMetadata) -> Option<&'m str> {
        let base = self.pending.get(&checkpoint).map(|pending| &pending.base);
        let is_there =
            |file: &str| writer_of(file) == Some(checkpoint) || base.is_some_and(|base| base.contains(file));
        metadata.files().map(|file| file.path.as_str()).find(|file| !is_there(file))
    }

    /// A checkpoint is complete, or known from before.
    pub(super) fn keep(
        &mut self,
        checkpoint: u64,
        owner: SnapshotOwner,
        metadata: Option<&CheckpointMetadata>,
    ) {
        self.pending.remove(&checkpoint);
        let directory = checkpoint_directory(checkpoint);
        let files = metadata.map(|metadata| files_of(&directory, metadata));
        self.kept.insert(checkpoint, KeptCheckpoint { directory, owner, files });
    }

    /// Whether a checkpoint is known to be complete.
    pub(super) fn is_kept(&self, checkpoint: u64) -> bool {
        self.kept.contains_key(&checkpoint)
    }

    /// A checkpoint is no longer kept, or given up. The files that it has written or referred to are candidates for deletion.
    pub(super) fn release(&mut self, checkpoint: u64) {
        self.pending.remove(&checkpoint);
        if let Some(released) = self.kept.remove(&checkpoint) {
            self.undecided.extend(released.files.clone().unwrap_or_default());
            self.leaving.insert(join(&released.directory, METADATA_FILE), released);
        }
    }

    /// Which of these files, and of those that could not be decided about before, to delete now.
    pub(super) fn sweep(&mut self, files: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut candidates = std::mem::take(&mut self.undecided);
        candidates.extend(files);
        let kept: Vec<_> = self.kept.values().cloned().collect();
        let pending: Vec<_> = self.pending.values().cloned().collect();
        let chosen = deletable(candidates.iter().map(String::as_str), &kept, &pending);
        let chosen: Vec<_> = chosen.into_iter().map(str::to_owned).collect();
        // What is kept becomes a candidate again when it no longer is.
        let unkept = deletable(candidates.iter().map(String::as_str), &kept, &[]);
        self.undecided =
            unkept.into_iter().map(str::to_owned).filter(|file| !chosen.contains(file)).collect();
        chosen
    }

    /// Whether metadata that is still there may refer to a file: it must not vanish before that.
    pub(super) fn is_held(&self, file: &str) -> bool {
        !file.ends_with(METADATA_FILE) && is_kept(file, self.leaving.values())
    }

    /// A file is gone.
    pub(super) fn deleted(&mut self, file: &str) {
        self.leaving.remove(file);
    }

    /// Whether it is known what a checkpoint refers to whose metadata could not be deleted.
    pub(super) fn is_leaving(&self, metadata_file: &str) -> bool {
        self.leaving.contains_key(metadata_file)
    }

    /// The metadata of a checkpoint of which nothing was known could not be deleted. Without `metadata` it may refer to everything.
    pub(super) fn leave(&mut self, checkpoint: u64, metadata: Option<&CheckpointMetadata>) {
        let directory = checkpoint_directory(checkpoint);
        let files = metadata.map(|metadata| files_of(&directory, metadata));
        let file = join(&directory, METADATA_FILE);
        self.leaving.insert(file, KeptCheckpoint { directory, owner: SnapshotOwner::Job, files });
    }

    /// Files could not be deleted: they are looked at again.
    pub(super) fn put_back(&mut self, files: impl IntoIterator<Item = String>) {
        self.undecided.extend(files);
    }
}

/// Whether later checkpoints may refer to a file.
fn is_shared(path: &str) -> bool {
    path.split_once('/').is_some_and(|(directory, _)| directory == SHARED)
}

/// What a checkpoint refers to, its own metadata included.
pub(super) fn files_of(directory: &str, metadata: &CheckpointMetadata) -> BTreeSet<String> {
    let state = metadata.files().map(|file| file.path.clone());
    state.chain([join(directory, METADATA_FILE)]).collect()
}
