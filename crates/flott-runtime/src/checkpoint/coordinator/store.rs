//! The completed checkpoints of a job, and which of them are kept.

use flott_core::config::CheckpointRetention;
use serde::{Deserialize, Serialize};

use super::event::{CompletedCheckpoint, Owner, TerminalStatus};

/// The completed checkpoints that are kept, oldest first (Flink: `CompletedCheckpointStore`). What belongs to the user
/// is known until there is a checkpoint of the job's own after it, and is never given out to be deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CompletedStore<H> {
    kept: Vec<CompletedCheckpoint<H>>,
}

impl<H> CompletedStore<H> {
    pub(super) fn new() -> Self {
        Self { kept: Vec::new() }
    }

    pub(super) fn latest(&self) -> Option<&CompletedCheckpoint<H>> {
        self.kept.last()
    }

    pub(super) fn all(&self) -> &[CompletedCheckpoint<H>] {
        &self.kept
    }

    /// Adds the newest one, and gives back those that are to be deleted for it.
    pub(super) fn add(
        &mut self,
        checkpoint: CompletedCheckpoint<H>,
        num_retained: u32,
    ) -> Vec<CompletedCheckpoint<H>> {
        self.kept.retain(|kept| kept.owner == Owner::Job);
        self.kept.push(checkpoint);
        let own = self.kept.iter().filter(|kept| kept.owner == Owner::Job).count();
        // Whatever belongs to the user is at the end now.
        self.kept.drain(..own.saturating_sub(num_retained.max(1) as usize)).collect()
    }

    /// Gives back those that are to be deleted when the job has ended.
    pub(super) fn end(
        &mut self,
        status: TerminalStatus,
        retention: CheckpointRetention,
    ) -> Vec<CompletedCheckpoint<H>> {
        let kept = std::mem::take(&mut self.kept);
        if is_retained(status, retention) {
            return Vec::new();
        }
        kept.into_iter().filter(|checkpoint| checkpoint.owner == Owner::Job).collect()
    }
}

fn is_retained(status: TerminalStatus, retention: CheckpointRetention) -> bool {
    match retention {
        CheckpointRetention::None => false,
        CheckpointRetention::DeleteOnCancellation => status == TerminalStatus::Failed,
        CheckpointRetention::RetainOnCancellation => status != TerminalStatus::Finished,
    }
}
