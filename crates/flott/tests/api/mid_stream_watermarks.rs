//! `assign_timestamps_and_watermarks` in the middle of a stream.

use flott::prelude::*;

use crate::support::{At, Untimed, Watermark, env, process, script};

/// A watermark behind each record, ten below its timestamp.
struct TenBelow;

impl WatermarkGenerator<i64> for TenBelow {
    fn on_event(&mut self, _: &i64, timestamp: Timestamp) -> Option<Timestamp> {
        Some(timestamp - 10)
    }
}

fn seen(stream: &DataStream<i64>) -> Vec<(i64, Option<Timestamp>, Timestamp)> {
    let seen = stream.process(process(|n: i64, context, out: &mut Collector<'_, _>| {
        out.collect((n, context.timestamp(), context.current_watermark()));
        Ok(())
    }));
    seen.execute_and_collect().unwrap()
}

#[test]
fn new_timestamps_and_watermarks_replace_the_old_ones() {
    let steps = vec![At(1, 5000), Watermark(4000), Untimed(2), Watermark(6000), At(3, 5)];
    let strategy = WatermarkStrategy::for_generator(|| TenBelow).with_timestamp_assigner(|n, _| n * 100);
    let stream = script(&env(1), steps).assign_timestamps_and_watermarks(strategy);
    let want = [(1, Some(100), MIN_WATERMARK), (2, Some(200), 90), (3, Some(300), 190)];
    assert_eq!(seen(&stream), want);
}

#[test]
fn without_an_assigner_the_timestamps_stay() {
    let steps = vec![At(1, 50), Watermark(45), At(2, 30), At(3, 70)];
    let strategy = WatermarkStrategy::for_generator(|| TenBelow);
    let stream = script(&env(1), steps).assign_timestamps_and_watermarks(strategy);
    let want = [(1, Some(50), MIN_WATERMARK), (2, Some(30), 40), (3, Some(70), 40)];
    assert_eq!(seen(&stream), want);
}

#[test]
fn the_assigner_sees_the_timestamp_from_before() {
    let strategy = WatermarkStrategy::no_watermarks()
        .with_timestamp_assigner(|_, old| if old == NO_TIMESTAMP { -1 } else { old + 1 });
    let stream = script(&env(1), vec![At(1, 50), Untimed(2)]).assign_timestamps_and_watermarks(strategy);
    assert_eq!(seen(&stream), [(1, Some(51), MIN_WATERMARK), (2, Some(-1), MIN_WATERMARK)]);
}

#[test]
fn the_end_of_the_input_still_fires_the_windows() {
    let strategy = WatermarkStrategy::no_watermarks().with_timestamp_assigner(|n, _| *n);
    let sums = script(&env(1), vec![Untimed(1), Watermark(6000), Untimed(2), Untimed(12)])
        .assign_timestamps_and_watermarks(strategy)
        .key_by(|_| 0)
        .window(TumblingEventTimeWindows::of(Duration::from_millis(10)))
        .reduce(|a, b| a + b);
    assert_eq!(sums.execute_and_collect().unwrap(), [3, 12]);
}
