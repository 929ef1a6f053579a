//! Many channels in, one watermark out.

use crate::time::{MAX_WATERMARK, MIN_WATERMARK, Timestamp};

#[cfg(test)]
mod tests;

/// Whether a stream takes part in the progress of event time (Flink: `WatermarkStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum StreamStatus {
    /// Watermarks of the stream count.
    Active,
    /// The stream is silent, and nobody should wait for it.
    Idle,
}

/// What to pass on after an input; mostly nothing.
///
/// Where both are set, [`StreamStatus::Active`] goes **before** the watermark and [`StreamStatus::Idle`] **after**
/// it, so that a watermark never travels on an idle stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct MergeOutput {
    /// The new watermark, greater than every earlier one.
    pub watermark: Option<Timestamp>,
    /// The new status, different from the last one.
    pub status: Option<StreamStatus>,
}

impl MergeOutput {
    /// Nothing to pass on.
    pub const NONE: Self = Self { watermark: None, status: None };
}

/// Merges the watermarks of an operator's input channels (Flink: `StatusWatermarkValve`, with the third status
/// *finished*).
///
/// A channel is active, idle or finished. An active one is *aligned* unless it came back from idleness behind the
/// output watermark and hasn't caught up.
///
/// * The output watermark is the minimum over the active, aligned channels, and never decreases.
/// * When the last active channel falls idle, the greatest watermark of the idle channels is passed on, then
///   [`StreamStatus::Idle`]: nobody is left to wait for. The first channel to come back makes the output active.
/// * A finished channel counts for nothing any more. In particular it doesn't lift the watermark while the others are
///   only idle, as these may come back. Only when all have finished, [`MAX_WATERMARK`] is passed on.
///
/// [`MAX_WATERMARK`] on a channel means that the channel has finished, for nothing can follow it. A watermark on an
/// idle channel is ignored, and so is everything on a finished channel or on one that doesn't exist.
///
/// A call costs O(1) unless it changes the channel that holds the minimum, or leaves no channel active; then O(channels).
#[derive(Clone, Debug)]
pub struct WatermarkMerge {
    channels: Vec<Channel>,
    active: usize,
    finished: usize,
    /// The active, aligned channel with the least watermark.
    slowest: Option<usize>,
    watermark: Timestamp,
    status: StreamStatus,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    watermark: Timestamp,
    state: ChannelState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChannelState {
    Aligned,
    /// Active, but behind the output watermark since it was idle.
    CatchingUp,
    Idle,
    Finished,
}

impl WatermarkMerge {
    /// A merge of `channels` channels, all active and without a watermark.
    pub fn new(channels: usize) -> Self {
        let channel = Channel { watermark: MIN_WATERMARK, state: ChannelState::Aligned };
        Self {
            channels: vec![channel; channels],
            active: channels,
            finished: 0,
            slowest: (channels > 0).then_some(0),
            watermark: MIN_WATERMARK,
            status: StreamStatus::Active,
        }
    }

    /// The last watermark passed on, [`MIN_WATERMARK`] before the first.
    pub const fn watermark(&self) -> Timestamp {
        self.watermark
    }

    /// The last status passed on; active at first.
    pub const fn status(&self) -> StreamStatus {
        self.status
    }

    /// A watermark arrived on `channel`.
    pub fn on_watermark(&mut self, channel: usize, watermark: Timestamp) -> MergeOutput {
        if watermark == MAX_WATERMARK {
            return self.on_finished(channel);
        }
        let Some(input) = self.channels.get_mut(channel) else { return MergeOutput::NONE };
        if watermark <= input.watermark {
            return MergeOutput::NONE;
        }
        match input.state {
            ChannelState::Aligned => {
                input.watermark = watermark;
                if self.slowest != Some(channel) {
                    return MergeOutput::NONE;
                }
                self.find_slowest();
            }
            ChannelState::CatchingUp => {
                input.watermark = watermark;
                if watermark < self.watermark {
                    return MergeOutput::NONE;
                }
                self.align(channel);
            }
            ChannelState::Idle | ChannelState::Finished => return MergeOutput::NONE,
        }
        self.advance()
    }

    /// The status of `channel` changed, or was repeated.
    pub fn on_status(&mut self, channel: usize, status: StreamStatus) -> MergeOutput {
        let Some(input) = self.channels.get_mut(channel) else { return MergeOutput::NONE };
        match (input.state, status) {
            (ChannelState::Aligned | ChannelState::CatchingUp, StreamStatus::Idle) => {
                input.state = ChannelState::Idle;
                self.active -= 1;
                self.leave(channel);
            }
            (ChannelState::Idle, StreamStatus::Active) => {
                self.active += 1;
                if input.watermark >= self.watermark {
                    self.align(channel);
                } else {
                    input.state = ChannelState::CatchingUp;
                }
            }
            _ => return MergeOutput::NONE,
        }
        self.advance()
    }

    /// `channel` has ended: nothing will follow on it.
    pub fn on_finished(&mut self, channel: usize) -> MergeOutput {
        let Some(input) = self.channels.get_mut(channel) else { return MergeOutput::NONE };
        let before = std::mem::replace(&mut input.state, ChannelState::Finished);
        if before == ChannelState::Finished {
            return MergeOutput::NONE;
        }
        self.finished += 1;
        if before != ChannelState::Idle {
            self.active -= 1;
            self.leave(channel);
        }
        self.advance()
    }

    /// Lets an active channel count for the minimum.
    fn align(&mut self, channel: usize) {
        self.channels[channel].state = ChannelState::Aligned;
        let is_slower = |than: usize| self.channels[channel].watermark < self.channels[than].watermark;
        if self.slowest.is_none_or(is_slower) {
            self.slowest = Some(channel);
        }
    }

    /// `channel` no longer counts for the minimum.
    fn leave(&mut self, channel: usize) {
        if self.slowest == Some(channel) {
            self.find_slowest();
        }
    }

    fn find_slowest(&mut self) {
        let aligned = self.channels.iter().enumerate().filter(|(_, c)| c.state == ChannelState::Aligned);
        self.slowest = aligned.min_by_key(|(_, c)| c.watermark).map(|(index, _)| index);
    }

    /// Where the rule puts watermark and status now, and what of that is news.
    fn advance(&mut self) -> MergeOutput {
        let (watermark, status) = if self.finished == self.channels.len() {
            (MAX_WATERMARK, StreamStatus::Active)
        } else if self.active == 0 {
            (self.greatest_idle(), StreamStatus::Idle)
        } else {
            let slowest = self.slowest.map(|index| self.channels[index].watermark);
            (slowest.unwrap_or(MIN_WATERMARK), StreamStatus::Active)
        };
        let is_new = watermark > self.watermark;
        let output = MergeOutput {
            watermark: is_new.then_some(watermark),
            status: (status != self.status).then_some(status),
        };
        self.watermark = self.watermark.max(watermark);
        self.status = status;
        output
    }

    fn greatest_idle(&self) -> Timestamp {
        let idle = self.channels.iter().filter(|c| c.state == ChannelState::Idle);
        idle.map(|c| c.watermark).max().unwrap_or(MIN_WATERMARK)
    }
}
