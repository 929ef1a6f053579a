//! The snapshots since which changes may be asked for.

use crate::table::Epoch;

/// So many checkpoints may fail in a row before one holds everything again.
const MOST: usize = 16;

/// Checkpoints of this run and the epochs that began with them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Bases(Vec<(u64, Epoch)>);

impl Bases {
    /// The epoch that began with a checkpoint. Those before it won't be asked for any more.
    pub(super) fn since(&mut self, checkpoint: u64) -> Option<Epoch> {
        let at = self.0.iter().position(|(known, _)| *known == checkpoint)?;
        self.0.drain(..at);
        Some(self.0[0].1)
    }

    /// A checkpoint began, and with it an epoch.
    pub(super) fn add(&mut self, checkpoint: u64, epoch: Epoch) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push((checkpoint, epoch));
    }

    /// Changes since this epoch or a later one may be asked for.
    pub(super) fn oldest(&self) -> Option<Epoch> {
        self.0.first().map(|(_, epoch)| *epoch)
    }
}
