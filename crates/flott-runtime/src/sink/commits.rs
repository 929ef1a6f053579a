//! What a subtask of a sink must commit, with its committer and the attempts that failed.

use std::time::Duration;

use flott_core::time::Timestamp;

use super::Committer;
use crate::checkpoint::two_phase::{Committables, CommittablesState};
use crate::error::{BoxError, FnResult};
use crate::task::TaskShared;

/// How often a commit is tried before the task fails.
const ATTEMPTS: u32 = 10;

/// The wait after the first failed attempt, doubled after each further one.
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// A commit was given up for now.
#[derive(Debug, thiserror::Error)]
#[error("a commit did not succeed in {ATTEMPTS} attempts; the last one failed as follows")]
struct GaveUp(#[source] BoxError);

/// A committer and what it must commit.
pub(super) struct Commits<C> {
    committer: Box<dyn Committer<C>>,
    committables: Committables<C>,
    /// Attempts that failed since all was committed.
    failed: u32,
    retry_at: Option<Timestamp>,
}

impl<C: Clone> Commits<C> {
    /// What the restored snapshots hold is due at once.
    pub(super) fn new(committer: Box<dyn Committer<C>>, restored: Vec<CommittablesState<C>>) -> Self {
        Self { committer, committables: Committables::restored(restored), failed: 0, retry_at: None }
    }

    /// Takes what was prepared at the barrier of a checkpoint.
    pub(super) fn add(&mut self, checkpoint: u64, committables: Vec<C>) {
        self.committables.add(checkpoint, committables);
    }

    /// A checkpoint is complete: what was prepared for it is due.
    pub(super) fn complete(&mut self, checkpoint: u64) {
        self.committables.complete(checkpoint);
    }

    /// What a snapshot must hold; nothing if nothing waits.
    pub(super) fn snapshot(&self) -> Option<CommittablesState<C>> {
        (!self.committables.is_empty()).then(|| self.committables.snapshot())
    }

    /// When [`Commits::commit`] is to be called again, if what is due could not all be committed.
    pub(super) fn retry_at(&self) -> Option<Timestamp> {
        self.retry_at
    }

    /// Commits what is due, as far as it goes.
    ///
    /// # Errors
    /// When a commit can never succeed, or did not for a long time.
    pub(super) fn commit(&mut self, now: Timestamp) -> FnResult {
        let wait = self.attempt()?;
        let at = |wait: Duration| now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        self.retry_at = wait.map(at);
        Ok(())
    }

    /// Commits what is due, and does not return before all of it is committed. For a task that has nothing else to do.
    ///
    /// # Errors
    /// As [`Commits::commit`], and when the task is cancelled.
    pub(super) fn commit_all(&mut self, task: &TaskShared) -> FnResult {
        while let Some(wait) = self.attempt()? {
            task.pause(wait)?;
        }
        self.retry_at = None;
        Ok(())
    }

    /// Tries to commit all that is due; how long to wait before the next attempt if some of it could not be.
    fn attempt(&mut self) -> FnResult<Option<Duration>> {
        let Self { committer, committables, .. } = self;
        let Some(cause) = committables.commit(|committable| committer.commit(committable))? else {
            self.failed = 0;
            return Ok(None);
        };
        self.failed += 1;
        if self.failed == ATTEMPTS {
            return Err(GaveUp(cause).into());
        }
        Ok(Some(FIRST_WAIT * (1 << (self.failed - 1))))
    }
}
