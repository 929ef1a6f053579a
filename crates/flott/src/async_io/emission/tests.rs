use flott_core::watermark::StreamStatus;

use super::*;

const fn watermark(time: Timestamp) -> MergeOutput {
    MergeOutput { watermark: Some(time), status: None }
}

const fn status(status: StreamStatus) -> MergeOutput {
    MergeOutput { watermark: None, status: Some(status) }
}

/// A queue, and what has left it: the record's number for results, `W` for a watermark.
struct Played {
    queue: EmissionQueue<()>,
    segments: Vec<u64>,
}

impl Played {
    fn new(mode: OutputMode) -> Self {
        Self { queue: EmissionQueue::new(mode), segments: Vec::new() }
    }

    fn records(&mut self, count: usize) -> &mut Self {
        for _ in 0..count {
            self.segments.push(self.queue.enter());
        }
        self
    }

    fn watermark(&mut self, time: Timestamp) -> &mut Self {
        self.queue.advance(watermark(time));
        self
    }

    /// Ends the calls of these records; returns what leaves.
    fn complete(&mut self, records: &[usize]) -> Vec<String> {
        for &id in records {
            let results = Results { id: id as u64, timestamp: 0, results: Vec::new() };
            self.queue.complete(self.segments[id], results);
        }
        let leaving = std::iter::from_fn(|| self.queue.next());
        let leaving = leaving.map(|emission| match emission {
            Emission::Results(results) => results.id.to_string(),
            Emission::Progress(progress) => format!("W{}", progress.watermark.unwrap_or_default()),
        });
        leaving.collect()
    }
}

#[test]
fn ordered_results_leave_in_the_order_of_the_input() {
    let mut queue = Played::new(OutputMode::Ordered);
    queue.records(2).watermark(5).records(2);
    assert!(queue.complete(&[3, 1]).is_empty());
    assert_eq!(queue.complete(&[0]), ["0", "1", "W5"]);
    assert_eq!(queue.complete(&[2]), ["2", "3"]);
}

#[test]
fn unordered_results_leave_as_calls_end() {
    let mut queue = Played::new(OutputMode::Unordered);
    queue.records(3);
    assert_eq!(queue.complete(&[2]), ["2"]);
    assert_eq!(queue.complete(&[0, 1]), ["0", "1"]);
    queue.records(1);
    assert_eq!(queue.complete(&[3]), ["3"]);
}

#[test]
fn a_watermark_is_not_overtaken_and_overtakes_nothing() {
    let mut queue = Played::new(OutputMode::Unordered);
    queue.records(2).watermark(5).records(2).watermark(9);
    assert!(queue.complete(&[3]).is_empty());
    assert_eq!(queue.complete(&[1]), ["1"]);
    assert_eq!(queue.complete(&[0]), ["0", "W5", "3"]);
    assert_eq!(queue.complete(&[2]), ["2", "W9"]);
}

#[test]
fn a_watermark_leaves_at_once_when_nothing_is_under_way() {
    for mode in [OutputMode::Ordered, OutputMode::Unordered] {
        let mut queue = Played::new(mode);
        assert_eq!(queue.watermark(5).complete(&[]), ["W5"]);
        assert_eq!(queue.records(1).complete(&[0]), ["0"]);
        assert_eq!(queue.watermark(6).complete(&[]), ["W6"]);
    }
}

#[test]
fn watermarks_without_records_between_them_leave_as_one() {
    for mode in [OutputMode::Ordered, OutputMode::Unordered] {
        let mut queue = Played::new(mode);
        queue.records(1);
        for time in 0..1000 {
            queue.watermark(time);
        }
        assert_eq!(queue.queue.segments.len(), 1);
        assert_eq!(queue.complete(&[0]), ["0", "W999"]);
    }
}

#[test]
fn a_status_waits_for_the_records_before_it() {
    let mut queue = EmissionQueue::new(OutputMode::Unordered);
    let segment = queue.enter();
    queue.advance(watermark(3));
    queue.advance(status(StreamStatus::Idle));
    assert_eq!(queue.next(), None);
    let results = || Results { id: 0, timestamp: 0, results: vec![()] };
    queue.complete(segment, results());
    assert_eq!(queue.next(), Some(Emission::Results(results())));
    let both = MergeOutput { watermark: Some(3), status: Some(StreamStatus::Idle) };
    assert_eq!(queue.next(), Some(Emission::Progress(both)));
    assert_eq!(queue.next(), None);
}
