//! Stores snapshots on a thread of its own, so that neither tasks nor the coordinator wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_core::seam::Clock;
use flott_state::format::{CheckpointMetadata, SnapshotHandle, StateFileEncoder};
use flott_state::storage::{CheckpointDirectory, FileScope, SnapshotTarget, StorageError};
use flott_state::{OperatorSnapshot, SnapshotSink, StateError};

use super::coordinator::TaskId;
use super::inbox::{Inbox, Sender, inbox};
use super::message::Message;
use super::stored::RestorePoint;
use crate::error::JobError;
use crate::seam::{JoinHandle, spawn};
use crate::snapshot::TaskSnapshot;

/// How much work may wait. A task that finds the queue full waits, and with it its input.
const WAITING: usize = 1_024;

/// How many snapshots that were given up are remembered for what comes late.
const MOST_GIVEN_UP: usize = 64;

/// What there is to do.
pub(super) enum StorageWork {
    /// A snapshot begins, whose state goes there.
    Begin(SnapshotTarget),
    /// A task has taken its snapshot.
    Store { task: TaskId, snapshot: TaskSnapshot },
    /// All tasks have stored theirs.
    WriteMetadata(CheckpointMetadata),
    /// A checkpoint is no longer kept.
    Discard { location: String },
    /// A snapshot did not complete; nothing more of it is written.
    DiscardPending { checkpoint: u64 },
    /// A task has stored its part of a snapshot that is over.
    DiscardLate { checkpoint: u64, state: SnapshotHandle },
    /// No checkpoint of this run has begun: what an earlier one has left may go.
    Clean,
    /// The job has ended.
    End,
}

/// The thread's part.
struct Storage {
    directory: Arc<CheckpointDirectory>,
    clock: Arc<dyn Clock>,
    /// Where the snapshots under way go.
    targets: BTreeMap<u64, SnapshotTarget>,
    /// Where those went that were given up, of which something may still come.
    given_up: BTreeMap<u64, SnapshotTarget>,
    messages: Sender<Message>,
}

/// Starts the thread.
///
/// # Errors
/// When the system gives none.
pub(super) fn start(
    directory: Arc<CheckpointDirectory>,
    clock: Arc<dyn Clock>,
    messages: Sender<Message>,
) -> Result<(Sender<StorageWork>, JoinHandle<()>), JobError> {
    let (sender, inbox) = inbox(WAITING);
    let storage = Storage { directory, clock, targets: BTreeMap::new(), given_up: BTreeMap::new(), messages };
    let thread = spawn("flott-checkpoints".to_owned(), move || storage.run(&inbox))
        .map_err(|cause| JobError::Resource { what: "a thread for checkpoints".to_owned(), cause })?;
    Ok((sender, thread))
}

impl Storage {
    fn run(mut self, work: &Inbox<StorageWork>) {
        while let Some(work) = work.receive(None) {
            match work {
                StorageWork::Begin(target) => {
                    self.targets.insert(target.checkpoint(), target);
                }
                StorageWork::Store { task, snapshot } => {
                    let checkpoint = snapshot.barrier.checkpoint;
                    let result = match self.targets.get(&checkpoint) {
                        Some(target) => store(target, task, snapshot).map_err(|error| error.to_string()),
                        // It is given up already.
                        None => Ok(SnapshotHandle::default()),
                    };
                    self.messages.send(Message::Stored { task, checkpoint, result });
                }
                StorageWork::WriteMetadata(metadata) => self.complete(metadata),
                StorageWork::Discard { location } => tell(self.directory.discard(&location)),
                StorageWork::DiscardPending { checkpoint } => self.discard_pending(checkpoint),
                StorageWork::DiscardLate { checkpoint, state } => {
                    if let Some(target) = self.given_up.get(&checkpoint) {
                        tell(self.directory.discard_late(target, &state));
                    }
                }
                StorageWork::Clean => tell(self.directory.clean()),
                StorageWork::End => return,
            }
        }
    }

    fn discard_pending(&mut self, checkpoint: u64) {
        if let Some(target) = self.targets.remove(&checkpoint) {
            tell(self.directory.discard_pending(&target));
            self.given_up.insert(checkpoint, target);
            if self.given_up.len() > MOST_GIVEN_UP {
                self.given_up.pop_first();
            }
        }
    }

    fn complete(&mut self, mut metadata: CheckpointMetadata) {
        let checkpoint = metadata.checkpoint;
        let Some(target) = self.targets.get(&checkpoint).cloned() else { return };
        metadata.completed_ms = u64::try_from(self.clock.wall_ms()).unwrap_or(0);
        let result = self.directory.complete(&target, &metadata);
        let source = target.source();
        if result.is_ok() {
            self.targets.remove(&checkpoint);
        }
        let result = result.map(|location| (location, RestorePoint { metadata: Arc::new(metadata), source }));
        let result = result.map_err(|error| error.to_string());
        self.messages.send(Message::MetadataWritten { checkpoint, result });
    }
}

/// What can't be deleted is in nobody's way; the next run of the job tries again.
fn tell(deleted: Result<(), StorageError>) {
    if let Err(error) = deleted {
        tracing::warn!("a checkpoint that is no longer needed was not deleted: {error}");
    }
}

/// Stores what a task has taken.
fn store(
    target: &SnapshotTarget,
    task: TaskId,
    snapshot: TaskSnapshot,
) -> Result<SnapshotHandle, StorageError> {
    if snapshot.operators.is_empty() {
        return Ok(SnapshotHandle::default());
    }
    let name = format!("{}-{}", task.vertex, task.subtask);
    let mut encoder = StateFileEncoder::new();
    for (id, state) in snapshot.operators {
        encode(&mut encoder, id.0, &state)
            .map_err(|error| StorageError::State { place: format!("the state of {name}"), error })?;
    }
    let part = target.store(&name, FileScope::Exclusive, encoder)?;
    Ok(SnapshotHandle { checkpointed_bytes: part.size(), parts: vec![part] })
}

fn encode(
    encoder: &mut StateFileEncoder,
    operator: u128,
    state: &OperatorSnapshot,
) -> Result<(), StateError> {
    let mut section = encoder.operator(operator);
    for keyed in &state.keyed {
        let number = section.keyed_state(&keyed.meta)?;
        for (group, entries) in &keyed.groups {
            section.entries(number, *group, entries.count, &entries.bytes)?;
        }
    }
    state.operator.iter().try_for_each(|state| section.operator_state(state))
}
