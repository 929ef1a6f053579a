//! The receiving side of an exchange: many channels in, one operator behind.

use flott_core::time::Timestamp;
use flott_core::watermark::{MergeOutput, StreamStatus, WatermarkMerge};
use flott_core::{Batch, Data};
use flott_state::OperatorStateSnapshot;

use super::channel::{Element, Receiver};
use super::overtaking::Overtaking;
use super::size::batch_bytes;
use crate::checkpoint::barriers::BarrierEvent;
use crate::error::ChainResult;
use crate::graph::OperatorId;
use crate::metrics::Gauge;
use crate::operator::{AnyOutput, Input, Output};
use crate::task::Step;

/// What a gate does with a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChannelState {
    Open,
    /// It waits behind its barrier for the other channels.
    Blocked,
    Ended,
}

/// Merges the channels of one input in arrival order, one batch at a time in turn, and their watermarks by the
/// three-state rule.
pub(crate) struct Gate<T> {
    channels: Vec<Receiver<T>>,
    states: Vec<ChannelState>,
    /// How many channels have not ended.
    open: usize,
    /// How many channels may still bring records.
    with_data: usize,
    /// Whether the end of all records was told.
    told_end_of_data: bool,
    next: usize,
    merge: WatermarkMerge,
    watermark: Gauge,
    target: Box<dyn Input<T>>,
    /// In jobs whose barriers may overtake records.
    overtaking: Option<Box<Overtaking>>,
}

impl<T> Gate<T> {
    /// A gate before `target`; `watermark` shows the merged watermark.
    pub(crate) fn new(channels: Vec<Receiver<T>>, watermark: Gauge, target: Box<dyn Input<T>>) -> Self {
        let count = channels.len();
        Self {
            channels,
            states: vec![ChannelState::Open; count],
            open: count,
            with_data: count,
            told_end_of_data: false,
            next: 0,
            merge: WatermarkMerge::new(count),
            watermark,
            target,
            overtaking: None,
        }
    }

    /// The same, in a job whose barriers may overtake records.
    pub(crate) fn with_overtaking(mut self, overtaking: Option<Overtaking>) -> Self {
        self.overtaking = overtaking.map(Box::new);
        self
    }

    /// How many channels there are.
    pub(crate) fn channel_count(&self) -> usize {
        self.channels.len()
    }

    /// Reads no more of a channel, until [`Gate::unblock_all`].
    pub(crate) fn block(&mut self, channel: usize) {
        if self.states[channel] == ChannelState::Open {
            self.states[channel] = ChannelState::Blocked;
        }
    }

    /// Reads all channels again.
    pub(crate) fn unblock_all(&mut self) {
        let blocked = self.states.iter_mut().filter(|state| **state == ChannelState::Blocked);
        blocked.for_each(|state| *state = ChannelState::Open);
    }

    /// Whether barriers may overtake what lies in the channels.
    pub(crate) fn is_overtakable(&self) -> bool {
        self.overtaking.as_ref().is_some_and(|overtaking| overtaking.is_allowed())
    }

    /// Barriers that have entered channels and may overtake what lies before them, one at each call.
    pub(crate) fn arrived(&mut self) -> Option<BarrierEvent> {
        let mut channels = self.channels.iter_mut().zip(0..);
        channels.find_map(|(receiver, channel)| {
            Some(BarrierEvent::Arrived { channel, barrier: receiver.take_announced()? })
        })
    }

    /// Records what a channel brings from now on.
    pub(crate) fn record(&mut self, channel: usize) {
        if let Some(overtaking) = &mut self.overtaking {
            overtaking.record(channel);
        }
    }

    /// Forgets what was recorded.
    pub(crate) fn forget_recorded(&mut self) {
        if let Some(overtaking) = &mut self.overtaking {
            overtaking.forget();
        }
    }

    /// How many bytes of records were received.
    pub(crate) fn received_bytes(&self) -> u64 {
        self.channels.iter().map(Receiver::received_bytes).sum()
    }

    /// The operator behind the gate.
    pub(crate) fn target(&mut self) -> &mut dyn Input<T> {
        self.target.as_mut()
    }

    /// See [`Gate::target`].
    pub(crate) fn target_ref(&self) -> &dyn Input<T> {
        self.target.as_ref()
    }
}

impl<T: Data> Gate<T> {
    /// Records what still lies in a channel before the barrier of a checkpoint.
    pub(crate) fn stop_recording(&mut self, checkpoint: u64, channel: usize) -> ChainResult {
        match &mut self.overtaking {
            Some(overtaking) => overtaking.stop(checkpoint, channel, &mut self.channels[channel]),
            None => Ok(()),
        }
    }

    /// Takes what was recorded, if it is at least so many bytes.
    pub(crate) fn take_recorded(&mut self, at_least: usize) -> Vec<(OperatorId, OperatorStateSnapshot)> {
        let Some(overtaking) = &mut self.overtaking else { return Vec::new() };
        let recorded = overtaking.recorded();
        if recorded.bytes() >= at_least { recorded.take::<T>() } else { Vec::new() }
    }

    /// Processes the next element of the next channel that has one.
    pub(crate) fn step(&mut self) -> ChainResult<Step> {
        if self.with_data == 0 && !self.told_end_of_data {
            self.told_end_of_data = true;
            return Ok(Step::EndOfData);
        }
        if self.open == 0 {
            return Ok(Step::Finished);
        }
        let count = self.channels.len();
        for _ in 0..count {
            let channel = self.next;
            self.next = if channel + 1 == count { 0 } else { channel + 1 };
            if self.states[channel] == ChannelState::Open
                && let Some(element) = self.channels[channel].try_recv()
            {
                return self.process(channel, element);
            }
        }
        Ok(Step::Idle { retry_after: None })
    }

    /// As [`Gate::process`], where barriers may overtake records: no more at once than takes a moment.
    fn cut(&mut self, index: usize, element: &mut Element<T>) -> ChainResult {
        let Some(overtaking) = &mut self.overtaking else { return Ok(()) };
        if let Element::Batch(batch) = element
            && batch.len() > overtaking.pace.most()
        {
            let rest = batch.split_off(overtaking.pace.most());
            let bytes = batch_bytes(&rest);
            self.channels[index].take_back(rest, bytes);
        }
        overtaking.pass(index, element)
    }

    fn batch(&mut self, batch: &mut Batch<T>) -> ChainResult {
        let Some(overtaking) = &mut self.overtaking else { return self.target.batch(batch) };
        let (records, since_ns) = (batch.len(), overtaking.pace.now_ns());
        let processed = self.target.batch(batch);
        overtaking.pace.note(records, since_ns);
        processed
    }

    fn process(&mut self, index: usize, mut element: Element<T>) -> ChainResult<Step> {
        if self.overtaking.is_some() {
            self.cut(index, &mut element)?;
        }
        let channel = index as u32;
        match element {
            Element::Batch(mut batch) => {
                self.batch(&mut batch)?;
                self.channels[index].recycle(batch);
            }
            Element::Watermark(watermark) => {
                let merged = self.merge.on_watermark(index, watermark);
                self.advance(merged)?;
            }
            Element::Status(status) => {
                let merged = self.merge.on_status(index, status);
                self.advance(merged)?;
            }
            Element::Barrier(barrier) => {
                return Ok(Step::Barrier(BarrierEvent::Reached { channel, barrier }));
            }
            Element::CancelBarrier(checkpoint) => {
                return Ok(Step::Barrier(BarrierEvent::Cancelled { checkpoint }));
            }
            Element::EndOfData => {
                self.with_data -= 1;
                let merged = self.merge.on_finished(index);
                self.advance(merged)?;
            }
            Element::EndOfInput => {
                self.states[index] = ChannelState::Ended;
                self.open -= 1;
                return Ok(Step::Barrier(BarrierEvent::ChannelEnded { channel }));
            }
        }
        Ok(Step::Progress)
    }

    fn advance(&mut self, merged: MergeOutput) -> ChainResult {
        if let Some(watermark) = merged.watermark {
            self.watermark.set(watermark);
        }
        forward(merged, &mut self.target)
    }
}

/// What learns of the progress of an input.
pub(crate) trait Downstream {
    fn watermark(&mut self, watermark: Timestamp) -> ChainResult;
    fn status(&mut self, status: StreamStatus) -> ChainResult;
}

impl<T> Downstream for Box<dyn Input<T>> {
    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.as_mut().watermark(watermark)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        self.as_mut().status(status)
    }
}

impl<T: Clone + 'static> Downstream for Output<T> {
    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        AnyOutput::watermark(self, watermark)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        AnyOutput::status(self, status)
    }
}

impl Downstream for dyn AnyOutput + '_ {
    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        AnyOutput::watermark(self, watermark)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        AnyOutput::status(self, status)
    }
}

/// Passes on what a merge has decided: an input becomes active before its next watermark, and idle after its last.
pub(crate) fn forward(merged: MergeOutput, target: &mut (impl Downstream + ?Sized)) -> ChainResult {
    if merged.status == Some(StreamStatus::Active) {
        target.status(StreamStatus::Active)?;
    }
    if let Some(watermark) = merged.watermark {
        target.watermark(watermark)?;
    }
    if merged.status == Some(StreamStatus::Idle) {
        target.status(StreamStatus::Idle)?;
    }
    Ok(())
}
