//! Windows that overlap.

use std::time::Duration;

use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{WindowAssigner, WindowAssignerContext, millis};
use crate::window::{AlignedShape, AlignedWindows, EventTimeTrigger, ProcessingTimeTrigger, TimeWindow};

/// Windows of one size that start every `slide`, so that they overlap, by the timestamps of the records (Flink:
/// `SlidingEventTimeWindows`).
///
/// With the default trigger and without an evictor, `reduce` and `aggregate` share what overlapping windows have in
/// common: a record is added once, however many windows it is in. Records that are out of order are then combined by
/// spans of time, so the function should give the same for any order.
#[derive(Clone, Copy, Debug)]
pub struct SlidingEventTimeWindows(AlignedWindows);

/// Windows of one size that start every `slide`, so that they overlap, by the clock when a record comes (Flink:
/// `SlidingProcessingTimeWindows`).
#[derive(Clone, Copy, Debug)]
pub struct SlidingProcessingTimeWindows(AlignedWindows);

macro_rules! sliding {
    ($name:ident) => {
        impl $name {
            /// Windows of `size`, one every `slide`, from the epoch on. A record is in `size / slide` of them.
            pub fn of(size: Duration, slide: Duration) -> Self {
                Self(AlignedWindows { size_ms: millis(size), slide_ms: millis(slide), offset_ms: 0 })
            }

            /// Shifts the starts by this many milliseconds; the amount must be below the slide.
            #[must_use]
            pub fn with_offset_ms(mut self, offset_ms: i64) -> Self {
                self.0.offset_ms = offset_ms;
                self
            }
        }
    };
}

sliding!(SlidingEventTimeWindows);
sliding!(SlidingProcessingTimeWindows);

const KIND: &str = "sliding windows";

impl<T: 'static> WindowAssigner<T> for SlidingEventTimeWindows {
    type Window = TimeWindow;
    type DefaultTrigger = EventTimeTrigger;
    const SLIDES: bool = true;

    fn assign(
        &mut self,
        _: &T,
        timestamp: Timestamp,
        _: &WindowAssignerContext,
        windows: &mut Vec<TimeWindow>,
    ) -> FnResult {
        self.0.assign(timestamp, windows);
        Ok(())
    }

    fn default_trigger(&self) -> EventTimeTrigger {
        EventTimeTrigger
    }

    fn is_event_time(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<(), String> {
        self.0.validate(KIND)
    }

    fn aligned(&self) -> Option<AlignedShape<TimeWindow>> {
        Some((self.0, |window| window))
    }
}

impl<T: 'static> WindowAssigner<T> for SlidingProcessingTimeWindows {
    type Window = TimeWindow;
    type DefaultTrigger = ProcessingTimeTrigger;

    fn assign(
        &mut self,
        _: &T,
        _: Timestamp,
        context: &WindowAssignerContext,
        windows: &mut Vec<TimeWindow>,
    ) -> FnResult {
        self.0.assign(context.current_processing_time(), windows);
        Ok(())
    }

    fn default_trigger(&self) -> ProcessingTimeTrigger {
        ProcessingTimeTrigger
    }

    fn is_event_time(&self) -> bool {
        false
    }

    fn validate(&self) -> Result<(), String> {
        self.0.validate(KIND)
    }
}
