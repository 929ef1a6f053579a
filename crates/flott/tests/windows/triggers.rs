//! Triggers, evictors and count windows.

use flott::prelude::*;
use flott::testing::{OneInputHarness, in_both_modes};
use flott::window::{TriggerContext, TriggerResult};

use crate::support::{At, Step, Watermark, env, line, script, sorted, stamped};
use crate::vectors::{at, millis};

type Event = (String, i64);

fn keyed(steps: Vec<Step<Event>>) -> KeyedStream<String, Event> {
    script(&env(1), steps).key_by_ref(|(key, _)| key)
}

fn add(a: &Event, b: Event) -> Event {
    (b.0, a.1 + b.1)
}

/// Values of key `a`, a millisecond apart.
fn of_a(values: impl IntoIterator<Item = i64>) -> Vec<Step<Event>> {
    values.into_iter().zip(0..).map(|(value, timestamp)| At(("a".to_owned(), value), timestamp)).collect()
}

fn sums(stream: &DataStream<Event>) -> Vec<i64> {
    stream.map(|(_, sum)| sum).execute_and_collect().unwrap()
}

#[test]
fn v8_3_6_a_continuous_trigger_on_a_global_window_fires_every_interval() {
    let records = [("key2", 3999), ("key2", 3000), ("key1", 20), ("key1", 0), ("key1", 999), ("key2", 1998)];
    let records = records.into_iter().chain([("key2", 1999), ("key2", 1000)]);
    let mut steps: Vec<_> = records.map(|(key, timestamp)| at(key, timestamp)).collect();
    steps.extend([1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000].map(Watermark));
    let sums =
        keyed(steps).window(GlobalWindows).trigger(ContinuousEventTimeTrigger::of(millis(3000))).reduce(add);
    let results = stamped(&sums).execute_and_collect().unwrap();
    assert!(results.iter().all(|(_, timestamp)| *timestamp == Some(i64::MAX)), "{results:?}");
    // At 3000 that of key1; at 6000 both, as nothing is dropped. The end of the input fires both at 9000 and at the end of
    // time: Flink would fire every 3 s until then, which never ends.
    let results: Vec<_> = results.iter().map(|((key, sum), _)| (key.as_str(), *sum)).collect();
    let first_two = [("key1", 3), ("key1", 3), ("key2", 5)];
    assert_eq!(sorted(results[..3].to_vec()), first_two);
    assert_eq!(sorted(results[3..].to_vec()), [("key1", 3), ("key1", 3), ("key2", 5), ("key2", 5)]);
}

#[test]
fn v8_3_6_a_continuous_trigger_on_a_global_window_restored() {
    in_both_modes(|options| {
        let sums = |events: DataStream<Event>| {
            let windows = events.key_by_ref(|(key, _)| key).window(GlobalWindows);
            windows.trigger(ContinuousEventTimeTrigger::of(millis(3000))).reduce(add)
        };
        let mut harness = OneInputHarness::new(sums).with_options(options);
        let of_key2 = [("key2", 3999), ("key2", 3000)];
        let of_key1 = [("key1", 20), ("key1", 0), ("key1", 999)];
        let more_of_key2 = [("key2", 1998), ("key2", 1999), ("key2", 1000)];
        for (key, timestamp) in of_key2.into_iter().chain(of_key1).chain(more_of_key2) {
            harness.process((key.to_owned(), 1), timestamp).unwrap();
        }
        let end = Some(i64::MAX);
        let (key1, key2) = ((("key1".to_owned(), 3), end), (("key2".to_owned(), 5), end));
        for watermark in (1000..=8000).step_by(1000) {
            harness.watermark(watermark).unwrap();
            let want = match watermark {
                3000 => vec![key1.clone()],
                6000 => vec![key1.clone(), key2.clone()],
                _ => vec![],
            };
            assert_eq!(sorted(harness.take_stamped()), want, "at {watermark}");
        }
    });
}

#[test]
fn v8_3_7_count_windows_emit_every_fourth_record_of_a_key() {
    let steps = vec![
        at("a", 0),
        at("b", 1),
        at("a", 2),
        at("a", 3),
        at("b", 4),
        at("a", 5),
        at("a", 6),
        at("b", 7),
        at("b", 8),
    ];
    let sums = stamped(&keyed(steps).count_window(4).reduce(add));
    let end = Some(i64::MAX);
    assert_eq!(sums.execute_and_collect().unwrap(), [(("a".to_owned(), 4), end), (("b".to_owned(), 4), end)]);
}

#[test]
fn v8_3_19_a_count_evictor_keeps_the_last_four() {
    assert_eq!(sums(&keyed(of_a([1; 6])).count_window_sliding(4, 2).reduce(add)), [2, 4, 4]);
    assert_eq!(sums(&keyed(of_a(1..=6)).count_window_sliding(4, 2).reduce(add)), [3, 10, 18]);
}

#[test]
fn count_windows_of_the_whole_stream() {
    let env = env(3);
    let numbers = env.from_sequence(1, 9);
    let windows = numbers.count_window_all(3).reduce(|a, b| a + b);
    let sum: i64 = windows.execute_and_collect().unwrap().iter().sum();
    assert_eq!(sum, 45);
}

#[test]
fn windows_of_the_whole_stream_run_in_one_subtask() {
    let steps = vec![at("a", 1), at("b", 2), at("c", 1001), Watermark(2000)];
    let sums = script(&env(3), steps)
        .window_all(TumblingEventTimeWindows::of(millis(1000)))
        .apply(|_: &(), window: &TimeWindow, events: &[Event], out: &mut Collector<'_, (i64, usize)>| {
            out.collect((window.start, events.len()));
        })
        .name("all");
    // They come out of three subtasks behind the windows.
    let mut collected = sums.execute_and_collect().unwrap();
    collected.sort_unstable();
    assert_eq!(collected, [(0, 2), (1000, 1)]);
}

#[test]
fn an_evictor_after_the_function_changes_the_next_firing() {
    let windowed = keyed(of_a(1..=4)).window(GlobalWindows).trigger(CountTrigger::of(1));
    assert_eq!(sums(&windowed.evictor(CountEvictor::of(2).after()).reduce(add)), [1, 3, 6, 9]);
}

#[test]
fn a_time_evictor_keeps_what_is_near_the_latest_record() {
    let steps = [(1, 0), (2, 40), (4, 100), (8, 50), (16, 51)];
    let steps = steps.map(|(value, timestamp)| At(("a".to_owned(), value), timestamp)).to_vec();
    let windowed = keyed(steps).window(TumblingEventTimeWindows::of(millis(1000)));
    assert_eq!(sums(&windowed.evictor(TimeEvictor::of(millis(50))).reduce(add)), [20]);
}

#[test]
fn a_delta_evictor_keeps_what_is_like_the_last_record() {
    let windowed = keyed(of_a([1, 9, 5, 7])).window(TumblingEventTimeWindows::of(millis(1000)));
    let evictor = DeltaEvictor::of(3.0, |a: &Event, b: &Event| (a.1 - b.1).abs() as f64);
    assert_eq!(sums(&windowed.evictor(evictor).reduce(add)), [21]);
}

#[test]
fn a_reduction_of_nothing_emits_nothing() {
    let windowed = keyed(of_a([1, 2])).window(TumblingEventTimeWindows::of(millis(1000)));
    assert!(sums(&windowed.evictor(CountEvictor::of(0)).reduce(add)).is_empty());
}

#[test]
fn a_delta_trigger_fires_when_a_record_differs_enough_from_the_last_that_fired() {
    let delta = DeltaTrigger::of(2.0, |a: &Event, b: &Event| (b.1 - a.1) as f64);
    let windowed = keyed(of_a([1, 2, 3, 4, 5, 7])).window(GlobalWindows).trigger(delta);
    // 4 is the first that is more than 2 above 1, and 7 the first above 4.
    assert_eq!(sums(&windowed.reduce(add)), [10, 22]);
}

#[test]
fn a_continuous_trigger_fires_within_a_window_and_at_its_end() {
    let mut steps = vec![at("a", 10)];
    for time in [100, 150, 200, 999] {
        steps.extend([Watermark(time), At(("a".to_owned(), 0), 990)]);
    }
    let windowed = keyed(steps).window(TumblingEventTimeWindows::of(millis(1000)));
    let trigger = ContinuousEventTimeTrigger::of(millis(400));
    assert_eq!(sums(&windowed.trigger(trigger).reduce(|a, b| (b.0, a.1 + 1))), [4, 4, 4]);
}

#[test]
fn without_a_trigger_of_its_own_a_global_window_emits_nothing() {
    assert!(sums(&keyed(of_a(1..=4)).window(GlobalWindows).reduce(add)).is_empty());
    let never = keyed(of_a(1..=4)).window(TumblingEventTimeWindows::of(millis(1))).trigger(NeverTrigger);
    assert!(sums(&never.reduce(add)).is_empty());
}

#[test]
fn v8_3_18_sizes_that_make_no_windows_are_refused() {
    fn refused<A: WindowAssigner<Event>>(windows: A, want: &str) {
        let text = line(keyed(vec![]).window(windows).reduce(add).execute_and_collect());
        assert_eq!(text, format!("the job can't start: operator 'Window': {want}"));
    }
    let zero = Duration::ZERO;
    refused(TumblingEventTimeWindows::of(zero), "tumbling windows need a size of at least 1 ms");
    refused(TumblingProcessingTimeWindows::of(zero), "tumbling windows need a size of at least 1 ms");
    refused(SlidingEventTimeWindows::of(zero, millis(1)), "sliding windows need a size of at least 1 ms");
    refused(
        SlidingProcessingTimeWindows::of(millis(1), zero),
        "sliding windows need a slide of at least 1 ms",
    );
    let offset = "abs(offset) < size, but the offset is";
    for offset_ms in [5, -5, i64::MIN] {
        let windows = TumblingEventTimeWindows::of(millis(5)).with_offset_ms(offset_ms);
        refused(windows, &format!("tumbling windows need {offset} {offset_ms} ms of 5 ms"));
    }
    let windows = SlidingEventTimeWindows::of(millis(10), millis(5)).with_offset_ms(5);
    refused(windows, "sliding windows need abs(offset) < slide, but the offset is 5 ms of 5 ms");
}

#[test]
fn counts_and_intervals_of_zero_are_refused() {
    let refused = |stream: DataStream<Event>, want: &str| {
        let text = line(stream.execute_and_collect());
        assert_eq!(text, format!("the job can't start: operator 'Window': {want}"));
    };
    let none = || keyed(vec![]);
    refused(none().count_window(0).reduce(add), "a count trigger needs a count of at least 1");
    refused(
        none().count_window_sliding(0, 1).reduce(add),
        "a sliding count window needs a size of at least 1",
    );
    let global = || none().window(GlobalWindows);
    let continuous = "a continuous trigger needs an interval of at least 1 ms";
    // Half a millisecond is none, as Flink's time has no smaller unit.
    for interval in [Duration::ZERO, Duration::from_micros(500)] {
        refused(global().trigger(ContinuousEventTimeTrigger::of(interval)).reduce(add), continuous);
        refused(global().trigger(ContinuousProcessingTimeTrigger::of(interval)).reduce(add), continuous);
    }
    let timeout = ProcessingTimeoutTrigger::of(CountTrigger::of(1), Duration::ZERO);
    refused(global().trigger(timeout).reduce(add), "a timeout trigger needs a timeout of at least 1 ms");
    let nested = PurgingTrigger::of(CountTrigger::of(0));
    refused(global().trigger(nested).reduce(add), "a count trigger needs a count of at least 1");
    let nested = ProcessingTimeoutTrigger::of(CountTrigger::of(0), millis(1));
    refused(global().trigger(nested).reduce(add), "a count trigger needs a count of at least 1");
}

#[test]
fn a_window_fires_at_its_end_also_after_a_timeout_has_cleared_the_nested_trigger() {
    in_both_modes(|options| {
        let build = |events: DataStream<Event>| {
            events
                .key_by_ref(|(key, _)| key)
                .window(TumblingEventTimeWindows::of(millis(1000)))
                .trigger(ProcessingTimeoutTrigger::of(EventTimeTrigger, millis(50)))
                .reduce(add)
        };
        let mut harness = OneInputHarness::new(build).with_options(options);
        let a = |value| ("a".to_owned(), value);
        harness.process(a(1), 1).unwrap();
        harness.set_processing_time(50).unwrap();
        assert_eq!(harness.take_records(), [a(1)], "by the timeout");
        harness.process(a(2), 2).unwrap();
        harness.watermark(999).unwrap();
        assert_eq!(harness.take_stamped(), [(a(3), Some(999))], "by the end of the window");
        harness.set_processing_time(200).unwrap();
        assert_eq!(harness.take_records(), []);
    });
}

#[test]
fn what_an_evictor_drops_at_a_late_firing_is_gone_at_the_next() {
    in_both_modes(|options| {
        let build = |events: DataStream<Event>| {
            let windows =
                events.key_by_ref(|(key, _)| key).window(TumblingEventTimeWindows::of(millis(1000)));
            windows.allowed_lateness(millis(1000)).evictor(CountEvictor::of(0).after()).reduce(add)
        };
        let mut harness = OneInputHarness::new(build).with_options(options);
        let a = |value| ("a".to_owned(), value);
        harness.watermark(999).unwrap();
        harness.process(a(1), 1).unwrap();
        harness.process(a(2), 2).unwrap();
        assert_eq!(harness.take_records(), [a(1), a(2)]);
    });
}

#[test]
fn the_clock_fires_a_window_of_event_time_for_each_record_behind_its_end() {
    in_both_modes(|options| {
        let build = |events: DataStream<Event>| {
            let windows =
                events.key_by_ref(|(key, _)| key).window(TumblingEventTimeWindows::of(millis(1000)));
            windows.trigger(ProcessingTimeTrigger).reduce(add)
        };
        let mut harness = OneInputHarness::new(build).with_options(options);
        let a = |value| ("a".to_owned(), value);
        harness.process(a(1), 1).unwrap();
        harness.set_processing_time(2000).unwrap();
        assert_eq!(harness.take_records(), [a(1)]);
        // The watermark has not passed the window, so the record counts; the clock has, so it fires at once.
        harness.process(a(2), 2).unwrap();
        assert_eq!(harness.take_records(), [a(3)]);
    });
}

#[test]
fn a_timeout_that_is_due_when_its_nested_trigger_fires_does_not_fire_again() {
    in_both_modes(|options| {
        let build = |events: DataStream<Event>| {
            let nested = ContinuousProcessingTimeTrigger::of(millis(10));
            let timeout = ProcessingTimeoutTrigger::of(nested, millis(2));
            events.key_by_ref(|(key, _)| key).window(GlobalWindows).trigger(timeout).reduce(add)
        };
        let mut harness = OneInputHarness::new(build).with_options(options);
        harness.set_processing_time(19).unwrap();
        harness.process(("a".to_owned(), 1), 1).unwrap();
        // The clock jumps over 20, when the nested trigger fires and is cleared, and 21, when the time is over.
        harness.set_processing_time(25).unwrap();
        assert_eq!(harness.take_records(), [("a".to_owned(), 1)]);
    });
}

#[test]
fn a_window_is_removed_also_when_its_trigger_deletes_a_timer_of_that_time() {
    in_both_modes(|options| {
        let build = |events: DataStream<Event>| {
            // Fires with the second record, and deletes the timer of its timeout, which is at the end of the window.
            let timeout = ProcessingTimeoutTrigger::of(CountTrigger::of(2), millis(99));
            let windows =
                events.key_by_ref(|(key, _)| key).window(TumblingProcessingTimeWindows::of(millis(100)));
            windows.trigger(timeout).reduce(add)
        };
        let mut harness = OneInputHarness::new(build).with_options(options);
        let empty = harness.snapshot().unwrap();
        harness.process(("a".to_owned(), 1), 0).unwrap();
        harness.process(("a".to_owned(), 2), 0).unwrap();
        assert_eq!(harness.take_records(), [("a".to_owned(), 3)]);
        harness.set_processing_time(99).unwrap();
        assert!(harness.snapshot().unwrap() == empty);
    });
}

#[test]
fn a_continuous_trigger_of_event_time_refuses_a_record_without_timestamp() {
    let steps = vec![at("a", 5), crate::support::Untimed(("a".to_owned(), 1))];
    let trigger = ContinuousEventTimeTrigger::of(millis(10));
    let text = line(keyed(steps).window(GlobalWindows).trigger(trigger).reduce(add).execute_and_collect());
    assert_eq!(
        text,
        "operator 'Window' (subtask 1/1) failed: a record has no timestamp, which a continuous trigger of event time \
         needs: give the source a WatermarkStrategy with a timestamp assigner, or call assign_timestamps_and_watermarks"
    );
}

/// Shows a record to another trigger only from 10 on.
#[derive(Clone)]
struct FromTen<R>(R);

impl<W: Window, R: Trigger<Event, W>> Trigger<Event, W> for FromTen<R> {
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        event: &Event,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        if event.1 < 10 {
            return Ok(TriggerResult::Continue);
        }
        self.0.on_element(event, time, window, context)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.0.on_event_time(time, window, context)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.0.on_processing_time(time, window, context)
    }

    fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        self.0.clear(window, context)
    }
}

#[test]
fn a_trigger_fires_also_when_another_one_has_kept_the_first_record_from_it() {
    in_both_modes(|options| {
        let windows = |events: DataStream<Event>| {
            let windows =
                events.key_by_ref(|(key, _)| key).window(TumblingEventTimeWindows::of(millis(1000)));
            windows.allowed_lateness(millis(1000))
        };
        let a = |value| ("a".to_owned(), value);
        let mut harness =
            OneInputHarness::new(|events| windows(events).trigger(FromTen(EventTimeTrigger)).reduce(add))
                .with_options(options);
        harness.process(a(1), 1).unwrap();
        harness.process(a(10), 2).unwrap();
        harness.watermark(999).unwrap();
        assert_eq!(harness.take_records(), [a(11)]);

        let by_clock = |events| windows(events).trigger(FromTen(ProcessingTimeTrigger)).reduce(add);
        let mut harness = OneInputHarness::new(by_clock).with_options(options);
        harness.process(a(1), 1).unwrap();
        harness.process(a(10), 2).unwrap();
        harness.set_processing_time(999).unwrap();
        assert_eq!(harness.take_records(), [a(11)]);
    });
}
