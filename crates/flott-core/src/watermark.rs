//! Watermarks: where they come from and how they meet.
//!
//! Bottom-up:
//!
//! * [`WatermarkGenerator`] — watermarks from the timestamps of one split;
//! * [`WatermarkStrategy`] — which generator, whose timestamps, when a split counts as idle;
//! * [`WatermarkAlignment`] — how far a source may run ahead of others;
//! * [`SplitWatermarks`] — the watermark of a source subtask out of those of its splits;
//! * [`WatermarkMerge`] — the watermark of an operator out of those of its input channels.

mod alignment;
mod generator;
mod merge;
mod per_split;
mod strategy;

pub use alignment::WatermarkAlignment;
pub use generator::{BoundedOutOfOrderness, NoWatermarks, WatermarkGenerator};
pub use merge::{MergeOutput, StreamStatus, WatermarkMerge};
pub use per_split::SplitWatermarks;
pub use strategy::{StrategyError, WatermarkStrategy};
