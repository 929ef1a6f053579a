//! The receiving side of an exchange: many channels in, one operator behind.

use flott_core::time::Timestamp;
use flott_core::watermark::{MergeOutput, StreamStatus, WatermarkMerge};

use super::channel::{Element, Receiver};
use crate::error::ChainResult;
use crate::metrics::Gauge;
use crate::operator::{AnyOutput, Input, Output};
use crate::task::Step;

/// Merges the channels of one input in arrival order, one batch at a time in turn, and their watermarks by the
/// three-state rule.
pub(crate) struct Gate<T> {
    channels: Vec<Receiver<T>>,
    open: Vec<bool>,
    unfinished: usize,
    next: usize,
    merge: WatermarkMerge,
    watermark: Gauge,
    target: Box<dyn Input<T>>,
}

impl<T> Gate<T> {
    /// A gate before `target`; `watermark` shows the merged watermark.
    pub(crate) fn new(channels: Vec<Receiver<T>>, watermark: Gauge, target: Box<dyn Input<T>>) -> Self {
        let count = channels.len();
        let merge = WatermarkMerge::new(count);
        Self { channels, open: vec![true; count], unfinished: count, next: 0, merge, watermark, target }
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
        if self.unfinished == 0 {
            return Ok(Step::Finished);
        }
        let count = self.channels.len();
        for _ in 0..count {
            let channel = self.next;
            self.next = if channel + 1 == count { 0 } else { channel + 1 };
            if self.open[channel]
                && let Some(element) = self.channels[channel].try_recv()
            {
                self.process(channel, element)?;
                return Ok(if self.unfinished == 0 { Step::Finished } else { Step::Progress });
            }
        }
        Ok(Step::Idle { retry_after: None })
    }

    fn process(&mut self, channel: usize, element: Element<T>) -> ChainResult {
        match element {
            Element::Batch(mut batch) => {
                self.target.batch(&mut batch)?;
                self.channels[channel].recycle(batch);
                Ok(())
            }
            Element::Watermark(watermark) => {
                let merged = self.merge.on_watermark(channel, watermark);
                self.advance(merged)
            }
            Element::Status(status) => {
                let merged = self.merge.on_status(channel, status);
                self.advance(merged)
            }
            Element::EndOfInput => {
                self.open[channel] = false;
                self.unfinished -= 1;
                let merged = self.merge.on_finished(channel);
                self.advance(merged)
            }
        }
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
