//! Vectors that Flink's own window tests use: assigners, time windows, lateness.

use flott::prelude::*;
use flott::testing::{OneInputHarness, in_both_modes};
use flott::window::WindowAssignerContext;

use crate::support::{At, Step, Watermark, env, script, sorted, stamped};

type Event = (String, i64);

pub(crate) fn at(key: &str, timestamp: Timestamp) -> Step<Event> {
    At((key.to_owned(), 1), timestamp)
}

pub(crate) fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// `key,sum@timestamp`, by timestamp and key.
fn shown(stream: &DataStream<Event>) -> Vec<String> {
    let results = stamped(&stream.filter(|(key, _)| key != LATER)).execute_and_collect().unwrap();
    let results = results.into_iter().map(|((key, sum), timestamp)| (timestamp.unwrap(), key, sum)).collect();
    sorted(results).into_iter().map(|(timestamp, key, sum)| format!("{key},{sum}@{timestamp}")).collect()
}

/// The key of records that stand between two watermarks, for the engine may leave out the first of two in a row.
const LATER: &str = "later";

/// The input of the vectors 1 and 2, and watermarks.
fn input(watermarks: impl IntoIterator<Item = Timestamp>) -> Vec<Step<Event>> {
    let records = [("key2", 3999), ("key2", 3000), ("key1", 20), ("key1", 0), ("key1", 999), ("key2", 1998)];
    let records = records.into_iter().chain([("key2", 1999), ("key2", 1000)]);
    let steps = records.map(|(key, timestamp)| at(key, timestamp));
    let watermarks =
        watermarks.into_iter().flat_map(|watermark| [Watermark(watermark), at(LATER, 1_000_000)]);
    steps.chain(watermarks).collect()
}

fn summed<A: WindowAssigner<Event>>(steps: Vec<Step<Event>>, windows: A) -> Vec<String> {
    let keyed = script(&env(1), steps).key_by_ref(|(key, _)| key);
    shown(&keyed.window(windows).reduce(|a, b| (b.0, a.1 + b.1)))
}

#[test]
fn v8_3_1_tumbling_windows_of_three_seconds() {
    let windows = TumblingEventTimeWindows::of(millis(3000));
    let want = ["key1,3@2999", "key2,3@2999", "key2,2@5999"];
    assert_eq!(summed(input([999, 1999, 2999, 3999, 4999, 5999, 6999, 7999]), windows), want);
}

#[test]
fn v8_3_2_sliding_windows_of_three_seconds_every_second() {
    let windows = SlidingEventTimeWindows::of(millis(3000), millis(1000));
    let want = [
        "key1,3@999",
        "key1,3@1999",
        "key2,3@1999",
        "key1,3@2999",
        "key2,3@2999",
        "key2,5@3999",
        "key2,2@4999",
        "key2,2@5999",
    ];
    assert_eq!(summed(input([999, 1999, 2999, 3999, 4999, 5999, 6999, 7999]), windows), want);
}

#[test]
fn windows_fire_at_the_watermark_that_reaches_their_last_timestamp() {
    // Behind the windows, each result is seen under the watermark before the one that fired it.
    let keyed = script(&env(1), input([999, 2998, 2999, 5998, 5999])).key_by_ref(|(key, _)| key);
    let sums = keyed.window(TumblingEventTimeWindows::of(millis(3000))).reduce(|a, b| (b.0, a.1 + b.1));
    let sums = sums.filter(|(key, _)| key != LATER);
    let seen = sums.process(crate::support::process(|sum: Event, context, out: &mut Collector<'_, _>| {
        out.collect((context.current_watermark(), sum));
        Ok(())
    }));
    let want =
        [(2998, ("key1".to_owned(), 3)), (2998, ("key2".to_owned(), 3)), (5998, ("key2".to_owned(), 2))];
    assert_eq!(sorted(seen.execute_and_collect().unwrap()), want);
}

#[test]
fn v8_3_10_allowed_lateness_with_a_purging_trigger() {
    let steps = vec![
        at("key2", 500),
        Watermark(1500),
        at("key2", 1300),
        Watermark(2300),
        at("key2", 1997),
        Watermark(6000),
        at("key2", 1998),
        Watermark(7000),
    ];
    let env = env(1);
    let windowed = script(&env, steps)
        .key_by_ref(|(key, _)| key)
        .window(TumblingEventTimeWindows::of(millis(2000)))
        .allowed_lateness(millis(500))
        .trigger(PurgingTrigger::of(EventTimeTrigger));
    let late = OutputTag::new("late");
    let sums = windowed.side_output_late_data(&late).reduce(|a, b| (b.0, a.1 + b.1));
    let all = sums.union(&sums.side_output(&late).map(|(key, n)| (format!("late {key}"), n)));
    assert_eq!(shown(&all), ["late key2,1@1998", "key2,1@1999", "key2,2@1999"]);
}

#[test]
fn v8_3_11_late_records_go_to_the_side_output_restored() {
    in_both_modes(|options| {
        let late = OutputTag::<Event>::new("late");
        let sums = |events: DataStream<Event>| {
            let windows =
                events.key_by_ref(|(key, _)| key).window(TumblingEventTimeWindows::of(millis(2000)));
            windows.side_output_late_data(&late).reduce(|a, b| (b.0, a.1 + b.1))
        };
        let mut harness = OneInputHarness::new(sums).with_options(options).with_side_output(&late);
        let key2 = || ("key2".to_owned(), 1);
        harness.process(key2(), 1000).unwrap();
        harness.watermark(1985).unwrap();
        harness.process(key2(), 1980).unwrap();
        harness.watermark(1999).unwrap();
        assert_eq!(harness.take_stamped(), [(("key2".to_owned(), 2), Some(1999))]);
        harness.process(key2(), 1998).unwrap();
        assert_eq!(harness.take_side_output(&late), [(key2(), Some(1998))]);
        harness.process(key2(), 2001).unwrap();
        harness.watermark(2999).unwrap();
        assert!(harness.take_stamped().is_empty());
        harness.watermark(3999).unwrap();
        assert_eq!(harness.take_stamped(), [(key2(), Some(3999))]);
        assert!(harness.take_side_output(&late).is_empty());
    });
}

#[test]
fn v8_3_11_late_records_go_to_the_side_output() {
    let steps = vec![
        at("key2", 1000),
        Watermark(1985),
        at("key2", 1980),
        Watermark(1999),
        at("key2", 1998),
        at("key2", 2001),
        Watermark(2999),
        Watermark(3999),
    ];
    let late = OutputTag::new("late");
    let sums = script(&env(1), steps)
        .key_by_ref(|(key, _)| key)
        .window(TumblingEventTimeWindows::of(millis(2000)))
        .side_output_late_data(&late)
        .reduce(|a, b| (b.0, a.1 + b.1));
    let all = sums.union(&sums.side_output(&late).map(|(key, n)| (format!("late {key}"), n)));
    assert_eq!(shown(&all), ["late key2,1@1998", "key2,2@1999", "key2,1@3999"]);
}

#[test]
fn v8_3_14_a_window_whose_cleanup_time_overflows_fires_once() {
    let day = i64::MAX - 1500;
    let windowed = script(&env(1), vec![at("a", day), Watermark(day + 1), at("a", day + 2)])
        .key_by_ref(|(key, _)| key)
        .window(TumblingEventTimeWindows::of(millis(1000)))
        .allowed_lateness(Duration::MAX);
    let end = TimeWindow::start_of(day, 0, 1000) + 999;
    assert_eq!(shown(&windowed.reduce(|a, b| (b.0, a.1 + b.1))), [format!("a,2@{end}")]);
}

#[test]
fn v8_3_14_a_window_whose_cleanup_time_overflows_fires_once_restored() {
    in_both_modes(|options| {
        let sums = |events: DataStream<Event>| {
            let windows =
                events.key_by_ref(|(key, _)| key).window(TumblingEventTimeWindows::of(millis(1000)));
            windows.allowed_lateness(Duration::MAX).reduce(|a, b| (b.0, a.1 + b.1))
        };
        let mut harness = OneInputHarness::new(sums).with_options(options);
        let day = i64::MAX - 1500;
        let end = TimeWindow::start_of(day, 0, 1000) + 999;
        harness.process(("a".to_owned(), 1), day).unwrap();
        harness.watermark(end).unwrap();
        assert_eq!(harness.take_stamped(), [(("a".to_owned(), 1), Some(end))]);
        harness.finish().unwrap();
        assert!(harness.take_stamped().is_empty());
    });
}

#[test]
fn v8_3_15_where_windows_start() {
    let starts = |offset, times: &[i64]| -> Vec<i64> {
        times.iter().map(|time| TimeWindow::start_of(*time, offset, 7)).collect()
    };
    assert_eq!(starts(0, &[-8, -7, -6, -1, 1, 6, 7, 8]), [-14, -7, -7, -7, 0, 0, 7, 7]);
    assert_eq!(starts(3, &[-10, -9, -3, -1, 2, 3, 9, 10]), [-11, -11, -4, -4, -4, 3, 3, 10]);
    assert_eq!(starts(-2, &[-12, -7, -3, -2, -1, 3, 4, 7, 12]), [-16, -9, -9, -2, -2, -2, -2, 5, 12]);
    let (hour, day) = (3_600_000, 86_400_000);
    assert_eq!(TimeWindow::start_of(1_470_902_048_450, -8 * hour, day), 1_470_844_800_000);
}

fn sliding_starts(mut windows: SlidingEventTimeWindows, timestamp: Timestamp) -> Vec<Timestamp> {
    let mut assigned = Vec::new();
    windows.assign(&(), timestamp, &WindowAssignerContext::at(0), &mut assigned).unwrap();
    assert!(assigned.iter().all(|window| window.end - window.start == 5000));
    sorted(assigned.into_iter().map(|window| window.start).collect())
}

#[test]
fn v8_3_16_which_sliding_windows_a_record_is_in() {
    let windows = SlidingEventTimeWindows::of(millis(5000), millis(1000));
    assert_eq!(sliding_starts(windows, 0), [-4000, -3000, -2000, -1000, 0]);
    assert_eq!(sliding_starts(windows, 4999), [0, 1000, 2000, 3000, 4000]);
    assert_eq!(sliding_starts(windows, 5000), [1000, 2000, 3000, 4000, 5000]);
    let shifted = windows.with_offset_ms(100);
    assert_eq!(sliding_starts(shifted, 100), [-3900, -2900, -1900, -900, 100]);
}
