//! What a sink has prepared and must commit: the bookkeeping of two-phase commits by checkpoint.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::BoxError;
use crate::sink::CommitError;

/// The committables of one subtask, from the barrier that they were prepared at to their commit.
///
/// Those of checkpoint n are committed once the job is told that n, or a later checkpoint, is complete. Until a
/// commit has succeeded a committable is part of every snapshot; so a commit may be repeated, and must be idempotent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committables<C> {
    pending: BTreeMap<u64, Vec<C>>,
    completed: Option<u64>,
}

/// What a snapshot holds of [`Committables`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommittablesState<C> {
    /// What waits, by checkpoint.
    pub pending: BTreeMap<u64, Vec<C>>,
}

impl<C> Default for Committables<C> {
    fn default() -> Self {
        Self { pending: BTreeMap::new(), completed: None }
    }
}

impl<C> Committables<C> {
    /// What a snapshot held, or those of several subtasks after rescaling. All of it is due at once: the job starts
    /// from a checkpoint, so that checkpoint is complete.
    pub fn restored(states: impl IntoIterator<Item = CommittablesState<C>>) -> Self {
        let mut restored = Self::default();
        for (checkpoint, committables) in states.into_iter().flat_map(|state| state.pending) {
            restored.add(checkpoint, committables);
        }
        restored.completed = restored.pending.last_key_value().map(|(checkpoint, _)| *checkpoint);
        restored
    }

    /// Takes what was prepared at the barrier of a checkpoint. To be called before the checkpoint's
    /// [`Committables::snapshot`].
    pub fn add(&mut self, checkpoint: u64, committables: impl IntoIterator<Item = C>) {
        let mut committables = committables.into_iter().peekable();
        if committables.peek().is_some() {
            self.pending.entry(checkpoint).or_default().extend(committables);
        }
    }

    /// What a snapshot must hold.
    pub fn snapshot(&self) -> CommittablesState<C>
    where
        C: Clone,
    {
        CommittablesState { pending: self.pending.clone() }
    }

    /// A checkpoint is complete, and so are all before it. A late notice of a smaller one changes nothing.
    pub fn complete(&mut self, checkpoint: u64) {
        self.completed = self.completed.max(Some(checkpoint));
    }

    /// Commits what is due, oldest checkpoint first. `None` if all of it is committed; otherwise why the first that is not
    /// must be tried again: this is to be called again later.
    ///
    /// # Errors
    /// The cause of the first commit that can never succeed. It and what comes behind it stay.
    pub fn commit(
        &mut self,
        mut commit: impl FnMut(&C) -> Result<(), CommitError>,
    ) -> Result<Option<BoxError>, BoxError> {
        let Some(completed) = self.completed else { return Ok(None) };
        let (mut failure, mut later) = (None, None);
        for (_, committables) in self.pending.range_mut(..=completed) {
            committables.retain(|committable| {
                let outcome = if failure.is_none() { commit(committable) } else { return true };
                match outcome {
                    Ok(()) | Err(CommitError::AlreadyCommitted) => false,
                    Err(CommitError::RetryLater(cause)) => {
                        later.get_or_insert(cause);
                        true
                    }
                    Err(CommitError::Failed(cause)) => {
                        failure = Some(cause);
                        true
                    }
                }
            });
        }
        self.pending.retain(|_, committables| !committables.is_empty());
        match failure {
            Some(cause) => Err(cause),
            None => Ok(later),
        }
    }

    /// How many committables wait, due or not.
    pub fn len(&self) -> usize {
        self.pending.values().map(Vec::len).sum()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}

#[cfg(test)]
mod tests;
