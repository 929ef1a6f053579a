//! Checkpoints that storage may hold already, and of which it isn't decided yet whether they count.

use std::collections::BTreeSet;

/// Checkpoints from the moment in which their metadata goes into storage until they are complete, or deleted again.
///
/// No task starts again meanwhile. It would start from an earlier checkpoint, and its sink would abort what the undecided one has
/// prepared; if the process died then, the undecided one would be found in storage, and the job would go on from there without that.
#[derive(Debug, Default)]
pub(super) struct Undecided {
    written: BTreeSet<u64>,
    discarded: BTreeSet<u64>,
}

impl Undecided {
    /// Metadata goes into storage.
    pub(super) fn write(&mut self, checkpoint: u64) {
        self.written.insert(checkpoint);
    }

    /// A checkpoint is to be deleted from storage.
    pub(super) fn discard(&mut self, checkpoint: u64) {
        if self.written.contains(&checkpoint) {
            self.discarded.insert(checkpoint);
        }
    }

    /// Storage has answered for the metadata, and what follows from that is done: it is complete unless it is to be deleted.
    pub(super) fn answered(&mut self, checkpoint: u64) {
        if !self.discarded.contains(&checkpoint) {
            self.written.remove(&checkpoint);
        }
    }

    /// A checkpoint is deleted, as far as that is possible.
    pub(super) fn gone(&mut self, checkpoint: u64) {
        self.written.remove(&checkpoint);
        self.discarded.remove(&checkpoint);
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.written.is_empty()
    }
}
