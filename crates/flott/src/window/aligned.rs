//! Windows that are the same for every key and record.

use flott_core::time::Timestamp;

use super::TimeWindow;

/// The windows, and what the assigner's own type makes of one.
pub type AlignedShape<W> = (AlignedWindows, fn(TimeWindow) -> W);

/// Windows of one size, of which one starts every slide: tumbling where the two are equal, else sliding. All in
/// milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlignedWindows {
    /// How long each window is.
    pub size_ms: i64,
    /// The time from one start to the next.
    pub slide_ms: i64,
    /// Where one window starts.
    pub offset_ms: i64,
}

impl AlignedWindows {
    /// The last window that has started at `timestamp`, which is over already if size is less than slide.
    #[inline]
    pub(crate) const fn last_at(&self, timestamp: Timestamp) -> TimeWindow {
        TimeWindow::starting_at(TimeWindow::start_of(timestamp, self.offset_ms, self.slide_ms), self.size_ms)
    }

    /// Makes `windows` those that hold `timestamp`, last first.
    pub(crate) fn assign(&self, timestamp: Timestamp, windows: &mut Vec<TimeWindow>) {
        windows.clear();
        let mut start = TimeWindow::start_of(timestamp, self.offset_ms, self.slide_ms);
        while timestamp.saturating_sub(start) < self.size_ms {
            windows.push(TimeWindow::starting_at(start, self.size_ms));
            let Some(previous) = start.checked_sub(self.slide_ms) else { return };
            start = previous;
        }
    }

    /// Whether there can be such windows.
    pub(crate) fn validate(&self, kind: &str) -> Result<(), String> {
        let Self { size_ms, slide_ms, offset_ms } = *self;
        let slides = size_ms != slide_ms;
        if size_ms <= 0 {
            return Err(format!("{kind} need a size of at least 1 ms"));
        }
        if slide_ms <= 0 {
            return Err(format!("{kind} need a slide of at least 1 ms"));
        }
        if offset_ms.unsigned_abs() >= slide_ms.unsigned_abs() {
            let bound = if slides { "slide" } else { "size" };
            return Err(format!(
                "{kind} need abs(offset) < {bound}, but the offset is {offset_ms} ms of {slide_ms} ms"
            ));
        }
        Ok(())
    }
}
