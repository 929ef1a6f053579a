//! Stores snapshots on a thread of its own, so that neither tasks nor the coordinator wait for it.

use super::coordinator::TaskId;
use super::inbox::{Inbox, Sender, inbox};
use super::message::Message;
use super::stored::StoredTask;
use crate::error::JobError;
use crate::seam::spawn;
use crate::snapshot::TaskSnapshot;

/// How much work may wait. A task that finds the queue full waits, and with it its input.
const WAITING: usize = 1_024;

/// What there is to do.
pub(super) enum StorageWork {
    /// A task has taken its snapshot.
    Store { task: TaskId, snapshot: TaskSnapshot },
    /// All tasks have stored theirs.
    WriteMetadata { checkpoint: u64 },
    /// The job has ended.
    End,
}

/// Starts the thread.
///
/// # Errors
/// When the system gives none.
pub(super) fn start(messages: Sender<Message>) -> Result<Sender<StorageWork>, JobError> {
    let (sender, inbox) = inbox(WAITING);
    spawn("flott-checkpoints".to_owned(), move || run(&inbox, &messages))
        .map_err(|cause| JobError::Resource { what: "a thread for checkpoints".to_owned(), cause })?;
    Ok(sender)
}

fn run(work: &Inbox<StorageWork>, messages: &Sender<Message>) {
    loop {
        match work.receive(None) {
            Some(StorageWork::Store { task, snapshot }) => {
                let checkpoint = snapshot.barrier.checkpoint;
                let result = Ok(StoredTask::of(snapshot));
                messages.send(Message::Stored { task, checkpoint, result });
            }
            Some(StorageWork::WriteMetadata { checkpoint }) => {
                let result = Ok(format!("(memory)/chk-{checkpoint}"));
                messages.send(Message::MetadataWritten { checkpoint, result });
            }
            Some(StorageWork::End) | None => return,
        }
    }
}
