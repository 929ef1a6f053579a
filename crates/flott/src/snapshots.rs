//! What a configuration says of checkpoints and savepoints: how they are taken, where they go, what the job starts from.

use flott_core::config::{CheckpointStorageKind, Configuration, MemorySize, RestoreMode, keys};
use flott_runtime::checkpoint::coordinator::Owner;
use flott_runtime::checkpoint::settings::{CheckpointSettings, SettingsError};
use flott_runtime::error::JobError;
use flott_runtime::graph::GraphError;
use flott_runtime::job::{Restore, SnapshotStorage};
use flott_runtime::seam;
use flott_state::format::JobKey;
use flott_state::storage::layout::checkpoint_of_directory;
use flott_state::storage::{
    self, CheckpointStorage, StorageError, StoredSnapshot, find_checkpoints, latest_checkpoint,
};

use crate::error::Error;

/// What stands for the newest checkpoint of the checkpoint directory.
const LATEST: &str = "latest";

/// Deletes a savepoint, or a checkpoint of a job that does not run, by its path or URL: its metadata, then the state that no
/// other checkpoint of its job uses (Flink: `savepoint -d`).
///
/// # Errors
/// When there is no snapshot, or something can't be read or deleted.
pub fn dispose_savepoint(path: &str) -> Result<(), Error> {
    let dispose = || StoredSnapshot::open(path)?.dispose();
    dispose().map_err(|error| JobError::Disposal(error).into())
}

/// How checkpoints are taken.
pub(crate) fn checkpointing(configuration: &Configuration) -> Result<CheckpointSettings, Error> {
    CheckpointSettings::from_config(configuration).map_err(settings_error)
}

/// An error of settings that don't go together.
pub(crate) fn settings_error(error: SettingsError) -> Error {
    match error {
        SettingsError::Config(error) => error.into(),
        other => invalid(other.to_string()),
    }
}

fn invalid(problem: impl Into<String>) -> Error {
    GraphError::Invalid { operator: "(job)".to_owned(), problem: problem.into() }.into()
}

/// Whether savepoints for which nobody names a directory have one.
pub(crate) fn has_savepoint_directory(configuration: &Configuration) -> Result<bool, Error> {
    Ok(configuration.get_optional(&keys::SAVEPOINT_DIRECTORY)?.is_some())
}

/// Where checkpoints and savepoints go.
pub(crate) fn snapshot_storage(configuration: &Configuration) -> Result<SnapshotStorage, Error> {
    let directory = configuration.get_optional(&keys::CHECKPOINT_DIRECTORY)?;
    let kind = configuration.get_optional(&keys::CHECKPOINT_STORAGE)?;
    let checkpoints = match (kind, directory) {
        (Some(CheckpointStorageKind::JobManager), _) | (None, None) => {
            CheckpointStorage::JobManager { largest_state: CheckpointStorage::LARGEST_STATE }
        }
        (_, Some(directory)) => {
            let create_subdir = configuration.get(&keys::CHECKPOINT_CREATE_SUBDIR)?;
            CheckpointStorage::FileSystem { directory, create_subdir }
        }
        (Some(CheckpointStorageKind::FileSystem), None) => {
            let problem = "execution.checkpointing.storage is filesystem, but execution.checkpointing.dir is not set: \
                           set it";
            return Err(invalid(problem));
        }
    };
    let MemorySize { bytes: inline_below } = configuration.get(&keys::DATA_INLINE_THRESHOLD)?;
    let savepoint_directory = configuration.get_optional(&keys::SAVEPOINT_DIRECTORY)?;
    Ok(SnapshotStorage { checkpoints, savepoint_directory, inline_below })
}

/// What the job starts from, and which job it is: a new one, unless it goes on from its own latest checkpoint.
pub(crate) fn restore(configuration: &Configuration) -> Result<(JobKey, Option<Restore>), Error> {
    let new = JobKey(u128::from(seam::random()) << 64 | u128::from(seam::random()));
    let Some(path) = configuration.get_optional(&keys::RESTORE_PATH)? else { return Ok((new, None)) };
    let allow_non_restored_state = configuration.get(&keys::IGNORE_UNCLAIMED_STATE)?;
    if path == LATEST {
        let Some(snapshot) = latest(configuration)? else { return Ok((new, None)) };
        let job = snapshot.metadata.job;
        tracing::info!("goes on from {}", snapshot.location());
        let restore = go_on(snapshot, configuration, allow_non_restored_state).map_err(JobError::Storage)?;
        return Ok((job, Some(restore)));
    }
    let owner = match configuration.get(&keys::RESTORE_CLAIM_MODE)? {
        RestoreMode::NoClaim => Owner::User,
        RestoreMode::Claim => Owner::Job,
    };
    let snapshot = StoredSnapshot::open(&path).map_err(JobError::Storage)?;
    tracing::info!("starts from {}", snapshot.location());
    let (older, first_checkpoint) = (Vec::new(), 1);
    Ok((new, Some(Restore { snapshot, older, first_checkpoint, owner, allow_non_restored_state })))
}

/// A job that goes on as it was keeps its older checkpoints, and never uses a number twice: a damaged checkpoint stays.
fn go_on(
    snapshot: StoredSnapshot,
    configuration: &Configuration,
    allow_non_restored_state: bool,
) -> Result<Restore, StorageError> {
    let directory =
        configuration.get_optional(&keys::CHECKPOINT_DIRECTORY).ok().flatten().unwrap_or_default();
    let (job, id) = (snapshot.metadata.job, snapshot.metadata.checkpoint);
    let mut older = find_checkpoints(&directory)?.checkpoints;
    older.retain(|other| other.metadata.job == job && other.metadata.checkpoint < id);
    older.sort_by_key(|other| other.metadata.checkpoint);
    let names = storage::open(&directory)?.children(&job.to_string())?;
    let used = names.iter().filter_map(|name| checkpoint_of_directory(name)).max().unwrap_or(id);
    let (first_checkpoint, owner) = (used + 1, Owner::Job);
    Ok(Restore { snapshot, older, first_checkpoint, owner, allow_non_restored_state })
}

/// The newest checkpoint that is whole; none if there is none at all.
fn latest(configuration: &Configuration) -> Result<Option<StoredSnapshot>, Error> {
    let Some(directory) = configuration.get_optional(&keys::CHECKPOINT_DIRECTORY)? else {
        let problem = "it is to start from its latest checkpoint, but execution.checkpointing.dir does not say where that \
                       is: set it (--checkpoint-dir)";
        return Err(invalid(problem));
    };
    let found = latest_checkpoint(&directory).map_err(JobError::Storage)?;
    for error in &found.passed_over {
        tracing::warn!("a checkpoint can't be used: {error}");
    }
    match (found.checkpoint, found.passed_over.into_iter().next()) {
        (Some(snapshot), _) => Ok(Some(snapshot)),
        // To begin anew would lose what the damaged ones hold.
        (None, Some(error)) => Err(damaged(error)),
        (None, None) => {
            tracing::info!("there is no checkpoint in {directory}: starts from the beginning");
            Ok(None)
        }
    }
}

fn damaged(error: StorageError) -> Error {
    JobError::Storage(error).into()
}
