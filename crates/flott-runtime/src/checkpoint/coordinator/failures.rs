//! How many checkpoints have failed in a row.

use serde::{Deserialize, Serialize};

use super::event::{FailureReason, JobFailure};

/// Counts failed checkpoints (Flink: `CheckpointFailureManager`).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Failures {
    in_a_row: u32,
    last_completed: u64,
}

impl Failures {
    pub(super) fn completed(&mut self, checkpoint: u64) {
        if checkpoint > self.last_completed {
            self.last_completed = checkpoint;
            self.in_a_row = 0;
        }
    }

    /// Counts a failure, and says if it is one too many; then counting begins anew. A failure of a checkpoint before
    /// the last complete one says nothing any more.
    pub(super) fn failed(
        &mut self,
        checkpoint: u64,
        reason: FailureReason,
        tolerable: u32,
    ) -> Option<JobFailure> {
        if !reason.is_counted() || checkpoint < self.last_completed {
            return None;
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        if self.in_a_row <= tolerable {
            return None;
        }
        let failures = std::mem::take(&mut self.in_a_row);
        Some(JobFailure::TooManyFailedCheckpoints { failures, tolerable, last: reason })
    }
}
