//! At least once: barriers are counted, and nothing waits.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{AbortReason, BarrierAction, BarrierEvent};
use crate::checkpoint::options::Barrier;

/// How many checkpoints are counted at once; of more the oldest is forgotten.
const MOST_PENDING: usize = 50;

/// Counts barriers (Flink: `CheckpointBarrierTracker`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Tracker {
    open: BTreeSet<u32>,
    pending: BTreeMap<u64, Pending>,
    /// The highest checkpoint that was ever seen.
    latest: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    barrier: Barrier,
    reached: BTreeSet<u32>,
}

impl Tracker {
    pub(super) fn new(channels: usize) -> Self {
        Self { open: (0..channels as u32).collect(), pending: BTreeMap::new(), latest: 0 }
    }

    pub(super) fn handle(&mut self, event: BarrierEvent, actions: &mut Vec<BarrierAction>) {
        match event {
            BarrierEvent::Reached { channel, barrier } if self.open.contains(&channel) => {
                self.count(Some(channel), barrier);
            }
            BarrierEvent::Triggered { barrier } => self.count(None, barrier),
            BarrierEvent::Cancelled { checkpoint } => self.cancel(checkpoint, actions),
            BarrierEvent::ChannelEnded { channel } => {
                self.open.remove(&channel);
            }
            BarrierEvent::Reached { .. } | BarrierEvent::Arrived { .. } | BarrierEvent::TimeAdvanced => {
                return;
            }
        }
        self.snapshot_complete(actions);
    }

    fn count(&mut self, channel: Option<u32>, barrier: Barrier) {
        let checkpoint = barrier.checkpoint;
        if checkpoint > self.latest {
            self.latest = checkpoint;
            self.pending.insert(checkpoint, Pending { barrier, reached: BTreeSet::new() });
            if self.pending.len() > MOST_PENDING {
                self.pending.pop_first();
            }
        }
        if let Some(pending) = self.pending.get_mut(&checkpoint) {
            pending.reached.extend(channel);
        }
    }

    fn cancel(&mut self, checkpoint: u64, actions: &mut Vec<BarrierAction>) {
        let unknown = checkpoint > self.latest;
        self.latest = self.latest.max(checkpoint);
        let later = self.pending.split_off(&checkpoint.saturating_add(1));
        // Those before it can't complete either: the channel that brings the cancellation has passed them.
        for earlier in std::mem::replace(&mut self.pending, later).into_keys() {
            let same = earlier == checkpoint;
            let reason = if same { AbortReason::Cancelled } else { AbortReason::NewerCheckpoint };
            actions.push(BarrierAction::Abort { checkpoint: earlier, reason });
        }
        if unknown {
            actions.push(BarrierAction::Abort { checkpoint, reason: AbortReason::Cancelled });
        }
    }

    /// Takes the snapshots whose barriers have all come, oldest first, and forgets those that were overtaken.
    fn snapshot_complete(&mut self, actions: &mut Vec<BarrierAction>) {
        let complete = |pending: &Pending| self.open.is_subset(&pending.reached);
        let ids: Vec<u64> =
            self.pending.iter().filter(|(_, pending)| complete(pending)).map(|(id, _)| *id).collect();
        for id in ids {
            let later = self.pending.split_off(&id.saturating_add(1));
            if let Some((_, done)) = std::mem::replace(&mut self.pending, later).pop_last() {
                actions.push(BarrierAction::Snapshot { barrier: done.barrier });
            }
        }
    }
}
