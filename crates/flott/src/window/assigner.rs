//! Which windows a record belongs to.

use std::time::Duration;

use flott_core::time::Timestamp;

use super::{EventTimeTrigger, TimeWindow, Trigger, Window};

/// Says to which windows a record belongs (Flink: `WindowAssigner`).
pub trait WindowAssigner<T>: Clone + Send + 'static {
    /// The windows.
    type Window: Window;
    /// What fires them unless the program says otherwise.
    type DefaultTrigger: Trigger<T, Self::Window>;

    /// Makes `windows` the windows of a record.
    fn assign(&mut self, record: &T, timestamp: Timestamp, windows: &mut Vec<Self::Window>);

    /// What fires these windows unless the program says otherwise.
    fn default_trigger(&self) -> Self::DefaultTrigger;

    /// Whether windows are of event time, so that every record needs a timestamp.
    fn is_event_time(&self) -> bool;

    /// Whether the sizes make sense.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    fn validate(&self) -> Result<(), String>;
}

/// Windows of one size, one after the other, by the timestamps of the records (Flink: `TumblingEventTimeWindows`).
#[derive(Clone, Copy, Debug)]
pub struct TumblingEventTimeWindows {
    size_ms: i64,
    offset_ms: i64,
    last: TimeWindow,
}

impl TumblingEventTimeWindows {
    /// Windows of `size` from the epoch on: those of an hour start at full hours UTC. Milliseconds count, finer parts
    /// are cut off.
    pub fn of(size: Duration) -> Self {
        let last = TimeWindow { start: 0, end: 0 };
        Self { size_ms: millis(size), offset_ms: 0, last }
    }

    /// Shifts the starts by this many milliseconds; the amount must be below the size. Windows of a day that start at
    /// midnight in UTC+8 have the offset −8 h.
    #[must_use]
    pub fn with_offset_ms(mut self, offset_ms: i64) -> Self {
        self.offset_ms = offset_ms;
        self
    }
}

impl<T: 'static> WindowAssigner<T> for TumblingEventTimeWindows {
    type Window = TimeWindow;
    type DefaultTrigger = EventTimeTrigger;

    #[inline]
    fn assign(&mut self, _record: &T, timestamp: Timestamp, windows: &mut Vec<TimeWindow>) {
        // Most records are in the window of the one before, which saves a division.
        if timestamp < self.last.start || timestamp >= self.last.end {
            let start = TimeWindow::start_of(timestamp, self.offset_ms, self.size_ms);
            self.last = TimeWindow { start, end: start.saturating_add(self.size_ms) };
        }
        windows.clear();
        windows.push(self.last);
    }

    fn default_trigger(&self) -> EventTimeTrigger {
        EventTimeTrigger
    }

    fn is_event_time(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<(), String> {
        validate("tumbling windows", self.size_ms, self.offset_ms, self.size_ms, "size")
    }
}

/// Windows of one size that start every `slide`, so that they overlap, by the timestamps of the records (Flink:
/// `SlidingEventTimeWindows`).
#[derive(Clone, Copy, Debug)]
pub struct SlidingEventTimeWindows {
    size_ms: i64,
    slide_ms: i64,
    offset_ms: i64,
}

impl SlidingEventTimeWindows {
    /// Windows of `size`, one every `slide`, from the epoch on. A record is in `size / slide` of them.
    pub fn of(size: Duration, slide: Duration) -> Self {
        Self { size_ms: millis(size), slide_ms: millis(slide), offset_ms: 0 }
    }

    /// Shifts the starts by this many milliseconds; the amount must be below the slide.
    #[must_use]
    pub fn with_offset_ms(mut self, offset_ms: i64) -> Self {
        self.offset_ms = offset_ms;
        self
    }
}

impl<T: 'static> WindowAssigner<T> for SlidingEventTimeWindows {
    type Window = TimeWindow;
    type DefaultTrigger = EventTimeTrigger;

    fn assign(&mut self, _record: &T, timestamp: Timestamp, windows: &mut Vec<TimeWindow>) {
        windows.clear();
        let mut start = TimeWindow::start_of(timestamp, self.offset_ms, self.slide_ms);
        while timestamp.saturating_sub(start) < self.size_ms {
            windows.push(TimeWindow { start, end: start.saturating_add(self.size_ms) });
            let Some(previous) = start.checked_sub(self.slide_ms) else { return };
            start = previous;
        }
    }

    fn default_trigger(&self) -> EventTimeTrigger {
        EventTimeTrigger
    }

    fn is_event_time(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<(), String> {
        if self.slide_ms <= 0 {
            return Err("sliding windows need a slide of at least 1 ms".to_owned());
        }
        validate("sliding windows", self.size_ms, self.offset_ms, self.slide_ms, "slide")
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn validate(kind: &str, size_ms: i64, offset_ms: i64, bound_ms: i64, bound: &str) -> Result<(), String> {
    if size_ms <= 0 {
        return Err(format!("{kind} need a size of at least 1 ms"));
    }
    if offset_ms.unsigned_abs() >= bound_ms.unsigned_abs() {
        return Err(format!(
            "{kind} need abs(offset) < {bound}, but the offset is {offset_ms} ms of {bound_ms} ms"
        ));
    }
    Ok(())
}
