//! The receiving side of an exchange: many channels in, one operator behind.

use flott_core::time::Timestamp;
use flott_core::watermark::{MergeOutput, StreamStatus, WatermarkMerge};

use super::channel::{Element, Receiver};
use crate::checkpoint::barriers::BarrierEvent;
use crate::error::ChainResult;
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
        }
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

    /// The operator behind the gate.
    pub(crate) fn target(&mut self) -> &mut dyn Input<T> {
        self.target.as_mut()
    }

    /// See [`Gate::target`].
    pub(crate) fn target_ref(&self) -> &dyn Input<T> {
        self.target.as_ref()
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

    fn process(&mut self, index: usize, element: Element<T>) -> ChainResult<Step> {
        let channel = index as u32;
        match element {
            Element::Batch(mut batch) => {
                self.target.batch(&mut batch)?;
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

/// Passes on what a merge has decided: an input becomes active before its next watermark, and idle after its last.
pub(crate) fn forward(merged: MergeOutput, target: &mut impl Downstream) -> ChainResult {
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
