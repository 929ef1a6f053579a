//! What makes a checkpoint complete: where all of its state is.

use std::fmt;
use std::str::FromStr;

use flott_core::encoding::EncodeError;
use serde::{Deserialize, Serialize};

use super::frame::{self, HEADER_BYTES, METADATA, TRAILER_BYTES, Trailer};
use super::handle::{SnapshotHandle, StateFile};
use super::{Damage, byte_string};

#[cfg(test)]
mod tests;

/// The 128-bit id of a job, spelled as 32 hexadecimal digits (Flink: `JobID`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct JobKey(pub u128);

impl fmt::Display for JobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for JobKey {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_key = text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_key.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(())
    }
}

/// Whom a snapshot is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SnapshotForm {
    /// For recovery; it may share files with others of its job.
    Checkpoint,
    /// For the user, in canonical form: every backend reads it, and it refers to nothing outside its directory.
    Savepoint,
}

/// The state of a whole job at one logical instant, as stored in `_metadata`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointMetadata {
    /// The id of the checkpoint.
    pub checkpoint: u64,
    /// Whom it is for.
    pub form: SnapshotForm,
    /// The job.
    pub job: JobKey,
    /// The name of the job.
    pub job_name: String,
    /// The version of the flott that wrote it.
    pub flott_version: String,
    /// When it was triggered, in milliseconds since 1970.
    pub triggered_ms: u64,
    /// When all of its state was stored, in milliseconds since 1970.
    pub completed_ms: u64,
    /// Whether no record was in a channel: all state is that of operators.
    pub aligned: bool,
    /// The tasks of the job.
    pub tasks: Vec<TaskMetadata>,
}

/// A task: chained operators, whose state is stored together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskMetadata {
    /// The names of its operators.
    pub name: String,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// Its operators.
    pub operators: Vec<OperatorMetadata>,
    /// Its subtasks, as many as its parallelism says, in their order.
    pub subtasks: Vec<SubtaskState>,
}

/// An operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorMetadata {
    /// Its id, by which its state is found in the state files.
    pub id: u128,
    /// Its name.
    pub name: String,
    /// The `uid` that its id comes from, if it has one.
    pub uid: Option<String>,
    /// What the coordinator keeps for it: of a source, the state of its enumerator. Empty if there is nothing.
    #[serde(with = "byte_string")]
    pub coordinator_state: Vec<u8>,
}

/// What there is of a subtask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubtaskState {
    /// Its state.
    Stored(SnapshotHandle),
    /// It had finished before.
    Finished,
}

impl TaskMetadata {
    /// The number of subtasks.
    pub fn parallelism(&self) -> u32 {
        self.subtasks.len() as u32
    }

    /// The state that its subtasks have stored, with their numbers.
    pub fn handles(&self) -> impl Iterator<Item = (u32, &SnapshotHandle)> {
        self.subtasks.iter().enumerate().filter_map(|(subtask, state)| match state {
            SubtaskState::Stored(handle) => Some((subtask as u32, handle)),
            SubtaskState::Finished => None,
        })
    }
}

impl CheckpointMetadata {
    /// The files that it refers to.
    pub fn files(&self) -> impl Iterator<Item = &StateFile> {
        self.tasks.iter().flat_map(TaskMetadata::handles).flat_map(|(_, handle)| handle.files())
    }

    /// The task that an operator is part of, and the operator.
    pub fn operator(&self, id: u128) -> Option<(&TaskMetadata, &OperatorMetadata)> {
        self.tasks.iter().find_map(|task| {
            task.operators.iter().find(|operator| operator.id == id).map(|operator| (task, operator))
        })
    }

    /// The bytes of `_metadata`.
    ///
    /// # Errors
    /// When something has more elements than a file can hold.
    pub fn to_bytes(&self) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = METADATA.header().to_vec();
        frame::close(METADATA, &frame::encode(self)?, &mut bytes);
        Ok(bytes)
    }

    /// Reads the bytes of `_metadata`.
    ///
    /// # Errors
    /// When they are not exactly what was written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Damage> {
        let size = bytes.len() as u64;
        let Some((header, rest)) = bytes.split_at_checked(HEADER_BYTES) else {
            return Err(METADATA.refused());
        };
        METADATA.check_header(header)?;
        let Some(body_len) = rest.len().checked_sub(TRAILER_BYTES) else { return Err(METADATA.refused()) };
        let (body, trailer) = rest.split_at(body_len);
        let trailer = Trailer::read(METADATA, trailer, size)?;
        if trailer.body_len != body_len as u64 {
            return Err(Damage::Length { found: body_len as u64, expected: trailer.body_len });
        }
        frame::check("body", body, trailer.checksum)?;
        frame::decode("body", body)
    }
}
