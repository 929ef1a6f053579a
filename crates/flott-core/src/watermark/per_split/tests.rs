use std::time::Duration;

use super::*;
use StreamStatus::{Active, Idle};

const NONE: MergeOutput = MergeOutput::NONE;
const MS: u64 = 1_000_000;

fn w(watermark: Timestamp) -> MergeOutput {
    MergeOutput { watermark: Some(watermark), status: None }
}

fn s(status: StreamStatus) -> MergeOutput {
    MergeOutput { watermark: None, status: Some(status) }
}

/// Splits without watermark delay, idle after 10 ms.
fn with_splits(splits: &[&str]) -> SplitWatermarks<()> {
    let strategy = WatermarkStrategy::for_bounded_out_of_orderness(Duration::ZERO)
        .with_idleness(Duration::from_millis(10));
    let mut watermarks = SplitWatermarks::new(&strategy);
    for split in splits {
        assert_eq!(watermarks.add_split(split), NONE);
    }
    watermarks
}

fn event(watermarks: &mut SplitWatermarks<()>, split: &str, timestamp: Timestamp) -> MergeOutput {
    watermarks.on_batch(split, &[()], &[timestamp])
}

#[test]
fn the_slowest_split_determines_the_watermark() {
    let mut watermarks = with_splits(&["a", "b"]);
    assert_eq!(event(&mut watermarks, "a", 100), NONE);
    assert_eq!(watermarks.on_periodic(0), NONE, "nothing is known of b");
    assert_eq!(event(&mut watermarks, "b", 50), NONE);
    assert_eq!(watermarks.on_periodic(MS), w(49));
    assert_eq!(event(&mut watermarks, "b", 200), NONE);
    assert_eq!(watermarks.on_periodic(2 * MS), w(99));
    assert_eq!(watermarks.on_periodic(3 * MS), NONE);
}

#[test]
fn v8_5_8_a_split_is_idle_when_silent_for_longer_than_the_timeout() {
    let mut watermarks = with_splits(&["a"]);
    assert_eq!(watermarks.status(), Active);
    let _ = event(&mut watermarks, "a", 1);
    assert_eq!(watermarks.on_periodic(MS), w(0), "the event resets the measurement");
    assert_eq!(watermarks.on_periodic(100 * MS), NONE, "the first silent probe only starts it");
    assert_eq!(watermarks.on_periodic(110 * MS), NONE, "10 ms are not longer than 10 ms");
    assert_eq!(watermarks.on_periodic(110 * MS + 1), s(Idle));
    assert_eq!(watermarks.on_periodic(200 * MS), NONE);
    assert_eq!(event(&mut watermarks, "a", 2), s(Active));
    assert_eq!(watermarks.on_periodic(201 * MS), w(1));
    assert_eq!(watermarks.on_periodic(202 * MS), NONE, "the silence is measured anew");
}

#[test]
fn an_idle_split_lets_the_others_go_on() {
    let mut watermarks = with_splits(&["a", "b"]);
    for now_ms in [0, 5, 10, 15] {
        let _ = event(&mut watermarks, "a", now_ms as Timestamp);
        assert_eq!(watermarks.on_periodic(now_ms * MS), NONE);
    }
    let _ = event(&mut watermarks, "a", 16);
    assert_eq!(watermarks.on_periodic(16 * MS), w(15));
}

#[test]
fn when_all_splits_are_idle_the_greatest_watermark_goes_first() {
    let mut watermarks = with_splits(&["a", "b"]);
    let _ = event(&mut watermarks, "a", 100);
    let _ = event(&mut watermarks, "b", 50);
    let _ = watermarks.on_periodic(0);
    let _ = watermarks.on_periodic(MS);
    assert_eq!(watermarks.on_periodic(12 * MS), MergeOutput { watermark: Some(99), status: Some(Idle) });
}

#[test]
fn a_split_that_comes_back_behind_holds_the_watermark_until_it_has_caught_up() {
    let mut watermarks = with_splits(&["a", "b"]);
    let _ = event(&mut watermarks, "a", 100);
    let _ = event(&mut watermarks, "b", 50);
    for now_ms in [0, 1, 12] {
        let _ = watermarks.on_periodic(now_ms * MS);
    }
    assert_eq!(event(&mut watermarks, "b", 60), s(Active));
    assert_eq!(event(&mut watermarks, "a", 300), NONE);
    assert_eq!(watermarks.on_periodic(13 * MS), NONE);
    let _ = event(&mut watermarks, "b", 250);
    assert_eq!(watermarks.on_periodic(14 * MS), w(249));
}

#[test]
fn a_split_added_at_run_time_holds_the_watermark_until_it_has_one() {
    let mut watermarks = with_splits(&["a"]);
    let _ = event(&mut watermarks, "a", 100);
    assert_eq!(watermarks.on_periodic(0), w(99));
    assert_eq!(watermarks.add_split("b"), NONE);
    let _ = event(&mut watermarks, "a", 200);
    assert_eq!(watermarks.on_periodic(MS), NONE);
    let _ = event(&mut watermarks, "b", 150);
    assert_eq!(watermarks.on_periodic(2 * MS), w(149));
}

#[test]
fn a_removed_split_lets_the_others_go_on() {
    let mut watermarks = with_splits(&["a", "b"]);
    let _ = event(&mut watermarks, "a", 100);
    let _ = watermarks.on_periodic(0);
    assert_eq!(watermarks.remove_split("b"), w(99));
    assert_eq!(watermarks.remove_split("b"), NONE);
}

#[test]
fn removing_the_last_split_announces_nothing() {
    let mut watermarks = with_splits(&["a"]);
    let _ = event(&mut watermarks, "a", 100);
    let _ = watermarks.on_periodic(0);
    assert_eq!(watermarks.remove_split("a"), NONE);
    assert_eq!((watermarks.watermark(), watermarks.status()), (99, Active));
}

#[test]
fn a_subtask_without_splits_falls_idle_and_comes_back_with_a_split() {
    let mut watermarks = with_splits(&[]);
    assert_eq!(watermarks.on_periodic(0), NONE);
    assert_eq!(watermarks.on_periodic(MS), NONE);
    assert_eq!(watermarks.on_periodic(12 * MS), s(Idle));
    assert_eq!(watermarks.add_split("a"), s(Active));
}

#[test]
fn without_idleness_nothing_ever_falls_idle() {
    let mut watermarks = SplitWatermarks::new(&WatermarkStrategy::<()>::for_monotonous_timestamps());
    assert_eq!(watermarks.on_periodic(0), NONE);
    assert_eq!(watermarks.on_periodic(u64::MAX), NONE);
    assert_eq!(watermarks.add_split("a"), NONE);
    assert_eq!(watermarks.on_periodic(0), NONE);
    assert_eq!(watermarks.on_periodic(u64::MAX), NONE);
}

#[test]
fn an_empty_batch_is_no_activity() {
    let mut watermarks = with_splits(&["a"]);
    for now_ms in [0, 1, 12] {
        assert_eq!(watermarks.on_batch("a", &[], &[]), NONE);
        let _ = watermarks.on_periodic(now_ms * MS);
    }
    assert_eq!(watermarks.status(), Idle);
}

#[test]
fn records_of_an_unknown_split_add_it() {
    let mut watermarks = with_splits(&["a"]);
    let _ = event(&mut watermarks, "a", 100);
    let _ = event(&mut watermarks, "new", 50);
    assert_eq!(watermarks.on_periodic(0), w(49));
}

struct EveryRecord;

impl WatermarkGenerator<()> for EveryRecord {
    fn on_event(&mut self, _: &(), timestamp: Timestamp) -> Option<Timestamp> {
        Some(timestamp)
    }
}

#[test]
fn a_punctuated_watermark_goes_out_behind_its_batch() {
    let strategy = WatermarkStrategy::for_generator(|| EveryRecord).with_idleness(Duration::from_millis(10));
    let mut watermarks = SplitWatermarks::new(&strategy);
    assert_eq!(watermarks.on_batch("a", &[(), ()], &[7, 5]), w(7));
    for now_ms in [0, 1, 12] {
        let _ = watermarks.on_periodic(now_ms * MS);
    }
    assert_eq!(event(&mut watermarks, "a", 9), MergeOutput { watermark: Some(9), status: Some(Active) });
    assert_eq!(event(&mut watermarks, "a", 8), NONE);
}

/// Goes on by itself, with each probe.
struct Ticking(Timestamp);

impl WatermarkGenerator<()> for Ticking {
    fn on_event(&mut self, _: &(), _: Timestamp) -> Option<Timestamp> {
        None
    }

    fn on_periodic(&mut self) -> Option<Timestamp> {
        self.0 += 1;
        Some(self.0)
    }
}

#[test]
fn an_idle_split_makes_no_periodic_watermarks() {
    let strategy = WatermarkStrategy::for_generator(|| Ticking(0)).with_idleness(Duration::from_millis(10));
    let mut watermarks = SplitWatermarks::new(&strategy);
    let _ = watermarks.add_split("a");
    assert_eq!(watermarks.on_periodic(0), w(1));
    assert_eq!(watermarks.on_periodic(MS), w(2));
    assert_eq!(watermarks.on_periodic(12 * MS), s(Idle));
    assert_eq!(watermarks.on_periodic(13 * MS), NONE);
}

#[test]
fn a_paused_split_does_not_fall_idle_and_is_measured_anew_afterwards() {
    let mut watermarks = with_splits(&["a", "b", "idle"]);
    for now_ms in [0, 1, 12] {
        let _ = event(&mut watermarks, "a", 100);
        let _ = event(&mut watermarks, "b", 50);
        let _ = watermarks.on_periodic(now_ms * MS);
    }
    for now_ms in 13..100 {
        let _ = event(&mut watermarks, "a", 100);
        watermarks.excuse(|split| split != "a");
        assert_eq!(watermarks.on_periodic(now_ms * MS), NONE, "b holds the watermark back, idle does not");
    }
    assert_eq!(watermarks.splits().collect::<Vec<_>>(), [("a", 99), ("b", 49), ("idle", MIN_WATERMARK)]);
    for (now_ms, expected) in [(100, NONE), (110, NONE), (111, w(99))] {
        let _ = event(&mut watermarks, "a", 100);
        assert_eq!(watermarks.on_periodic(now_ms * MS), expected, "at {now_ms} ms");
    }
}
