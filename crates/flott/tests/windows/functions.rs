//! Functions over windows: all elements, state, life cycle, sums and extremes, failures.

use flott::prelude::*;
use flott::testing::OneInputHarness;

use crate::support::{At, Step, Watermark, env, line, script, sorted};
use crate::vectors::millis;

type Event = (String, i64);

fn keyed(values: &[(i64, Timestamp)]) -> KeyedStream<String, Event> {
    let steps = values.iter().map(|(value, timestamp)| At(("a".to_owned(), *value), *timestamp)).collect();
    script(&env(1), steps).key_by_ref(|(key, _)| key)
}

fn second() -> TumblingEventTimeWindows {
    TumblingEventTimeWindows::of(millis(1000))
}

fn add(a: &Event, b: Event) -> Event {
    (b.0, a.1 + b.1)
}

#[test]
fn apply_gets_all_records_in_the_order_in_which_they_came() {
    let lists = keyed(&[(3, 30), (1, 10), (2, 20), (9, 1000)]).window(second()).apply(
        |key: &String, window: &TimeWindow, events: &[Event], out: &mut Collector<'_, String>| {
            let values: Vec<_> = events.iter().map(|(_, value)| value.to_string()).collect();
            out.collect(format!("{key} {} {}", window.start, values.join(" ")));
        },
    );
    assert_eq!(lists.execute_and_collect().unwrap(), ["a 0 3 1 2", "a 1000 9"]);
}

#[test]
fn overlapping_windows_have_their_records_each() {
    let windows = SlidingEventTimeWindows::of(millis(20), millis(10));
    let lists = keyed(&[(1, 5), (2, 15), (3, 25)]).window(windows).apply(
        |_: &String, window: &TimeWindow, events: &[Event], out: &mut Collector<'_, (Timestamp, i64)>| {
            out.collect((window.start, events.iter().fold(0, |all, (_, value)| all * 10 + value)));
        },
    );
    assert_eq!(sorted(lists.execute_and_collect().unwrap()), [(-10, 1), (0, 12), (10, 23), (20, 3)]);
}

/// Numbers the firings of a window and the windows of a key, and says when it is cleared.
#[derive(Clone, Default)]
struct Numbered {
    firings: ValueState<u32>,
    windows: ValueState<u32>,
}

const CLEARED: &str = "cleared";

impl ProcessWindowFunction<String, TimeWindow, Event, (u32, u32, i64, Timestamp)> for Numbered {
    fn open(&mut self, context: &mut WindowOpenContext<'_, String, TimeWindow>) -> FnResult {
        self.firings = context.window_state().value_state(ValueStateDescriptor::new("firings"))?;
        self.windows = context.global_state().value_state(ValueStateDescriptor::new("windows"))?;
        Ok(())
    }

    fn process(
        &mut self,
        (_, sum): Event,
        context: &mut WindowContext<'_, String, TimeWindow>,
        out: &mut Collector<'_, (u32, u32, i64, Timestamp)>,
    ) -> FnResult {
        let watermark = context.current_watermark();
        let mut of_window = context.window_state()?;
        let firings = self.firings.value(&mut of_window)?.unwrap_or(0) + 1;
        self.firings.update(&mut of_window, firings)?;
        let mut of_key = context.global_state();
        let windows = self.windows.get_or_insert_with(&mut of_key, || 0)?;
        *windows += u32::from(firings == 1);
        out.collect((*windows, firings, sum, watermark));
        out.output(&OutputTag::new(CLEARED), 0_i64);
        Ok(())
    }

    fn clear(&mut self, context: &mut WindowContext<'_, String, TimeWindow>) -> FnResult {
        self.firings.clear(&mut context.window_state()?)?;
        Ok(())
    }
}

fn late_firings() -> Vec<Step<Event>> {
    let of_a = |value, timestamp| At(("a".to_owned(), value), timestamp);
    vec![
        of_a(1, 10),
        Watermark(1000),
        of_a(2, 20),
        of_a(4, 1500),
        Watermark(2100),
        of_a(8, 1600),
        Watermark(9000),
    ]
}

#[test]
fn a_process_function_has_state_of_each_window_and_of_the_key() {
    let windowed = script(&env(1), late_firings()).key_by_ref(|(key, _)| key).window(second());
    let numbered = windowed.allowed_lateness(millis(500)).reduce_and_process(add, Numbered::default());
    let marks = numbered.side_output(&OutputTag::<i64>::new(CLEARED)).map(|_| (0, 0, 0, 0));
    let (results, marks): (Vec<_>, Vec<_>) =
        numbered.union(&marks).execute_and_collect().unwrap().into_iter().partition(|result| result.0 > 0);
    assert_eq!(results, [(1, 1, 1, 1000), (1, 2, 3, 1000), (2, 1, 4, 2100), (2, 2, 12, 2100)]);
    assert_eq!(marks.len(), 4, "side outputs");
}

#[test]
fn a_process_function_has_the_same_state_with_sliding_windows() {
    let windows = SlidingEventTimeWindows::of(millis(1000), millis(1000));
    let windowed = script(&env(1), late_firings()).key_by_ref(|(key, _)| key).window(windows);
    let numbered = windowed.allowed_lateness(millis(500)).reduce_and_process(add, Numbered::default());
    let want = [(1, 1, 1, 1000), (1, 2, 3, 1000), (2, 1, 4, 2100), (2, 2, 12, 2100)];
    assert_eq!(numbered.execute_and_collect().unwrap(), want);
}

#[test]
fn sums_and_extremes_of_windows() {
    let windowed = || keyed(&[(3, 1), (1, 2), (3, 3), (2, 4)]).window(second());
    let of = |stream: DataStream<Event>| stream.execute_and_collect().unwrap()[0].1;
    assert_eq!(of(windowed().sum(|(_, value)| value)), 9);
    assert_eq!(of(windowed().min(|(_, value)| value)), 1);
    assert_eq!(of(windowed().max(|(_, value)| value)), 3);
    assert_eq!(of(windowed().min_by(|(_, value)| -value)), 3);
    assert_eq!(of(windowed().max_by_last(|(_, value)| value % 2)), 3);
    assert_eq!(of(windowed().max_by(|(_, value)| value % 2)), 3);
    assert_eq!(of(windowed().min_by_last(|(_, value)| value % 2)), 2);
}

/// Fails to open, or to close.
#[derive(Clone)]
struct Failing(&'static str);

impl ProcessWindowFunction<String, TimeWindow, &[Event], i64> for Failing {
    fn open(&mut self, _: &mut WindowOpenContext<'_, String, TimeWindow>) -> FnResult {
        if self.0 == "open" { Err("no opening".into()) } else { Ok(()) }
    }

    fn process(
        &mut self,
        elements: &[Event],
        _: &mut WindowContext<'_, String, TimeWindow>,
        _: &mut Collector<'_, i64>,
    ) -> FnResult {
        if self.0 == "process" { Err(format!("no {} elements", elements.len()).into()) } else { Ok(()) }
    }

    fn close(&mut self) -> FnResult {
        if self.0 == "close" { Err("no closing".into()) } else { Ok(()) }
    }
}

#[test]
fn a_function_that_fails_is_told_under_the_name_of_the_window() {
    for (when, want) in [("open", "no opening"), ("process", "no 2 elements"), ("close", "no closing")] {
        let windowed = keyed(&[(1, 1), (2, 2)]).window(second());
        let text = line(windowed.process(Failing(when)).name("per second").execute_and_collect());
        assert_eq!(text, format!("operator 'per second' (subtask 1/1) failed: {want}"));
    }
}

#[test]
fn a_reduce_function_that_panics_is_told_under_the_name_of_the_window() {
    let windows = SlidingEventTimeWindows::of(millis(1000), millis(500));
    for text in [
        line(keyed(&[(1, 1), (0, 2)]).window(second()).reduce(|a, b| (b.0, a.1 / b.1)).execute_and_collect()),
        line(keyed(&[(1, 1), (0, 2)]).window(windows).reduce(|a, b| (b.0, a.1 / b.1)).execute_and_collect()),
    ] {
        assert!(text.starts_with("operator 'Window' (subtask 1/1) panicked at "), "{text}");
        assert!(text.ends_with("attempt to divide by zero"), "{text}");
    }
}

/// Counts the firings of each key in a state that lives for 100 ms and is cleaned up as records are processed.
#[derive(Clone, Default)]
struct Forgetful(ValueState<u32>);

impl ProcessWindowFunction<String, TimeWindow, Event, u32> for Forgetful {
    fn open(&mut self, context: &mut WindowOpenContext<'_, String, TimeWindow>) -> FnResult {
        let ttl = StateTtlConfig::new(millis(100)).cleanup_incrementally(1000, true);
        let firings = ValueStateDescriptor::new("firings").enable_time_to_live(ttl);
        self.0 = context.global_state().value_state(firings)?;
        Ok(())
    }

    fn process(
        &mut self,
        _: Event,
        context: &mut WindowContext<'_, String, TimeWindow>,
        out: &mut Collector<'_, u32>,
    ) -> FnResult {
        let mut of_key = context.global_state();
        let firings = self.0.value(&mut of_key)?.unwrap_or(0) + 1;
        self.0.update(&mut of_key, firings)?;
        out.collect(firings);
        Ok(())
    }
}

#[test]
fn s29_state_of_window_functions_is_cleaned_up_for_each_record() {
    let of = |build: fn(KeyedStream<String, Event>) -> DataStream<u32>| {
        let mut harness =
            OneInputHarness::new(|events: DataStream<Event>| build(events.key_by_ref(|(key, _)| key)));
        let empty = harness.snapshot().unwrap();
        harness.process(("a".to_owned(), 1), 1).unwrap();
        harness.watermark(999).unwrap();
        harness.set_processing_time(100).unwrap();
        assert_eq!(harness.take_records(), [1]);
        assert!(harness.snapshot().unwrap() != empty);
        // A record of another key, late for all windows, touches no state but cleans it up.
        harness.process(("b".to_owned(), 1), 1).unwrap();
        let mut watermark_only =
            OneInputHarness::new(|events: DataStream<Event>| build(events.key_by_ref(|(key, _)| key)));
        watermark_only.watermark(999).unwrap();
        assert!(harness.snapshot().unwrap() == watermark_only.snapshot().unwrap());
    };
    of(|keyed| keyed.window(second()).reduce_and_process(add, Forgetful::default()));
    of(|keyed| {
        let gap = EventTimeSessionWindows::with_gap(millis(900));
        keyed.window(gap).reduce_and_process(add, Forgetful::default())
    });
    of(|keyed| {
        let purging = PurgingTrigger::of(EventTimeTrigger);
        keyed.window(second()).trigger(purging).reduce_and_process(add, Forgetful::default())
    });
}
