//! Stores snapshots on a thread of its own, so that neither tasks nor the coordinator wait for it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flott_core::seam::Clock;
use flott_state::format::{CheckpointMetadata, EncodedEnd, SnapshotHandle};
use flott_state::storage::{CheckpointDirectory, FileScope, SnapshotTarget, StateUpload, StorageError};

use super::bases::Bases;
use super::coordinator::TaskId;
use super::inbox::{Inbox, Sender, inbox};
use super::message::Message;
use super::statistics::SubtaskCheckpoint;
use super::store_uploads::StoreUploads;
use super::stored::RestorePoint;
use crate::error::JobError;
use crate::seam::{JoinHandle, Signal, spawn};

/// How much work may wait. A task that finds the queue full waits, and with it its input.
const WAITING: usize = 1_024;

/// How many bytes of state may wait to be stored; tasks hold back what is more.
pub(super) const MOST_WAITING_BYTES: usize = 32 << 20;

/// How many snapshots that are over are remembered for what comes late.
const MOST_OVER: usize = 64;

/// How often the deletion of a checkpoint that was given up is tried, and at the end of the job that of all that is left. One whose
/// metadata stays would be found by the next process, which had better not start from it.
const DISCARD_ATTEMPTS: u32 = 4;

/// How long to wait before it is tried again.
const DISCARD_PAUSE: Duration = Duration::from_millis(100);

/// What there is to do.
pub(super) enum StorageWork {
    /// A snapshot begins, whose state goes there. Tasks may give what has changed since a complete one, and later ones may refer to what is
    /// shared.
    Begin { target: SnapshotTarget, base: Option<u64>, is_shared: bool },
    /// A part of a task's snapshot.
    Store { task: TaskId, checkpoint: u64, bytes: Vec<u8> },
    /// The end of a task's snapshot; `None` if the task has no state.
    Finish {
        task: TaskId,
        attempt: u32,
        checkpoint: u64,
        end: Option<EncodedEnd>,
        figures: SubtaskCheckpoint,
    },
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
    targets: BTreeMap<u64, Destination>,
    /// What tasks have stored that checkpoints under way or to come may build on.
    bases: Bases,
    /// Where those went that were stored or given up: the coordinator may have given up what is stored, and of what was given up
    /// something may still come.
    over: BTreeMap<u64, SnapshotTarget>,
    /// What tasks have begun to store.
    uploads: BTreeMap<(u64, TaskId), Result<StateUpload, StorageError>>,
    waiting_bytes: Arc<AtomicUsize>,
    messages: Sender<Message>,
}

/// Where a snapshot under way goes.
struct Destination {
    target: SnapshotTarget,
    scope: FileScope,
    /// The complete checkpoint that it may build on.
    base: Option<u64>,
}

impl Destination {
    /// Begins the state file of a task.
    fn begin(&self, task: TaskId) -> StateUpload {
        self.target.upload(&format!("{}-{}", task.vertex, task.subtask), self.scope)
    }
}

/// Starts the thread.
///
/// # Errors
/// When the system gives none.
pub(super) fn start(
    directory: Arc<CheckpointDirectory>,
    clock: Arc<dyn Clock>,
    waiting_bytes: Arc<AtomicUsize>,
    messages: Sender<Message>,
) -> Result<(Sender<StorageWork>, JoinHandle<()>), JobError> {
    let (sender, inbox) = inbox(WAITING);
    let storage = Storage {
        directory,
        clock,
        targets: BTreeMap::new(),
        bases: Bases::default(),
        over: BTreeMap::new(),
        uploads: BTreeMap::new(),
        waiting_bytes,
        messages,
    };
    let thread = spawn("flott-checkpoints".to_owned(), move || storage.run(&inbox))
        .map_err(|cause| JobError::Resource { what: "a thread for checkpoints".to_owned(), cause })?;
    Ok((sender, thread))
}

impl Storage {
    fn run(mut self, work: &Inbox<StorageWork>) {
        while let Some(work) = work.receive(None) {
            match work {
                StorageWork::Begin { target, base, is_shared } => {
                    let scope = if is_shared { FileScope::Shared } else { FileScope::Exclusive };
                    self.targets.insert(target.checkpoint(), Destination { target, scope, base });
                    // What one may build on never becomes older.
                    if let Some(oldest) = self.targets.values().filter_map(|to| to.base).min() {
                        self.bases.keep_from(oldest);
                    }
                }
                StorageWork::Store { task, checkpoint, bytes } => self.store(task, checkpoint, &bytes),
                StorageWork::Finish { task, attempt, checkpoint, end, mut figures } => {
                    let result =
                        self.finish((task, attempt), checkpoint, end).map_err(|error| error.to_string());
                    if let Ok(handle) = &result {
                        figures.checkpointed_bytes = handle.checkpointed_bytes;
                        figures.state_bytes = handle.state_bytes();
                    }
                    self.messages.send(Message::Stored { task, checkpoint, result, figures });
                }
                StorageWork::WriteMetadata(metadata) => self.complete(metadata),
                StorageWork::Discard { location } => tell(self.directory.discard(&location)),
                StorageWork::DiscardPending { checkpoint } => self.discard_pending(checkpoint),
                StorageWork::DiscardLate { checkpoint, state } => {
                    if let Some(target) = self.over.get(&checkpoint) {
                        tell(self.directory.discard_late(target, &state));
                    }
                }
                StorageWork::Clean => tell(self.directory.clean()),
                StorageWork::End => return tell(persist(|| self.directory.sweep_again())),
            }
        }
    }

    /// Stores a part of a task's snapshot; what goes wrong is told at its end.
    fn store(&mut self, task: TaskId, checkpoint: u64, bytes: &[u8]) {
        self.waiting_bytes.fetch_sub(bytes.len(), Ordering::Relaxed);
        let Some(to) = self.targets.get(&checkpoint) else { return };
        let upload = self.uploads.entry((checkpoint, task)).or_insert_with(|| Ok(to.begin(task)));
        if let Ok(writing) = upload
            && let Err(error) = writing.write(bytes)
        {
            *upload = Err(error);
        }
    }

    fn finish(
        &mut self,
        (task, attempt): (TaskId, u32),
        checkpoint: u64,
        end: Option<EncodedEnd>,
    ) -> Result<SnapshotHandle, StorageError> {
        self.waiting_bytes.fetch_sub(end.as_ref().map_or(0, |end| end.bytes.len()), Ordering::Relaxed);
        let upload = self.uploads.remove(&(checkpoint, task));
        // A snapshot that is given up already needs no state.
        let (Some(to), Some(mut end)) = (self.targets.get(&checkpoint), end) else {
            return Ok(SnapshotHandle::default());
        };
        let base = to.base.filter(|_| end.has_changes);
        let local = std::mem::take(&mut end.files);
        let part = upload.unwrap_or_else(|| Ok(to.begin(task)))?.finish(end)?;
        let below = to.base.and_then(|base| Some((base, self.bases.get(base, task)?)));
        let uploads =
            StoreUploads { target: &to.target, scope: to.scope, base: to.base, below, task, attempt };
        let stores = uploads.store(local)?;
        if to.scope == FileScope::Exclusive {
            let bytes = part.size();
            return Ok(stores.on_top_of(vec![part], bytes));
        }
        self.bases.add(checkpoint, task, base, part, stores)
    }

    fn discard_pending(&mut self, checkpoint: u64) {
        self.uploads.retain(|(of, _), _| *of != checkpoint);
        self.bases.forget(checkpoint);
        let begun = self.targets.remove(&checkpoint).map(|destination| destination.target);
        // It may be stored already: then it was given up meanwhile.
        if let Some(target) = begun.or_else(|| self.over.remove(&checkpoint)) {
            tell(persist(|| self.directory.discard_pending(&target)));
            self.remember(target);
        }
        self.messages.send(Message::Discarded { checkpoint });
    }

    fn remember(&mut self, target: SnapshotTarget) {
        self.over.insert(target.checkpoint(), target);
        if self.over.len() > MOST_OVER {
            self.over.pop_first();
        }
    }

    fn complete(&mut self, mut metadata: CheckpointMetadata) {
        let checkpoint = metadata.checkpoint;
        let Some(target) = self.targets.get(&checkpoint).map(|to| to.target.clone()) else { return };
        metadata.completed_ms = u64::try_from(self.clock.wall_ms()).unwrap_or(0);
        let result = self.directory.complete(&target, &metadata);
        let source = target.source();
        if result.is_ok() {
            self.targets.remove(&checkpoint).into_iter().for_each(|to| self.remember(to.target));
        }
        let result = result.map(|location| (location, RestorePoint { metadata: Arc::new(metadata), source }));
        let result = result.map_err(|error| error.to_string());
        self.messages.send(Message::MetadataWritten { checkpoint, result });
    }
}

/// Tries several times.
fn persist(delete: impl Fn() -> Result<(), StorageError>) -> Result<(), StorageError> {
    let mut deleted = delete();
    for _ in 1..DISCARD_ATTEMPTS {
        if deleted.is_ok() {
            break;
        }
        pause(DISCARD_PAUSE);
        deleted = delete();
    }
    deleted
}

fn pause(time: Duration) {
    let signal = Signal::new();
    signal.adopt();
    signal.wait(Some(time));
}

/// What can't be deleted is in nobody's way; the next run of the job tries again.
fn tell(deleted: Result<(), StorageError>) {
    if let Err(error) = deleted {
        tracing::warn!("a checkpoint that is no longer needed was not deleted: {error}");
    }
}
