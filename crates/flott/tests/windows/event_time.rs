//! Event-time windows: lateness, timestamps, functions.

use flott::prelude::*;
use flott::window::WindowAssignerContext;

use crate::support::{At, Step, Untimed, Watermark, env, line, script, sorted, stamped};
use crate::vectors::{at, millis};

type Event = (String, i64);

fn keyed(env: &StreamExecutionEnvironment, steps: Vec<Step<Event>>) -> KeyedStream<String, Event> {
    script(env, steps).key_by_ref(|(key, _)| key)
}

fn second() -> TumblingEventTimeWindows {
    TumblingEventTimeWindows::of(millis(1000))
}

fn add(a: &Event, b: Event) -> Event {
    (b.0, a.1 + b.1)
}

#[test]
fn late_records_are_dropped_and_counted() {
    let env = env(1);
    let steps = vec![at("a", 10), Watermark(999), at("a", 20), at("a", 1020), at("b", 30)];
    let collect = flott::sink::CollectSink::new(None);
    let collected = collect.collected();
    keyed(&env, steps).window(second()).reduce(add).sink_to(collect);
    assert_eq!(env.execute().unwrap().late_records_dropped(), 2);
    assert_eq!(collected.take(), [("a".to_owned(), 1), ("a".to_owned(), 1)]);
}

#[test]
fn a_record_is_late_only_when_the_watermark_has_reached_the_last_timestamp_of_its_window() {
    let steps = vec![at("a", 10), Watermark(998), at("a", 20)];
    let sums = keyed(&env(1), steps).window(second()).reduce(add);
    assert_eq!(sums.execute_and_collect().unwrap(), [("a".to_owned(), 2)]);
}

#[test]
fn a_window_fires_again_for_each_record_within_the_allowed_lateness() {
    let steps = vec![
        at("a", 10),
        Watermark(1498),
        at("a", 20),
        at("a", 30),
        Watermark(1499),
        at("a", 40),
        Watermark(5000),
    ];
    let late = OutputTag::new("late");
    let sums = keyed(&env(1), steps)
        .window(second())
        .allowed_lateness(millis(500))
        .side_output_late_data(&late)
        .reduce(add);
    let all = sums.map(|(_, sum)| sum).union(&sums.side_output(&late).map(|(_, n)| -n));
    assert_eq!(sorted(all.execute_and_collect().unwrap()), [-1, 1, 2, 3]);
}

#[test]
fn a_record_that_one_of_its_sliding_windows_takes_is_not_late() {
    let env = env(1);
    let steps = vec![Watermark(1500), at("a", 1200), at("a", 400)];
    let windows = SlidingEventTimeWindows::of(millis(1000), millis(500));
    let sums = stamped(&keyed(&env, steps).window(windows).reduce(add));
    let collect = flott::sink::CollectSink::new(None);
    let collected = collect.collected();
    sums.sink_to(collect);
    // 1200 is too late for 500..1500 and in time for 1000..2000; 400 is too late for both of its windows.
    assert_eq!(env.execute().unwrap().late_records_dropped(), 1);
    assert_eq!(collected.take(), [(("a".to_owned(), 1), Some(1999))]);
}

#[test]
fn a_late_record_between_two_windows_is_late_and_one_in_time_is_not() {
    let windows = SlidingEventTimeWindows::of(millis(10), millis(100));
    let late = OutputTag::new("late");
    let steps = vec![at("a", 50), at("a", 105), Watermark(120), at("a", 60), at("a", 150)];
    let sums = keyed(&env(1), steps).window(windows).side_output_late_data(&late).reduce(add);
    let all = stamped(&sums).union(&stamped(&sums.side_output(&late)));
    let timestamps = all.execute_and_collect().unwrap().into_iter().map(|(_, timestamp)| timestamp);
    assert_eq!(sorted(timestamps.collect()), [Some(60), Some(109)]);
}

#[test]
fn negative_timestamps_have_windows_too() {
    let steps = vec![at("a", -1), at("a", -1000), at("a", -1001), at("a", 0)];
    let sums = stamped(&keyed(&env(1), steps).window(second()).reduce(add));
    let sums = sums.map(|((_, sum), timestamp)| (timestamp, sum)).execute_and_collect().unwrap();
    assert_eq!(sums, [(Some(-1001), 1), (Some(-1), 2), (Some(999), 1)]);
}

#[test]
fn timestamps_at_the_ends_of_time_have_windows() {
    for timestamp in [i64::MIN + 1, i64::MAX - 1] {
        for slide in [1000, 300] {
            let mut windows = Vec::new();
            let context = WindowAssignerContext::at(0);
            let mut sliding = SlidingEventTimeWindows::of(millis(1000), millis(slide));
            sliding.assign(&(), timestamp, &context, &mut windows).unwrap();
            assert!((1..=4).contains(&windows.len()), "{timestamp}: {windows:?}");
            assert!(
                windows.iter().all(|w| w.start <= timestamp && timestamp < w.end),
                "{timestamp}: {windows:?}"
            );
        }
        let mut windows = Vec::new();
        second().assign(&(), timestamp, &WindowAssignerContext::at(0), &mut windows).unwrap();
        assert!(windows[0].start <= timestamp && timestamp < windows[0].end, "{timestamp}: {windows:?}");
    }
}

#[test]
fn a_record_without_timestamp_is_an_error_that_says_what_to_do() {
    let steps = vec![at("a", 1), Untimed(("a".to_owned(), 1))];
    let sums = keyed(&env(1), steps).window(second()).reduce(add).name("sums");
    assert_eq!(
        line(sums.execute_and_collect()),
        "operator 'sums' (subtask 1/1) failed: a record has no timestamp, which event-time windows need: \
         give the source a WatermarkStrategy with a timestamp assigner, or call assign_timestamps_and_watermarks"
    );
}

#[test]
fn results_carry_the_last_timestamp_of_their_window_so_that_windows_can_be_stacked() {
    let steps = vec![at("a", 10), at("b", 20), at("a", 30), Watermark(999), at("a", 1000)];
    let sums = keyed(&env(1), steps).window(second()).reduce(add);
    let totals = stamped(&sums.key_by(|_| 0).window(second()).reduce(|a, b| (String::new(), a.1 + b.1)));
    let totals = totals.map(|((_, sum), timestamp)| (sum, timestamp)).execute_and_collect().unwrap();
    assert_eq!(totals, [(3, Some(999)), (1, Some(1999))]);
}

/// The mean, as sum and count.
#[derive(Clone)]
struct Mean;

impl AggregateFunction<Event> for Mean {
    type Accumulator = (i64, u32);
    type Output = f64;

    fn create_accumulator(&self) -> (i64, u32) {
        (0, 0)
    }

    fn add(&self, record: Event, accumulator: &mut (i64, u32)) {
        *accumulator = (accumulator.0 + record.1, accumulator.1 + 1);
    }

    fn get_result(&self, accumulator: &(i64, u32)) -> f64 {
        accumulator.0 as f64 / f64::from(accumulator.1)
    }

    fn merge(&self, accumulator: &mut (i64, u32), other: (i64, u32)) {
        *accumulator = (accumulator.0 + other.0, accumulator.1 + other.1);
    }
}

fn of_a(values: &[(i64, Timestamp)]) -> Vec<Step<Event>> {
    values.iter().map(|(value, timestamp)| At(("a".to_owned(), *value), *timestamp)).collect()
}

#[test]
fn aggregate_emits_the_result_of_the_accumulator() {
    let means = keyed(&env(1), of_a(&[(1, 0), (4, 1), (10, 1000)])).window(second()).aggregate(Mean);
    assert_eq!(means.execute_and_collect().unwrap(), [2.5, 10.0]);
}

#[test]
fn the_emitting_function_gets_key_and_window_and_may_emit_any_number() {
    let means = keyed(&env(1), of_a(&[(1, 0), (4, 1), (10, 1000)])).window(second()).aggregate_with(
        Mean,
        |key: &String, window: &TimeWindow, mean, out: &mut Collector<'_, String>| {
            (0..window.start / 1000 + 1)
                .for_each(|_| out.collect(format!("{key} {}..{} {mean}", window.start, window.end)));
        },
    );
    let want = ["a 0..1000 2.5", "a 1000..2000 10", "a 1000..2000 10"];
    assert_eq!(means.execute_and_collect().unwrap(), want);
    let sums = keyed(&env(1), of_a(&[(1, 0), (4, 1)])).window(second()).reduce_with(
        add,
        |key: &String, window: &TimeWindow, sum: Event, out: &mut Collector<'_, (String, i64, i64)>| {
            out.collect((key.clone(), window.start, sum.1));
        },
    );
    assert_eq!(sums.execute_and_collect().unwrap(), [("a".to_owned(), 0, 5)]);
}

#[test]
fn windows_are_the_same_at_any_parallelism() {
    let sums = |parallelism| {
        let env = env(parallelism);
        let strategy = WatermarkStrategy::for_bounded_out_of_orderness(millis(100_000))
            .with_timestamp_assigner(|n: &u64, _| *n as i64 * 7);
        env.set_auto_watermark_interval(millis(1));
        let numbers = env.from_source(GeneratorSource::new(5000, |n| n), strategy, "numbers");
        let sums = numbers.map(|n| (n % 13, n)).key_by(|(key, _)| *key).window(second());
        sorted(sums.reduce(|a, b| (b.0, a.1 + b.1)).execute_and_collect().unwrap())
    };
    let want = sums(1);
    assert_eq!(want.iter().map(|(_, sum)| sum).sum::<u64>(), (0..5000).sum());
    assert_eq!(sums(2), want);
    assert_eq!(sums(4), want);
}
