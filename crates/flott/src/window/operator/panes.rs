//! Event time cut into panes: the spans between the starts and ends of windows, so that each window is a run of whole
//! panes and no record is kept twice.

use std::collections::VecDeque;
use std::collections::vec_deque::{Iter, IterMut};
use std::ops::Range;

use flott_core::time::Timestamp;

use super::key_table::KeyTable;
use crate::window::{AlignedWindows, TimeWindow};

/// A span of time, and what its records have left for each key.
pub(super) struct Pane<K, V> {
    pub(super) span: TimeWindow,
    pub(super) table: KeyTable<K, V>,
}

/// The panes that have records, by time.
pub(super) struct Panes<K, V> {
    panes: VecDeque<Pane<K, V>>,
    windows: AlignedWindows,
    /// The pane of the record before.
    last: usize,
    /// The memory of a pane that is over, for the next one.
    spare: Option<KeyTable<K, V>>,
}

impl<K: Eq, V> Panes<K, V> {
    pub(super) fn new(windows: AlignedWindows) -> Self {
        Self { panes: VecDeque::new(), windows, last: 0, spare: None }
    }

    /// Whether each window is one pane.
    pub(super) const fn are_windows(&self) -> bool {
        self.windows.size_ms <= self.windows.slide_ms
    }

    /// How many slides a window takes.
    pub(super) const fn slides(&self) -> i64 {
        let AlignedWindows { size_ms, slide_ms, .. } = self.windows;
        size_ms / slide_ms + (size_ms % slide_ms != 0) as i64
    }

    /// The windows in order of their starts have consecutive numbers.
    pub(super) const fn number_of(&self, window: TimeWindow) -> i64 {
        window.start.div_euclid(self.windows.slide_ms)
    }

    /// The span around a time; `None` in a gap between windows.
    fn span_of(&self, timestamp: Timestamp) -> Option<TimeWindow> {
        let AlignedWindows { size_ms, slide_ms, offset_ms } = self.windows;
        let start = TimeWindow::start_of(timestamp, offset_ms, slide_ms);
        // The windows that started before end this long after a start.
        let cut = size_ms % slide_ms;
        let (before_cut, in_gap) = (timestamp.saturating_sub(start) < cut, size_ms < slide_ms);
        match (before_cut, in_gap) {
            (true, _) => Some(TimeWindow::starting_at(start, cut)),
            (false, true) => None,
            (false, false) => {
                let end = start.saturating_add(slide_ms);
                Some(TimeWindow { start: start.saturating_add(cut), end })
            }
        }
    }

    /// The pane around a time, made if it isn't there; `None` in a gap between windows.
    #[inline]
    pub(super) fn at(&mut self, timestamp: Timestamp) -> Option<&mut Pane<K, V>> {
        // Most records are in the pane of the one before.
        let is_last = self
            .panes
            .get(self.last)
            .is_some_and(|pane| pane.span.start <= timestamp && timestamp < pane.span.end);
        if !is_last {
            self.last = self.find(timestamp)?;
        }
        self.panes.get_mut(self.last)
    }

    fn find(&mut self, timestamp: Timestamp) -> Option<usize> {
        let at = self.panes.partition_point(|pane| pane.span.end <= timestamp);
        if self.panes.get(at).is_none_or(|pane| pane.span.start > timestamp) {
            let span = self.span_of(timestamp)?;
            let table = self.spare.take().unwrap_or_default();
            self.panes.insert(at, Pane { span, table });
        }
        Some(at)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pane<K, V>> {
        self.panes.iter_mut()
    }

    /// The first start of a window that is not before a time.
    fn first_start(&self, at_least: i128) -> Timestamp {
        let AlignedWindows { slide_ms, offset_ms, .. } = self.windows;
        if at_least <= i128::from(Timestamp::MIN) {
            // The first window of all time is cut at its start.
            return Timestamp::MIN;
        }
        let to_start = (i128::from(offset_ms) - at_least).rem_euclid(i128::from(slide_ms));
        Timestamp::try_from(at_least + to_start).unwrap_or(Timestamp::MAX)
    }

    /// The first window that ends after `watermark` has passed, starts at `from` at the earliest, and has records.
    pub(super) fn next_window(&self, from: Timestamp, watermark: Timestamp) -> Option<TimeWindow> {
        let size = i128::from(self.windows.size_ms);
        let earliest = (i128::from(watermark) + 2 - size).max(i128::from(from));
        // No such window has the panes before; with an allowed lateness there may be many.
        let start = self.first_start(earliest);
        let done = self.panes.partition_point(|pane| pane.span.start < start);
        self.panes.range(done..).find_map(|pane| {
            let first = i128::from(pane.span.end) - size;
            let start = self.first_start(first.max(earliest));
            (start <= pane.span.start).then(|| TimeWindow::starting_at(start, self.windows.size_ms))
        })
    }

    /// The panes of a window.
    pub(super) fn of(&self, window: TimeWindow) -> Iter<'_, Pane<K, V>> {
        self.panes.range(self.range(window))
    }

    pub(super) fn of_mut(&mut self, window: TimeWindow) -> IterMut<'_, Pane<K, V>> {
        self.panes.range_mut(self.range(window))
    }

    fn range(&self, window: TimeWindow) -> Range<usize> {
        let first = self.panes.partition_point(|pane| pane.span.start < window.start);
        let end = self.panes.partition_point(|pane| pane.span.end <= window.end);
        first..end.max(first)
    }

    /// The last window of the first pane, after which the pane is not needed.
    pub(super) fn last_window_of_first(&self) -> Option<TimeWindow> {
        Some(self.windows.last_at(self.panes.front()?.span.start))
    }

    /// Takes the first pane out.
    pub(super) fn remove_first(&mut self) -> Option<Pane<K, V>> {
        self.last = self.last.saturating_sub(1);
        self.panes.pop_front()
    }

    /// Keeps the memory of a pane for another one, unless it was made for far more keys than the pane had: one busy hour
    /// would be held, and emptied at each window, for ever.
    pub(super) fn recycle(&mut self, mut table: KeyTable<K, V>) {
        if table.is_oversized() {
            return;
        }
        table.clear();
        self.spare = Some(table);
    }
}
