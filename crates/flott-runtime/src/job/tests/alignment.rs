//! Whole jobs whose sources wait for each other.

use std::time::Duration;

use flott_core::watermark::WatermarkStrategy;

use super::support::{Phase, TestJob, calm};
use crate::exchange::Partitioning;

/// At most `drift` ahead, with reports at each millisecond.
fn aligned(drift: Duration) -> WatermarkStrategy<u64> {
    WatermarkStrategy::for_monotonous_timestamps().with_watermark_alignment_every(
        "group",
        drift,
        Duration::from_millis(1),
    )
}

#[test]
fn s2_3_a_source_does_not_run_ahead_of_one_of_which_nothing_is_known() {
    let each = 5_000_000;
    let mut job = TestJob::new(1);
    let fast = job.numbers_with(Some(each), aligned(Duration::from_secs(1)));
    let silent = job.numbers_with(None, aligned(Duration::from_secs(1)));
    job.collect(fast, Some(Partitioning::Rebalance), calm());
    job.collect(silent, Some(Partitioning::Rebalance), calm());
    let running = job.start().unwrap();
    running.log.wait_for("numbers", Phase::Process, 3);
    // It reads without a pause if nobody stops it, and is at its end then before it was ever idle for long.
    while running.handle.vertices()[0].snapshot().idle_ns < 30_000_000 {
        assert_eq!(running.log.count("numbers", Phase::Close), 0, "it has read to its end");
        std::thread::yield_now();
    }
    assert!(running.handle.vertices()[0].snapshot().records_out < each);
    running.handle.cancel();
    assert!(running.end().is_err());
}

#[test]
fn aligned_sources_read_to_their_ends_however_unequal_they_are() {
    let mut job = TestJob::new(2);
    let long = job.numbers_with(Some(20_000), aligned(Duration::ZERO));
    let short = job.numbers_with(Some(10), aligned(Duration::from_millis(500)));
    job.collect(long, Some(Partitioning::Rebalance), calm());
    job.collect(short, Some(Partitioning::Rebalance), calm());
    let running = job.start().unwrap();
    running.end().unwrap();
    assert_eq!(running.collected.lock().unwrap().len(), 2 * (20_000 + 10));
}
