//! A task's part in checkpoints: what it does at barriers, and what must be complete before it may end.

use std::sync::Arc;
use std::time::Duration;

use flott_core::config::CheckpointingMode;
use flott_core::seam::Clock;
use flott_state::SnapshotSink;
use flott_state::format::{EncodedEnd, StateFileEncoder};
use flott_state::snapshot::{SnapshotBudget, SnapshotExtent, SnapshotRequest};

use super::Head;
use super::layers::Layers;
use crate::checkpoint::barriers::{AbortReason, BarrierAction, BarrierEvent, Barriers, ChannelKind};
use crate::checkpoint::options::{Alignment, Barrier, StopMode};
use crate::error::{BoxError, ChainError, ChainResult};
use crate::job::SubtaskCheckpoint;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};

/// Encoded state leaves the task in pieces of at least so many bytes.
const CHUNK_BYTES: usize = 256 << 10;

/// How long a task writes its snapshot before its next batch, and how often it may ask the clock meanwhile.
const WRITE_NS: u64 = 1_000_000;
const WRITES: usize = 16;

/// How long an idle task waits for storage to catch up before it looks again.
const NO_ROOM_PAUSE: Duration = Duration::from_millis(1);

/// Whom a task tells about its part in checkpoints (Flink: `CheckpointResponder`).
pub(crate) trait CheckpointResponder: Send + Sync {
    /// The task is open, and takes part in checkpoints from now on.
    fn running(&self);
    /// All input is processed; the task waits for a last checkpoint.
    fn end_of_data(&self);
    /// Whether more of a snapshot can be taken now; if not, the task tries again later.
    fn has_room(&self) -> bool;
    /// A part of the task's snapshot, to be stored.
    fn store(&self, checkpoint: u64, bytes: Vec<u8>);
    /// The task's snapshot is whole with this, its end; `None` if there is no state.
    fn acknowledge(&self, checkpoint: u64, end: Option<EncodedEnd>, figures: SubtaskCheckpoint);
    /// The task can't take part in a checkpoint.
    fn decline(&self, checkpoint: u64, reason: AbortReason);
}

/// How a task takes part in checkpoints.
#[derive(Clone)]
pub(crate) struct TaskCheckpointing {
    /// Exactly once or at least once.
    pub(crate) mode: CheckpointingMode,
    /// Whether the task waits, when all its input is processed, for a checkpoint that holds its end. Sinks leave their
    /// commits to it then.
    pub(crate) waits_for_last: bool,
    /// Whether a checkpoint may hold only what has changed since an earlier one.
    pub(crate) incremental: bool,
    /// Whether barriers may overtake records.
    pub(crate) overtaking: bool,
    /// Who is told.
    pub(crate) responder: Arc<dyn CheckpointResponder>,
}

impl TaskCheckpointing {
    /// For tasks that take part in none.
    pub(crate) fn none() -> Self {
        struct Nobody;
        impl CheckpointResponder for Nobody {
            fn running(&self) {}
            fn end_of_data(&self) {}
            fn has_room(&self) -> bool {
                true
            }
            fn store(&self, _checkpoint: u64, _bytes: Vec<u8>) {}
            fn acknowledge(&self, _checkpoint: u64, _end: Option<EncodedEnd>, _figures: SubtaskCheckpoint) {}
            fn decline(&self, _checkpoint: u64, _reason: AbortReason) {}
        }
        Self {
            mode: CheckpointingMode::ExactlyOnce,
            waits_for_last: false,
            incremental: false,
            overtaking: false,
            responder: Arc::new(Nobody),
        }
    }
}

/// The checkpoints of one task.
pub(super) struct TaskCheckpoints {
    settings: TaskCheckpointing,
    barriers: Barriers,
    is_source: bool,
    /// All input is processed, and the chain has emitted for the last time.
    data_ended: bool,
    /// The first checkpoint that was taken after that.
    last: Option<u64>,
    /// The savepoint that the job stops with.
    stop: Option<u64>,
    /// The newest checkpoint that is complete.
    completed: u64,
    /// The snapshot that is being written between batches.
    writing: Option<Writing>,
    layers: Layers,
    first_barrier: Option<FirstBarrier>,
    /// The last time at which barriers had waited for long enough.
    woken_ms: u64,
    clock: Arc<dyn Clock>,
}

/// A snapshot that was taken, and is written while the task goes on.
struct Writing {
    request: SnapshotRequest,
    encoder: StateFileEncoder,
    figures: SubtaskCheckpoint,
    /// When the task went on after the snapshot was taken.
    taken_ns: u64,
    /// Nothing is left of the state of the operators.
    is_drained: bool,
    /// Whether something that the barrier has overtaken may still come.
    is_recording: bool,
    /// The bytes of what was recorded and is encoded.
    recorded_bytes: u64,
}

/// When the first barrier of a checkpoint came.
#[derive(Clone, Copy, Debug)]
struct FirstBarrier {
    checkpoint: u64,
    at_ns: u64,
    start_delay_ms: u64,
    received_bytes: u64,
}

impl Writing {
    /// Encodes what was recorded since the last time, if it is worth it or complete.
    fn take_recorded(&mut self, head: &mut dyn Head) -> ChainResult {
        let at_least = if self.is_recording { CHUNK_BYTES } else { 0 };
        for (exchange, state) in head.take_recorded(at_least) {
            self.recorded_bytes += state.elements.iter().map(Vec::len).sum::<usize>() as u64;
            self.encoder
                .operator(exchange.0)
                .operator_state(&state)
                .map_err(|cause| unwritten(self.request.checkpoint, cause))?;
        }
        Ok(())
    }
}

fn unwritten(checkpoint: u64, cause: impl Into<BoxError>) -> ChainError {
    ChainError::Failed { operator: format!("(checkpoint {checkpoint})"), cause: cause.into() }
}

impl FirstBarrier {
    /// What has happened between the first barrier and the last.
    fn measure(self, now_ns: u64, head: &dyn Head, figures: &mut SubtaskCheckpoint) {
        figures.alignment_ns = now_ns.saturating_sub(self.at_ns);
        figures.processed_bytes = head.received_bytes().saturating_sub(self.received_bytes);
    }
}

impl TaskCheckpoints {
    pub(super) fn new(settings: TaskCheckpointing, head: &dyn Head, clock: Arc<dyn Clock>) -> Self {
        let channels = head.channel_count();
        let kind = if head.is_overtakable() { ChannelKind::Overtakable } else { ChannelKind::InOrder };
        let kinds = vec![kind; channels];
        Self {
            barriers: Barriers::new(settings.mode, &kinds),
            settings,
            is_source: channels == 0,
            data_ended: false,
            last: None,
            stop: None,
            completed: 0,
            writing: None,
            layers: Layers::default(),
            first_barrier: None,
            woken_ms: 0,
            clock,
        }
    }

    pub(super) fn running(&self) {
        self.settings.responder.running();
    }

    /// A source reads no more.
    pub(super) fn stops_reading(&self) -> bool {
        self.is_source && (self.data_ended || self.stop.is_some())
    }

    /// Whether the task ends with a savepoint, behind which it processes nothing.
    pub(super) fn is_stopping(&self) -> bool {
        self.stop.is_some()
    }

    /// Whether a task whose channels have ended may end too: what it waits for is complete, and no snapshot is being written.
    pub(super) fn let_end(&self) -> bool {
        self.may_end() && self.writing.is_none()
    }

    fn may_end(&self) -> bool {
        match (self.stop, self.last) {
            (Some(stop), _) => self.completed >= stop,
            (None, Some(last)) => self.completed >= last,
            (None, None) => !(self.data_ended && self.settings.waits_for_last),
        }
    }

    /// Lets the chain emit for the last time.
    pub(super) fn end_of_data(&mut self, head: &mut dyn Head) -> ChainResult {
        if !self.data_ended {
            head.finish()?;
            self.data_ended = true;
            self.settings.responder.end_of_data();
        }
        Ok(())
    }

    /// What has become of a checkpoint, by the coordinator.
    pub(super) fn notify(
        &mut self,
        notice: CheckpointNotice,
        now_ms: u64,
        head: &mut dyn Head,
    ) -> ChainResult {
        match notice {
            CheckpointNotice::Complete(id) => self.completed = self.completed.max(id),
            CheckpointNotice::Aborted(checkpoint) | CheckpointNotice::Canceled(checkpoint) => {
                self.give_up(checkpoint, head);
                self.handle(BarrierEvent::Cancelled { checkpoint }, now_ms, head)?;
            }
        }
        head.notify(notice)
    }

    /// Does what follows from an event.
    pub(super) fn handle(&mut self, event: BarrierEvent, now_ms: u64, head: &mut dyn Head) -> ChainResult {
        match &event {
            BarrierEvent::Arrived { barrier, .. }
            | BarrierEvent::Reached { barrier, .. }
            | BarrierEvent::Triggered { barrier } => self.note_first(barrier, now_ms, head),
            BarrierEvent::Cancelled { .. }
            | BarrierEvent::ChannelEnded { .. }
            | BarrierEvent::TimeAdvanced => {}
        }
        for action in self.barriers.handle(now_ms, event) {
            match action {
                BarrierAction::Block { channel } => head.block(channel as usize),
                BarrierAction::UnblockAll => head.unblock_all(),
                BarrierAction::Snapshot { barrier } => self.snapshot(barrier, head)?,
                BarrierAction::Record { channel, .. } => head.record(channel as usize),
                BarrierAction::StopRecording { checkpoint, channel } => {
                    head.stop_recording(checkpoint, channel as usize)?;
                }
                BarrierAction::RecordingComplete { checkpoint } => self.recorded(checkpoint, head),
                BarrierAction::Abort { checkpoint, reason } => {
                    self.give_up(checkpoint, head);
                    self.settings.responder.decline(checkpoint, reason);
                    head.notify(CheckpointNotice::Canceled(checkpoint))?;
                }
            }
        }
        Ok(())
    }

    /// Drops a snapshot that is being written.
    fn give_up(&mut self, checkpoint: u64, head: &mut dyn Head) {
        if self.writing.as_ref().is_some_and(|writing| writing.request.checkpoint == checkpoint) {
            self.writing = None;
            head.abort_snapshot();
            head.forget_recorded();
        }
    }

    /// All barriers of a checkpoint have come since the snapshot was taken.
    fn recorded(&mut self, checkpoint: u64, head: &dyn Head) {
        let Some(writing) = self.writing.as_mut().filter(|writing| writing.request.checkpoint == checkpoint)
        else {
            return;
        };
        writing.is_recording = false;
        if let Some(first) = self.first_barrier.filter(|first| first.checkpoint == checkpoint) {
            first.measure(self.clock.monotonic_ns(), head, &mut writing.figures);
        }
    }

    fn note_first(&mut self, barrier: &Barrier, now_ms: u64, head: &dyn Head) {
        let checkpoint = barrier.checkpoint;
        if self.first_barrier.is_none_or(|first| first.checkpoint < checkpoint) {
            let start_delay_ms = now_ms.saturating_sub(barrier.timestamp_ms);
            let at_ns = self.clock.monotonic_ns();
            let received_bytes = head.received_bytes();
            self.first_barrier = Some(FirstBarrier { checkpoint, at_ns, start_delay_ms, received_bytes });
        }
    }

    fn snapshot(&mut self, barrier: Barrier, head: &mut dyn Head) -> ChainResult {
        let checkpoint = barrier.checkpoint;
        let stop = barrier.options.kind.stop();
        if stop == Some(StopMode::Drain) && self.is_source {
            self.end_of_data(head)?;
        }
        let begun_ns = self.clock.monotonic_ns();
        // One that is not written yet comes first. None is still being recorded: a later barrier gives that one up.
        while !self.write(SnapshotBudget::unlimited(), head)? {}
        let is_recording = barrier.options.alignment == Alignment::Unaligned;
        let request = self.request(&barrier);
        let mut snapshot = TaskSnapshot { request, ..TaskSnapshot::new(barrier) };
        head.snapshot(&mut snapshot)?;
        let mut encoder = StateFileEncoder::new();
        for (id, state) in &snapshot.operators {
            state.write(encoder.operator(id.0)).map_err(|cause| unwritten(checkpoint, cause))?;
        }
        let first = self.first_barrier.filter(|first| first.checkpoint == checkpoint);
        let taken_ns = self.clock.monotonic_ns();
        let mut figures = SubtaskCheckpoint {
            start_delay_ms: first.map_or(0, |first| first.start_delay_ms),
            sync_ns: taken_ns.saturating_sub(begun_ns),
            ..SubtaskCheckpoint::default()
        };
        if let Some(first) = first {
            first.measure(begun_ns, head, &mut figures);
        }
        let (is_drained, recorded_bytes) = (false, 0);
        self.writing =
            Some(Writing { request, encoder, figures, taken_ns, is_drained, is_recording, recorded_bytes });
        if stop.is_some() {
            self.stop = Some(checkpoint);
        }
        if self.data_ended {
            self.last.get_or_insert(checkpoint);
        }
        Ok(())
    }

    /// What the operators are asked for.
    fn request(&mut self, barrier: &Barrier) -> SnapshotRequest {
        let (checkpoint, kind) = (barrier.checkpoint, &barrier.options.kind);
        if kind.is_savepoint() || !self.settings.incremental {
            return SnapshotRequest::whole(checkpoint);
        }
        SnapshotRequest::changes(checkpoint, self.layers.base(kind.base())).or_files()
    }

    /// When the next barrier has waited for long enough; `None` if it has, and still must wait.
    pub(super) fn next_wake_up(&self) -> Option<u64> {
        self.barriers.next_wake_up().filter(|due| *due > self.woken_ms)
    }

    /// Lets barriers overtake that have waited for long enough.
    pub(super) fn pass_time(&mut self, now_ms: u64, head: &mut dyn Head) -> ChainResult {
        match self.next_wake_up() {
            Some(due) if due <= now_ms => {
                self.woken_ms = due;
                self.handle(BarrierEvent::TimeAdvanced, now_ms, head)
            }
            _ => Ok(()),
        }
    }

    /// Whether no more input may be taken, as what was overtaken would pile up before storage. Barriers still enter the channels.
    pub(super) fn must_write_first(&self) -> bool {
        let is_recording = self.writing.as_ref().is_some_and(|writing| writing.is_recording);
        is_recording && !self.settings.responder.has_room()
    }

    /// When the task has nothing else to do: how long until it goes on writing a snapshot, if there is one.
    pub(super) fn next_write(&self) -> Option<Duration> {
        let writing = self.writing.as_ref()?;
        match self.settings.responder.has_room() {
            false => Some(NO_ROOM_PAUSE),
            // What is left comes with barriers.
            true if writing.is_drained && writing.is_recording => None,
            true => Some(Duration::ZERO),
        }
    }

    /// Goes on writing the snapshot if storage takes more of it now.
    pub(super) fn write_some(&mut self, head: &mut dyn Head) -> ChainResult {
        if self.writing.is_none() {
            return Ok(());
        }
        let begun_ns = self.clock.monotonic_ns();
        for _ in 0..WRITES {
            if !self.settings.responder.has_room()
                || self.write(SnapshotBudget::default(), head)?
                || self.clock.monotonic_ns().saturating_sub(begun_ns) >= WRITE_NS
            {
                break;
            }
        }
        Ok(())
    }

    /// Writes what the budget allows of the snapshot; `true` if nothing is left.
    fn write(&mut self, budget: SnapshotBudget, head: &mut dyn Head) -> ChainResult<bool> {
        let Some(writing) = &mut self.writing else { return Ok(true) };
        let checkpoint = writing.request.checkpoint;
        writing.take_recorded(head)?;
        if !writing.is_drained {
            let mut work = SnapshotWork { budget, sink: &mut writing.encoder };
            writing.is_drained = head.drain_snapshot(&mut work)?;
        }
        if !writing.is_drained || writing.is_recording {
            if writing.encoder.buffered() >= CHUNK_BYTES {
                self.settings.responder.store(checkpoint, writing.encoder.take());
            }
            return Ok(false);
        }
        let Some(Writing { request, encoder, mut figures, taken_ns, recorded_bytes, .. }) =
            self.writing.take()
        else {
            return Ok(true);
        };
        figures.persisted_bytes = recorded_bytes;
        figures.async_ns = self.clock.monotonic_ns().saturating_sub(taken_ns);
        let end = if encoder.is_empty() { None } else { Some(encoder.finish()) };
        let end = end.transpose().map_err(|cause| unwritten(checkpoint, cause))?;
        if let (SnapshotExtent::Changes { base }, Some(end)) = (request.extent, &end) {
            self.layers.add(checkpoint, base.filter(|_| end.has_changes), end.size);
        }
        self.settings.responder.acknowledge(checkpoint, end, figures);
        Ok(true)
    }
}
