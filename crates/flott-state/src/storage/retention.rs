//! Which files may be deleted.

use std::collections::BTreeSet;

use super::layout::{METADATA_FILE, SHARED, checkpoint_directory, writer_of};

#[cfg(test)]
mod tests;

/// A complete checkpoint that stays. Paths are from the directory of the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// Its directory.
    pub directory: String,
    /// Who may delete it.
    pub owner: SnapshotOwner,
    /// The files that it refers to, metadata included. `None` if that can't be read: then it may refer to everything.
    pub files: Option<BTreeSet<String>>,
}

/// Who may delete a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SnapshotOwner {
    /// The job.
    Job,
    /// The user, whose directory holds nothing that is ours to delete.
    User,
}

/// A checkpoint that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingCheckpoint {
    /// Its id.
    pub checkpoint: u64,
    /// The shared files that it may refer to: all that were kept when it began.
    pub base: BTreeSet<String>,
}

/// The files, of those given, that may be deleted, in the order in which to delete them. All paths are from the directory of the job.
///
/// A file may be deleted if it was written for a checkpoint of the job, and
///
/// * no checkpoint that is kept refers to it, and none is kept of which that isn't known;
/// * it isn't in the directory of a checkpoint that belongs to the user;
/// * the checkpoint that wrote it is not under way, and none that is under way may refer to it.
///
/// Metadata goes first, so that what is deleted halfway is no checkpoint any more.
pub fn deletable<'f>(
    files: impl IntoIterator<Item = &'f str>,
    kept: &[KeptCheckpoint],
    pending: &[PendingCheckpoint],
) -> Vec<&'f str> {
    let mut found: Vec<_> = files
        .into_iter()
        .filter(|file| is_ours(file) && !is_kept(file, kept) && !is_pending(file, pending))
        .collect();
    found.sort_by_key(|file| (!file.ends_with(METADATA_FILE), *file));
    found.dedup();
    found
}

fn is_ours(file: &str) -> bool {
    writer_of(file).is_some()
}

/// Whether one of these checkpoints refers to a file, or may do so.
pub(super) fn is_kept<'k>(file: &str, kept: impl IntoIterator<Item = &'k KeptCheckpoint>) -> bool {
    kept.into_iter().any(|checkpoint| match &checkpoint.files {
        _ if checkpoint.owner == SnapshotOwner::User && is_below(file, &checkpoint.directory) => true,
        Some(files) => files.contains(file),
        None => is_below(file, &checkpoint.directory) || is_below(file, SHARED),
    })
}

fn is_pending(file: &str, pending: &[PendingCheckpoint]) -> bool {
    pending.iter().any(|pending| {
        writer_of(file) == Some(pending.checkpoint)
            || is_below(file, &checkpoint_directory(pending.checkpoint))
            || pending.base.contains(file)
    })
}

fn is_below(file: &str, directory: &str) -> bool {
    file.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}
