//! Vectors of Flink's window tests, plainly and with everything restored from a snapshot between any two steps.

use flott::prelude::*;
use flott::testing::{OneInputHarness, in_both_modes};

use crate::support::sorted;
use crate::vectors::millis;

type Event = (String, i64);
type Harness = OneInputHarness<Event, Event>;

fn add(a: &Event, b: Event) -> Event {
    (b.0, a.1 + b.1)
}

fn of(key: &str, value: i64) -> Event {
    (key.to_owned(), value)
}

/// `key,sum@timestamp` of what has come out since the last call, in order of keys for each time.
fn taken(harness: &mut Harness) -> Vec<String> {
    let records = harness.take_stamped().into_iter();
    let records = records.map(|((key, sum), timestamp)| (timestamp.unwrap(), key, sum)).collect();
    sorted(records).into_iter().map(|(timestamp, key, sum)| format!("{key},{sum}@{timestamp}")).collect()
}

fn is_after(harness: &mut Harness, watermark: Timestamp, want: &[&str]) {
    harness.watermark(watermark).unwrap();
    assert_eq!(taken(harness), want, "at the watermark {watermark}");
}

const RECORDS: [(&str, Timestamp); 8] = [
    ("key2", 3999),
    ("key2", 3000),
    ("key1", 20),
    ("key1", 0),
    ("key1", 999),
    ("key2", 1998),
    ("key2", 1999),
    ("key2", 1000),
];

#[test]
fn v8_3_1_tumbling_windows_restored() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let windows = TumblingEventTimeWindows::of(millis(3000));
            events.key_by_ref(|(key, _)| key).window(windows).reduce(add)
        })
        .with_options(options);
        RECORDS.iter().for_each(|(key, timestamp)| harness.process(of(key, 1), *timestamp).unwrap());
        is_after(&mut harness, 999, &[]);
        is_after(&mut harness, 1999, &[]);
        is_after(&mut harness, 2999, &["key1,3@2999", "key2,3@2999"]);
        is_after(&mut harness, 4999, &[]);
        is_after(&mut harness, 5999, &["key2,2@5999"]);
        is_after(&mut harness, 7999, &[]);
    });
}

#[test]
fn v8_3_2_sliding_windows_restored() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let windows = SlidingEventTimeWindows::of(millis(3000), millis(1000));
            events.key_by_ref(|(key, _)| key).window(windows).reduce(add)
        })
        .with_options(options);
        RECORDS.iter().for_each(|(key, timestamp)| harness.process(of(key, 1), *timestamp).unwrap());
        is_after(&mut harness, 999, &["key1,3@999"]);
        is_after(&mut harness, 1999, &["key1,3@1999", "key2,3@1999"]);
        is_after(&mut harness, 2999, &["key1,3@2999", "key2,3@2999"]);
        is_after(&mut harness, 3999, &["key2,5@3999"]);
        is_after(&mut harness, 4999, &["key2,2@4999"]);
        is_after(&mut harness, 5999, &["key2,2@5999"]);
        is_after(&mut harness, 7999, &[]);
    });
}

#[test]
fn v8_3_3_sessions_restored() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let windows = EventTimeSessionWindows::with_gap(millis(3000));
            events.key_by_ref(|(key, _)| key).window(windows).reduce(add)
        })
        .with_options(options);
        let records =
            [("key2", 1, 0), ("key2", 2, 1000), ("key2", 3, 2500), ("key1", 1, 10), ("key1", 2, 1000)];
        let more =
            [("key1", 3, 2500), ("key2", 4, 5501), ("key2", 5, 6000), ("key2", 5, 6000), ("key2", 6, 6050)];
        for (key, value, timestamp) in records.into_iter().chain(more) {
            harness.process(of(key, value), timestamp).unwrap();
        }
        is_after(&mut harness, 12_000, &["key1,6@5499", "key2,6@5499", "key2,20@9049"]);
        harness.process(of("key2", 10), 15_000).unwrap();
        harness.process(of("key2", 20), 15_000).unwrap();
        is_after(&mut harness, 17_999, &["key2,30@17999"]);
    });
}

#[test]
fn v8_3_7_count_windows_restored() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            events.key_by_ref(|(key, _)| key).count_window(4).reduce(add)
        })
        .with_options(options);
        for key in ["key2", "key1", "key2", "key2", "key1"] {
            harness.process(of(key, 1), 0).unwrap();
        }
        assert_eq!(taken(&mut harness), Vec::<String>::new());
        harness.process(of("key2", 1), 0).unwrap();
        assert_eq!(taken(&mut harness), [format!("key2,4@{}", i64::MAX)]);
        harness.process(of("key1", 1), 0).unwrap();
        harness.process(of("key1", 1), 0).unwrap();
        assert_eq!(taken(&mut harness), [format!("key1,4@{}", i64::MAX)]);
    });
}

fn process_all(harness: &mut Harness, keys: &[&str]) {
    keys.iter().for_each(|key| harness.process(of(key, 1), i64::MAX).unwrap());
}

fn is_at(harness: &mut Harness, clock: Timestamp, want: &[&str]) {
    harness.set_processing_time(clock).unwrap();
    assert_eq!(taken(harness), want, "at {clock}");
}

#[test]
fn v8_3_8_tumbling_windows_of_processing_time() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let windows = TumblingProcessingTimeWindows::of(millis(3000));
            events.key_by_ref(|(key, _)| key).window(windows).reduce(add)
        })
        .with_options(options);
        is_at(&mut harness, 3, &[]);
        process_all(&mut harness, &["key2", "key2", "key2", "key1", "key1"]);
        is_at(&mut harness, 5000, &["key1,2@2999", "key2,3@2999"]);
        process_all(&mut harness, &["key1", "key1", "key1"]);
        is_at(&mut harness, 7000, &["key1,3@5999"]);
    });
}

#[test]
fn v8_3_8_sliding_windows_of_processing_time() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let windows = SlidingProcessingTimeWindows::of(millis(3000), millis(1000));
            events.key_by_ref(|(key, _)| key).window(windows).reduce(add)
        })
        .with_options(options);
        is_at(&mut harness, 3, &[]);
        process_all(&mut harness, &["key2"]);
        is_at(&mut harness, 1000, &["key2,1@999"]);
        process_all(&mut harness, &["key2", "key2"]);
        is_at(&mut harness, 2000, &["key2,3@1999"]);
        process_all(&mut harness, &["key1", "key1"]);
        is_at(&mut harness, 3000, &["key1,2@2999", "key2,3@2999"]);
        process_all(&mut harness, &["key1", "key1", "key1"]);
        is_at(&mut harness, 7000, &["key1,5@3999", "key2,2@3999", "key1,5@4999", "key1,3@5999"]);
    });
}

#[test]
fn v8_3_8_sessions_of_processing_time() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let windows = ProcessingTimeSessionWindows::with_gap(millis(3000));
            events.key_by_ref(|(key, _)| key).window(windows).reduce(add)
        })
        .with_options(options);
        is_at(&mut harness, 3, &[]);
        process_all(&mut harness, &["key2"]);
        is_at(&mut harness, 1000, &[]);
        process_all(&mut harness, &["key2"]);
        is_at(&mut harness, 5000, &["key2,2@3999"]);
    });
}

#[test]
fn v8_3_10_allowed_lateness_restored() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let windowed =
                events.key_by_ref(|(key, _)| key).window(TumblingEventTimeWindows::of(millis(2000)));
            let windowed = windowed.allowed_lateness(millis(500));
            windowed.trigger(PurgingTrigger::of(EventTimeTrigger)).reduce(add)
        })
        .with_options(options);
        harness.process(of("key2", 1), 500).unwrap();
        is_after(&mut harness, 1500, &[]);
        harness.process(of("key2", 1), 1300).unwrap();
        is_after(&mut harness, 2300, &["key2,2@1999"]);
        harness.process(of("key2", 1), 1997).unwrap();
        is_after(&mut harness, 6000, &["key2,1@1999"]);
        harness.process(of("key2", 1), 1998).unwrap();
        is_after(&mut harness, 7000, &[]);
        assert_eq!(harness.late_records_dropped(), 1);
    });
}

#[test]
fn v8_3_19_the_elements_that_an_evictor_left_are_restored() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            events.key_by_ref(|(key, _)| key).count_window_sliding(4, 2).reduce(add)
        })
        .with_options(options);
        let mut sums = Vec::new();
        for _ in 0..6 {
            harness.process(of("key2", 1), 0).unwrap();
            sums.extend(harness.take_records().into_iter().map(|(_, sum)| sum));
        }
        assert_eq!(sums, [2, 4, 4]);
    });
}

#[test]
fn a_timeout_fires_what_has_not_reached_its_count() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(|events: DataStream<Event>| {
            let timeout = ProcessingTimeoutTrigger::of(CountTrigger::of(3), millis(100));
            events
                .key_by_ref(|(key, _)| key)
                .window(GlobalWindows)
                .trigger(PurgingTrigger::of(timeout))
                .reduce(add)
        })
        .with_options(options);
        let end = i64::MAX;
        is_at(&mut harness, 0, &[]);
        process_all(&mut harness, &["a", "a"]);
        is_at(&mut harness, 99, &[]);
        is_at(&mut harness, 100, &[&format!("a,2@{end}")]);
        process_all(&mut harness, &["a", "a", "a"]);
        assert_eq!(taken(&mut harness), [format!("a,3@{end}")]);
        is_at(&mut harness, 1000, &[]);
    });
}

#[test]
fn windows_kept_in_one_way_are_refused_in_another_rather_than_lost() {
    let windows = TumblingEventTimeWindows::of(millis(1000));
    let mut before = OneInputHarness::new(|events: DataStream<Event>| {
        events.key_by_ref(|(key, _)| key).window(windows).reduce(add).uid("sums")
    });
    before.process(of("a", 1), 10).unwrap();
    let snapshot = before.snapshot().unwrap();
    let mut after = OneInputHarness::new(|events: DataStream<Event>| {
        let windowed = events.key_by_ref(|(key, _)| key).window(windows);
        windowed.trigger(PurgingTrigger::of(EventTimeTrigger)).reduce(add).uid("sums")
    });
    let text = after.restore(&snapshot, 1).unwrap_err().to_string();
    assert!(text.contains("can't restore windows from state 'window-panes'"), "{text}");

    let mut other_size = OneInputHarness::new(|events: DataStream<Event>| {
        let windows = TumblingEventTimeWindows::of(millis(700));
        events.key_by_ref(|(key, _)| key).window(windows).reduce(add).uid("sums")
    });
    let text = other_size.restore(&snapshot, 1).unwrap_err().to_string();
    assert!(text.contains("records from 0 to 1000 fit no window"), "{text}");
}

/// After a failure the watermark is told anew from before all time. Windows remember, whatever keeps them: what had fired is
/// not opened anew, and a late record counts at once instead of waiting for a timer that was there before the failure.
#[test]
fn windows_know_after_a_failure_how_far_event_time_had_come() {
    fn check(build: impl Fn(DataStream<Event>) -> DataStream<Event>) {
        for parallelism in 1..=3 {
            let mut before = OneInputHarness::new(&build);
            before.process(of("a", 1), 10).unwrap();
            before.watermark(1200).unwrap();
            assert_eq!(taken(&mut before), ["a,1@999"]);
            let snapshot = before.snapshot().unwrap();

            let mut after = OneInputHarness::new(&build);
            after.restore(&snapshot, parallelism).unwrap();
            after.process(of("a", 2), 20).unwrap();
            assert_eq!(taken(&mut after), ["a,3@999"]);
            after.process(of("a", 4), -10).unwrap();
            after.watermark(1499).unwrap();
            after.process(of("a", 8), 30).unwrap();
            after.finish().unwrap();
            assert_eq!(taken(&mut after), Vec::<String>::new());
            assert_eq!(after.late_records_dropped(), 2);
        }
    }
    let tumbling = |events: DataStream<Event>| {
        let windows = TumblingEventTimeWindows::of(millis(1000));
        events.key_by_ref(|(key, _)| key).window(windows).allowed_lateness(millis(500))
    };
    check(|events| tumbling(events).reduce(add));
    // A trigger of its own, which has no other way to know.
    check(|events| tumbling(events).trigger(Wrapped(EventTimeTrigger)).reduce(add));
}

/// A trigger like any of a user's.
#[derive(Clone)]
struct Wrapped(EventTimeTrigger);

impl<W: Window> Trigger<Event, W> for Wrapped {
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        event: &Event,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.0.on_element(event, time, window, context)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        Trigger::<Event, W>::on_event_time(&mut self.0, time, window, context)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        Ok(TriggerResult::Continue)
    }

    fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        Trigger::<Event, W>::clear(&mut self.0, window, context)
    }
}
