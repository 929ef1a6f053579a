//! Watermarks: where they come from and how they meet.
//!
//! Bottom-up:
//!
//! * [`WatermarkGenerator`] — watermarks from the timestamps of one split;
//! * [`WatermarkStrategy`] — which generator, whose timestamps, when a split counts as idle;
//! * [`SplitWatermarks`] — the watermark of a source subtask out of those of its splits;
//! * [`WatermarkMerge`] — the watermark of an operator out of those of its input channels.

mod generator;
mod merge;
mod per_split;
mod strategy;

pub use generator::{BoundedOutOfOrderness, NoWatermarks, WatermarkGenerator};
pub use merge::{MergeOutput, StreamStatus, WatermarkMerge};
pub use per_split::SplitWatermarks;
pub use strategy::{StrategyError, WatermarkStrategy};
