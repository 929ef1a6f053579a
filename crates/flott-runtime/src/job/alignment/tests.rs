//! Who may go on, by what all members of the group have reported.

use std::time::Duration;

use flott_core::time::{MAX_WATERMARK, MIN_WATERMARK, Timestamp};
use flott_core::watermark::{WatermarkAlignment, WatermarkStrategy};

use super::*;

fn alignment(group: &str, drift_ms: u64) -> WatermarkAlignment {
    let strategy = WatermarkStrategy::<u64>::no_watermarks();
    let strategy = strategy.with_watermark_alignment(group, Duration::from_millis(drift_ms));
    strategy.alignment().unwrap().clone()
}

fn reader(vertex: u32, subtask: u32) -> TaskId {
    TaskId { vertex, subtask }
}

#[test]
fn s2_3_the_limit_is_the_least_watermark_of_the_group_and_the_drift() {
    let (mut groups, alignment) = (AlignmentGroups::default(), alignment("g", 100));
    let mut report =
        |vertex, subtask, watermark| groups.report(&alignment, reader(vertex, subtask), watermark);
    assert_eq!(report(0, 0, 1_000), 1_100, "alone, a reader waits for nobody");
    assert_eq!(report(0, 1, 5_000), 1_100, "subtasks of one source wait for each other too");
    assert_eq!(report(3, 0, 400), 500);
    assert_eq!(report(0, 0, 1_000), 500);
    assert_eq!(report(3, 0, 6_000), 1_100, "the slowest is another now");
}

#[test]
fn a_reader_that_has_seen_nothing_holds_up_the_group() {
    let (mut groups, alignment) = (AlignmentGroups::default(), alignment("g", 100));
    groups.report(&alignment, reader(0, 0), MIN_WATERMARK);
    assert_eq!(groups.report(&alignment, reader(1, 0), 0), MIN_WATERMARK + 100);
}

#[test]
fn s2_3_idle_and_finished_readers_hold_up_nobody() {
    let (mut groups, alignment) = (AlignmentGroups::default(), alignment("g", 100));
    groups.report(&alignment, reader(0, 0), 10);
    assert_eq!(groups.report(&alignment, reader(1, 0), 1_000), 110);
    assert_eq!(groups.report(&alignment, reader(0, 0), MAX_WATERMARK), 1_100);
    assert_eq!(groups.report(&alignment, reader(1, 0), 1_000), 1_100);
    assert_eq!(groups.report(&alignment, reader(1, 0), MAX_WATERMARK), Timestamp::MAX);
    assert_eq!(groups.report(&alignment, reader(0, 0), 20), 120, "one that is active again counts again");
}

#[test]
fn groups_and_drifts_are_apart() {
    let mut groups = AlignmentGroups::default();
    groups.report(&alignment("slow", 100), reader(0, 0), 10);
    assert_eq!(groups.report(&alignment("fast", 100), reader(1, 0), 1_000), 1_100);
    assert_eq!(
        groups.report(&alignment("slow", 5), reader(2, 0), 1_000),
        15,
        "each source has its own drift"
    );
}
