//! Exactly once: aligned, unaligned, and aligned with a timeout.

use serde::{Deserialize, Serialize};

use super::{AbortReason, BarrierAction, BarrierEvent, ChannelKind};
use crate::checkpoint::options::{Alignment, Barrier};

/// Aligns one checkpoint at a time (Flink: `SingleCheckpointBarrierHandler`).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Aligner {
    channels: Vec<Channel>,
    current: Option<Current>,
    /// The highest checkpoint that was begun or cancelled; barriers of it and of earlier ones are late, unless it is
    /// the current one.
    latest: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Channel {
    kind: ChannelKind,
    progress: Progress,
}

/// How far a channel is with the current checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Progress {
    Waiting,
    /// The barrier lies in the queue.
    Arrived,
    /// Everything before the barrier is processed.
    Reached,
    Ended,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Current {
    barrier: Barrier,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Before the snapshot.
    Aligning {
        /// Whether any channel waits.
        blocked: bool,
    },
    /// After the snapshot of an unaligned checkpoint.
    Recording,
}

impl Aligner {
    pub(super) fn new(channels: &[ChannelKind]) -> Self {
        let channels = channels.iter().map(|kind| Channel { kind: *kind, progress: Progress::Waiting });
        Self { channels: channels.collect(), current: None, latest: 0 }
    }

    pub(super) fn handle(&mut self, now_ms: u64, event: BarrierEvent, actions: &mut Vec<BarrierAction>) {
        match event {
            BarrierEvent::Arrived { channel, barrier } => match barrier.options.alignment {
                Alignment::Unaligned | Alignment::AlignedWithTimeout { .. } => {
                    self.received(channel, barrier, Progress::Arrived, actions);
                }
                Alignment::Aligned | Alignment::AtLeastOnce => return,
            },
            BarrierEvent::Reached { channel, barrier } => {
                self.received(channel, barrier, Progress::Reached, actions);
            }
            BarrierEvent::Triggered { barrier } => {
                self.begin(barrier, actions);
            }
            BarrierEvent::Cancelled { checkpoint } => self.cancel(checkpoint, actions),
            BarrierEvent::ChannelEnded { channel } => self.progressed(channel, Progress::Ended, actions),
            BarrierEvent::TimeAdvanced => {}
        }
        self.snapshot_if_ready(now_ms, actions);
        self.complete_if_recorded(actions);
    }

    /// One millisecond after the timeout, for a checkpoint that takes exactly so long has made it.
    pub(super) fn next_wake_up(&self) -> Option<u64> {
        let current = self.current.as_ref()?;
        match (current.phase, current.barrier.options.alignment) {
            (Phase::Aligning { .. }, Alignment::AlignedWithTimeout { timeout_ms }) => {
                Some(current.barrier.timestamp_ms.saturating_add(timeout_ms).saturating_add(1))
            }
            _ => None,
        }
    }

    fn received(&mut self, channel: u32, barrier: Barrier, to: Progress, actions: &mut Vec<BarrierAction>) {
        let known = self.channels.get(channel as usize).is_some_and(|c| c.progress != Progress::Ended);
        if known && self.begin(barrier, actions) {
            self.progressed(channel, to, actions);
        }
    }

    /// Makes the barrier's checkpoint the current one, and says whether it is.
    fn begin(&mut self, barrier: Barrier, actions: &mut Vec<BarrierAction>) -> bool {
        if barrier.checkpoint > self.latest {
            self.abort_current(AbortReason::NewerCheckpoint, actions);
            self.latest = barrier.checkpoint;
            for channel in self.channels.iter_mut().filter(|channel| channel.progress != Progress::Ended) {
                channel.progress = Progress::Waiting;
            }
            self.current = Some(Current { barrier, phase: Phase::Aligning { blocked: false } });
            return true;
        }
        self.current.as_ref().is_some_and(|current| current.barrier.checkpoint == barrier.checkpoint)
    }

    fn progressed(&mut self, index: u32, to: Progress, actions: &mut Vec<BarrierAction>) {
        let Some(channel) = self.channels.get_mut(index as usize) else { return };
        let before = channel.progress;
        channel.progress = before.max(to);
        let Some(current) = &mut self.current else { return };
        match &mut current.phase {
            Phase::Recording if before == Progress::Waiting => {
                actions.push(BarrierAction::StopRecording { checkpoint: self.latest, channel: index });
            }
            Phase::Aligning { blocked }
                if to == Progress::Reached && before < to
                // What completes an alignment has nothing to wait for.
                && self.channels.iter().any(|channel| channel.progress < Progress::Reached) =>
            {
                *blocked = true;
                actions.push(BarrierAction::Block { channel: index });
            }
            _ => {}
        }
    }

    fn snapshot_if_ready(&mut self, now_ms: u64, actions: &mut Vec<BarrierAction>) {
        let Some(Current { barrier, phase: phase @ Phase::Aligning { .. } }) = &mut self.current else {
            return;
        };
        let overtakes = may_overtake(barrier, now_ms);
        let is_ready = |channel: &Channel| {
            channel.progress >= Progress::Reached || (overtakes && channel.kind == ChannelKind::Overtakable)
        };
        if !self.channels.iter().all(is_ready) {
            return;
        }
        let checkpoint = barrier.checkpoint;
        if overtakes {
            barrier.options.alignment = Alignment::Unaligned;
        }
        actions.push(BarrierAction::Snapshot { barrier: barrier.clone() });
        if *phase == (Phase::Aligning { blocked: true }) {
            actions.push(BarrierAction::UnblockAll);
        }
        *phase = Phase::Recording;
        if !overtakes {
            self.current = None;
            return;
        }
        for (index, channel) in self.channels.iter().enumerate() {
            let index = index as u32;
            if channel.progress < Progress::Reached {
                actions.push(BarrierAction::Record { checkpoint, channel: index });
            }
            if channel.progress == Progress::Arrived {
                actions.push(BarrierAction::StopRecording { checkpoint, channel: index });
            }
        }
    }

    fn complete_if_recorded(&mut self, actions: &mut Vec<BarrierAction>) {
        let recording = self.current.as_ref().is_some_and(|current| current.phase == Phase::Recording);
        if recording && self.channels.iter().all(|channel| channel.progress > Progress::Waiting) {
            self.current = None;
            actions.push(BarrierAction::RecordingComplete { checkpoint: self.latest });
        }
    }

    fn cancel(&mut self, checkpoint: u64, actions: &mut Vec<BarrierAction>) {
        if checkpoint > self.latest {
            self.abort_current(AbortReason::NewerCheckpoint, actions);
            self.latest = checkpoint;
            actions.push(BarrierAction::Abort { checkpoint, reason: AbortReason::Cancelled });
        } else if checkpoint == self.latest {
            self.abort_current(AbortReason::Cancelled, actions);
        }
    }

    fn abort_current(&mut self, reason: AbortReason, actions: &mut Vec<BarrierAction>) {
        let Some(Current { barrier, phase }) = self.current.take() else { return };
        let checkpoint = barrier.checkpoint;
        match phase {
            Phase::Aligning { blocked: true } => actions.push(BarrierAction::UnblockAll),
            Phase::Aligning { blocked: false } => {}
            Phase::Recording => {
                let waiting = self.channels.iter().zip(0..).filter(|(c, _)| c.progress == Progress::Waiting);
                actions
                    .extend(waiting.map(|(_, channel)| BarrierAction::StopRecording { checkpoint, channel }));
            }
        }
        actions.push(BarrierAction::Abort { checkpoint, reason });
    }
}

fn may_overtake(barrier: &Barrier, now_ms: u64) -> bool {
    match barrier.options.alignment {
        Alignment::Unaligned => true,
        Alignment::AlignedWithTimeout { timeout_ms } => {
            now_ms > barrier.timestamp_ms.saturating_add(timeout_ms)
        }
        Alignment::Aligned | Alignment::AtLeastOnce => false,
    }
}
