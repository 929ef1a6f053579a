//! The barriers of one task: when it takes its snapshot, and which of its channels wait or are recorded meanwhile.

mod aligner;
mod tracker;

use flott_core::config::CheckpointingMode;
use serde::{Deserialize, Serialize};

use super::options::Barrier;
use aligner::Aligner;
use tracker::Tracker;

/// One input channel of a task, seen from its barriers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChannelKind {
    /// A barrier may overtake what lies in it.
    Overtakable,
    /// A barrier never overtakes: what lies in a pointwise or broadcast exchange couldn't be divided among another
    /// number of subtasks. An unaligned checkpoint waits for the barriers of these channels.
    InOrder,
}

/// What happens to the channels of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BarrierEvent {
    /// A barrier has entered the queue of a channel; records may still lie before it. Only unaligned checkpoints,
    /// and aligned ones with a timeout, need to be told.
    Arrived {
        /// The channel.
        channel: u32,
        /// The barrier.
        barrier: Barrier,
    },
    /// Everything before a barrier of a channel is processed.
    Reached {
        /// The channel.
        channel: u32,
        /// The barrier.
        barrier: Barrier,
    },
    /// The coordinator triggers the task itself, because all tasks before it have finished. A channel that has not
    /// ended yet counts when it ends.
    Triggered {
        /// The barrier that would have come.
        barrier: Barrier,
    },
    /// A checkpoint was given up, by a task before this one or by the coordinator.
    Cancelled {
        /// The checkpoint.
        checkpoint: u64,
    },
    /// Everything in a channel is processed, and nothing will follow.
    ChannelEnded {
        /// The channel.
        channel: u32,
    },
    /// Time has passed, nothing else.
    TimeAdvanced,
}

/// What the task must do, in this order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BarrierAction {
    /// Read no more of a channel.
    Block {
        /// The channel.
        channel: u32,
    },
    /// Read all channels again.
    UnblockAll,
    /// Forward this barrier, in front of the output if its alignment is unaligned, and take the snapshot.
    Snapshot {
        /// The barrier to forward.
        barrier: Barrier,
    },
    /// Keep a copy of what lies in a channel before the barrier of this checkpoint, and of what enters it until
    /// then. It is still processed.
    Record {
        /// The checkpoint.
        checkpoint: u64,
        /// The channel.
        channel: u32,
    },
    /// The record of a channel is complete: its barrier or its end has come, or the checkpoint is given up.
    StopRecording {
        /// The checkpoint.
        checkpoint: u64,
        /// The channel.
        channel: u32,
    },
    /// What an unaligned snapshot has overtaken is recorded.
    RecordingComplete {
        /// The checkpoint.
        checkpoint: u64,
    },
    /// Give the checkpoint up: drop its snapshot, decline it at the coordinator, forward a cancellation.
    Abort {
        /// The checkpoint.
        checkpoint: u64,
        /// Why.
        reason: AbortReason,
    },
}

/// Why a task gives up a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AbortReason {
    /// A barrier or cancellation of a later checkpoint has come before all barriers of this one.
    NewerCheckpoint,
    /// It was cancelled elsewhere.
    Cancelled,
}

/// The barriers of one task. Channels are numbered from 0; events of channels that it doesn't have, and barriers of
/// checkpoints that are over, change nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Barriers {
    handler: Handler,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Handler {
    ExactlyOnce(Aligner),
    AtLeastOnce(Tracker),
}

impl Barriers {
    /// A task with these channels.
    pub fn new(mode: CheckpointingMode, channels: &[ChannelKind]) -> Self {
        let handler = match mode {
            CheckpointingMode::ExactlyOnce => Handler::ExactlyOnce(Aligner::new(channels)),
            CheckpointingMode::AtLeastOnce => Handler::AtLeastOnce(Tracker::new(channels.len())),
        };
        Self { handler }
    }

    /// Takes an event and says what follows from it.
    pub fn handle(&mut self, now_ms: u64, event: BarrierEvent) -> Vec<BarrierAction> {
        let mut actions = Vec::new();
        match &mut self.handler {
            Handler::ExactlyOnce(aligner) => aligner.handle(now_ms, event, &mut actions),
            Handler::AtLeastOnce(tracker) => tracker.handle(event, &mut actions),
        }
        actions
    }

    /// When [`BarrierEvent::TimeAdvanced`] is due, if nothing else happens before.
    pub fn next_wake_up(&self) -> Option<u64> {
        match &self.handler {
            Handler::ExactlyOnce(aligner) => aligner.next_wake_up(),
            Handler::AtLeastOnce(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
