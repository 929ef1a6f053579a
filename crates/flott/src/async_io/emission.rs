//! Which results may leave, in which order.

use std::collections::VecDeque;

use flott_core::time::Timestamp;
use flott_core::watermark::MergeOutput;

#[cfg(test)]
mod tests;

/// The order of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OutputMode {
    /// That of the input.
    Ordered,
    /// As the calls end. Watermarks keep their places all the same.
    Unordered,
}

/// The results of a record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Results<O> {
    /// The record's place in the input.
    pub(super) id: u64,
    pub(super) timestamp: Timestamp,
    pub(super) results: Vec<O>,
}

/// What may leave.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Emission<O> {
    Results(Results<O>),
    Progress(MergeOutput),
}

/// Records whose results may leave in any order among themselves, but not before or after those of another segment.
struct Segment<O> {
    under_way: usize,
    done: VecDeque<Results<O>>,
    /// Set when the segment is closed: what comes behind its records, mostly a watermark.
    end: Option<MergeOutput>,
}

/// Puts results and watermarks into order. Where the order is that of the input, each record is a segment; else all
/// records between two watermarks are.
pub(super) struct EmissionQueue<O> {
    mode: OutputMode,
    segments: VecDeque<Segment<O>>,
    /// The number of the first segment.
    first: u64,
}

impl<O> EmissionQueue<O> {
    pub(super) fn new(mode: OutputMode) -> Self {
        Self { mode, segments: VecDeque::new(), first: 0 }
    }

    /// A record has come in. Returns the number of its segment.
    pub(super) fn enter(&mut self) -> u64 {
        let end = (self.mode == OutputMode::Ordered).then_some(MergeOutput::NONE);
        match self.segments.back_mut() {
            Some(open) if open.end.is_none() => open.under_way += 1,
            _ => self.segments.push_back(Segment { under_way: 1, done: VecDeque::new(), end }),
        }
        self.first + self.segments.len() as u64 - 1
    }

    /// A watermark or status has come in. Those that come without a record between them leave as one, so they can't pile up.
    pub(super) fn advance(&mut self, progress: MergeOutput) {
        match self.segments.back_mut() {
            Some(last) => {
                let end = last.end.get_or_insert(MergeOutput::NONE);
                end.watermark = end.watermark.max(progress.watermark);
                end.status = progress.status.or(end.status);
            }
            None => {
                let end = Some(progress);
                self.segments.push_back(Segment { under_way: 0, done: VecDeque::new(), end });
            }
        }
    }

    /// The call for a record of this segment has ended.
    pub(super) fn complete(&mut self, segment: u64, results: Results<O>) {
        let segment = usize::try_from(segment - self.first).ok().and_then(|at| self.segments.get_mut(at));
        if let Some(segment) = segment {
            segment.under_way -= 1;
            segment.done.push_back(results);
        }
    }

    /// What leaves next, if anything may.
    pub(super) fn next(&mut self) -> Option<Emission<O>> {
        loop {
            let segment = self.segments.front_mut()?;
            if let Some(results) = segment.done.pop_front() {
                return Some(Emission::Results(results));
            }
            if segment.under_way > 0 {
                return None;
            }
            // An open segment may still get records.
            let progress = segment.end?;
            self.segments.pop_front();
            self.first += 1;
            if progress != MergeOutput::NONE {
                return Some(Emission::Progress(progress));
            }
        }
    }
}
