//! Windows one after the other.

use std::time::Duration;

use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{WindowAssigner, WindowAssignerContext, millis};
use crate::window::{AlignedShape, AlignedWindows, EventTimeTrigger, ProcessingTimeTrigger, TimeWindow};

/// Windows of one size, one after the other, by the timestamps of the records (Flink: `TumblingEventTimeWindows`).
#[derive(Clone, Copy, Debug)]
pub struct TumblingEventTimeWindows(Tumbling);

/// Windows of one size, one after the other, by the clock when a record comes (Flink:
/// `TumblingProcessingTimeWindows`).
#[derive(Clone, Copy, Debug)]
pub struct TumblingProcessingTimeWindows(Tumbling);

#[derive(Clone, Copy, Debug)]
struct Tumbling {
    windows: AlignedWindows,
    last: TimeWindow,
}

impl Tumbling {
    fn of(size: Duration) -> Self {
        let size_ms = millis(size);
        let windows = AlignedWindows { size_ms, slide_ms: size_ms, offset_ms: 0 };
        Self { windows, last: TimeWindow { start: 0, end: 0 } }
    }

    #[inline]
    fn assign(&mut self, time: Timestamp, windows: &mut Vec<TimeWindow>) {
        // Most records are in the window of the one before, which saves a division.
        if time < self.last.start || time >= self.last.end {
            self.last = self.windows.last_at(time);
        }
        windows.clear();
        windows.push(self.last);
    }
}

macro_rules! tumbling {
    ($name:ident) => {
        impl $name {
            /// Windows of `size` from the epoch on: those of an hour start at full hours UTC. Milliseconds count, finer
            /// parts are cut off.
            pub fn of(size: Duration) -> Self {
                Self(Tumbling::of(size))
            }

            /// Shifts the starts by this many milliseconds; the amount must be below the size. Windows of a day that
            /// start at midnight in UTC+8 have the offset −8 h.
            #[must_use]
            pub fn with_offset_ms(mut self, offset_ms: i64) -> Self {
                self.0.windows.offset_ms = offset_ms;
                self
            }
        }
    };
}

tumbling!(TumblingEventTimeWindows);
tumbling!(TumblingProcessingTimeWindows);

const KIND: &str = "tumbling windows";

impl<T: 'static> WindowAssigner<T> for TumblingEventTimeWindows {
    type Window = TimeWindow;
    type DefaultTrigger = EventTimeTrigger;
    const TUMBLES: bool = true;

    #[inline]
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
        self.0.windows.validate(KIND)
    }

    fn aligned(&self) -> Option<AlignedShape<TimeWindow>> {
        Some((self.0.windows, |window| window))
    }
}

impl<T: 'static> WindowAssigner<T> for TumblingProcessingTimeWindows {
    type Window = TimeWindow;
    type DefaultTrigger = ProcessingTimeTrigger;

    #[inline]
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
        self.0.windows.validate(KIND)
    }
}
