//! What a configuration says of checkpoints and savepoints: how they are taken, where they go, what the job starts from.

use flott_core::config::{CheckpointStorageKind, Configuration, MemorySize, RestoreMode, keys};
use flott_runtime::checkpoint::coordinator::Owner;
use flott_runtime::checkpoint::settings::{CheckpointSettings, SettingsError};
use flott_runtime::error::JobError;
use flott_runtime::graph::GraphError;
use flott_runtime::job::{Restore, SnapshotStorage};
use flott_runtime::seam;
use flott_state::format::JobKey;
use flott_state::storage::{CheckpointStorage, StorageError, StoredSnapshot, latest_checkpoint};

use crate::error::Error;

/// What stands for the newest checkpoint of the checkpoint directory.
const LATEST: &str = "latest";

/// How checkpoints are taken.
pub(crate) fn checkpointing(configuration: &Configuration) -> Result<CheckpointSettings, Error> {
    let settings = CheckpointSettings::from_config(configuration).map_err(settings_error)?;
    if settings.unaligned {
        let problem = "execution.checkpointing.unaligned.enabled is set, but barriers don't overtake records yet: \
                       leave it out";
        return Err(invalid(problem));
    }
    Ok(settings)
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
pub(crate) fn storage(configuration: &Configuration) -> Result<SnapshotStorage, Error> {
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
    let (snapshot, job, owner) = if path == LATEST {
        let Some(snapshot) = latest(configuration)? else { return Ok((new, None)) };
        let job = snapshot.metadata.job;
        (snapshot, job, Owner::Job)
    } else {
        let owner = match configuration.get(&keys::RESTORE_CLAIM_MODE)? {
            RestoreMode::NoClaim => Owner::User,
            RestoreMode::Claim => Owner::Job,
        };
        (StoredSnapshot::open(&path).map_err(JobError::Storage)?, new, owner)
    };
    tracing::info!("starts from {}", snapshot.location());
    Ok((job, Some(Restore { snapshot, owner, allow_non_restored_state })))
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
