//! Windows against a model that keeps all records and looks through all of them.

use std::collections::BTreeMap;

use flott::prelude::*;
use flott::testing::{HarnessOptions, OneInputHarness};
use flott::window::{Trigger, WindowAssigner};
use proptest::prelude::*;

use crate::support::{At, Step, Watermark, env, script, sorted};

/// Key and value.
type Event = (u8, i64);
/// Key, start of the window, count, sum.
type Result = (u8, Timestamp, i64, i64);

#[derive(Clone, Debug)]
struct Case {
    size: i64,
    slide: i64,
    offset: i64,
    lateness: i64,
    steps: Vec<Step<Event>>,
}

fn step() -> impl Strategy<Value = Step<Event>> {
    prop_oneof![
        4 => (0_u8..3, -9_i64..10, -40_i64..120).prop_map(|(key, value, timestamp)| At((key, value), timestamp)),
        1 => (-50_i64..140).prop_map(Watermark),
    ]
}

prop_compose! {
    fn case()(size in 1_i64..30, slide in 1_i64..30, tumbles in any::<bool>(), offset in -30_i64..30,
              lateness in prop_oneof![Just(0), 0_i64..40], steps in prop::collection::vec(step(), 0..60)) -> Case {
        let slide = if tumbles { size } else { slide };
        Case { size, slide, offset: offset % slide, lateness, steps }
    }
}

/// What comes out, and which records are late, both sorted.
type Outcome = (Vec<Result>, Vec<Event>);

impl Case {
    fn windows_of(&self, timestamp: Timestamp) -> Vec<Timestamp> {
        let starts = timestamp - self.size + 1..=timestamp;
        starts.filter(|start| (start - self.offset).rem_euclid(self.slide) == 0).collect()
    }

    fn model(&self) -> Outcome {
        let mut watermark = i64::MIN;
        let mut taken: BTreeMap<(u8, Timestamp), Vec<i64>> = BTreeMap::new();
        let (mut results, mut late) = (Vec::new(), Vec::new());
        let result = |(key, start): (u8, Timestamp), values: &[i64]| {
            (key, start, values.len() as i64, values.iter().sum::<i64>())
        };
        for step in self.steps.iter().chain([&Watermark(i64::MAX)]) {
            match step {
                At((key, value), timestamp) => {
                    let mut is_taken = false;
                    for start in self.windows_of(*timestamp) {
                        let last = start + self.size - 1;
                        if last + self.lateness <= watermark {
                            continue;
                        }
                        is_taken = true;
                        let values = taken.entry((*key, start)).or_default();
                        values.push(*value);
                        if last <= watermark {
                            results.push(result((*key, start), values));
                        }
                    }
                    if !is_taken && timestamp + self.lateness <= watermark {
                        late.push((*key, *value));
                    }
                }
                Watermark(new) if *new > watermark => {
                    for (window, values) in &taken {
                        let last = window.1 + self.size - 1;
                        if watermark < last && last <= *new {
                            results.push(result(*window, values));
                        }
                    }
                    watermark = *new;
                }
                _ => {}
            }
        }
        (sorted(results), sorted(late))
    }

    fn run(&self) -> Outcome {
        let [size, slide] = [self.size, self.slide].map(|ms| Duration::from_millis(ms.unsigned_abs()));
        if self.size == self.slide {
            self.run_with(TumblingEventTimeWindows::of(size).with_offset_ms(self.offset))
        } else {
            self.run_with(SlidingEventTimeWindows::of(size, slide).with_offset_ms(self.offset))
        }
    }

    fn run_with<A>(&self, windows: A) -> Outcome
    where
        A: WindowAssigner<Event, Window = TimeWindow>,
        A::DefaultTrigger: Trigger<Event, TimeWindow>,
    {
        let env = env(1);
        let tag = OutputTag::new("late");
        let results = script(&env, self.steps.clone())
            .key_by(|(key, _)| *key)
            .window(windows)
            .allowed_lateness(Duration::from_millis(self.lateness.unsigned_abs()))
            .side_output_late_data(&tag)
            .aggregate_with(
                CountAndSum,
                |key: &u8, window: &TimeWindow, (count, sum), out: &mut Collector<'_, Result>| {
                    out.collect((*key, window.start, count, sum));
                },
            );
        let sink = flott::sink::CollectSink::new(None);
        let late = sink.collected();
        results.side_output(&tag).sink_to(sink);
        let results = results.execute_and_collect().unwrap();
        (sorted(results), sorted(late.take()))
    }
}

#[derive(Clone)]
struct CountAndSum;

impl AggregateFunction<Event> for CountAndSum {
    type Accumulator = (i64, i64);
    type Output = (i64, i64);

    fn create_accumulator(&self) -> (i64, i64) {
        (0, 0)
    }

    fn add(&self, (_, value): Event, accumulator: &mut (i64, i64)) {
        *accumulator = (accumulator.0 + 1, accumulator.1 + value);
    }

    fn get_result(&self, accumulator: &(i64, i64)) -> (i64, i64) {
        *accumulator
    }

    fn merge(&self, accumulator: &mut (i64, i64), other: (i64, i64)) {
        *accumulator = (accumulator.0 + other.0, accumulator.1 + other.1);
    }
}

/// Count and sum of a window, with its start.
fn counted(key: &u8, window: &TimeWindow, (count, sum): (i64, i64), out: &mut Collector<'_, Result>) {
    out.collect((*key, window.start, count, sum));
}

impl Case {
    fn lateness(&self) -> Duration {
        Duration::from_millis(self.lateness.unsigned_abs())
    }

    /// What comes out of `build`, with everything restored at another parallelism between any two steps.
    fn run_restored(&self, build: impl FnOnce(KeyedStream<u8, Event>) -> DataStream<Result>) -> Vec<Result> {
        let harness = OneInputHarness::new(|events: DataStream<Event>| build(events.key_by(|(key, _)| *key)));
        let mut harness = harness.with_options(HarnessOptions::default().rescale_at_every_step());
        let mut last = i64::MIN;
        for step in self.steps.iter().chain([&Watermark(i64::MAX)]) {
            match step {
                At(event, timestamp) => harness.process(*event, *timestamp).unwrap(),
                Watermark(watermark) if *watermark > last => {
                    last = *watermark;
                    harness.watermark(last).unwrap();
                }
                _ => {}
            }
        }
        sorted(harness.take_records())
    }

    /// Sessions with a gap of `self.size`: all records of all sessions, looked through each time.
    fn sessions(&self) -> Vec<Result> {
        struct Session {
            key: u8,
            start: Timestamp,
            end: Timestamp,
            values: Vec<i64>,
        }
        let result = |session: &Session| {
            (session.key, session.start, session.values.len() as i64, session.values.iter().sum())
        };
        let mut sessions: Vec<Session> = Vec::new();
        let (mut results, mut watermark) = (Vec::new(), i64::MIN);
        for step in self.steps.iter().chain([&Watermark(i64::MAX)]) {
            match step {
                At((key, value), timestamp) => {
                    let mut new = Session {
                        key: *key,
                        start: *timestamp,
                        end: timestamp + self.size,
                        values: vec![*value],
                    };
                    while let Some(met) = sessions
                        .iter()
                        .position(|s| s.key == *key && s.start <= new.end && s.end >= new.start)
                    {
                        let met = sessions.remove(met);
                        new.start = new.start.min(met.start);
                        new.end = new.end.max(met.end);
                        new.values.extend(met.values);
                    }
                    if new.end - 1 + self.lateness > watermark {
                        if new.end - 1 <= watermark {
                            results.push(result(&new));
                        }
                        sessions.push(new);
                    }
                }
                Watermark(new) if *new > watermark => {
                    let due = sessions.iter().filter(|s| watermark < s.end - 1 && s.end - 1 <= *new);
                    results.extend(due.map(result));
                    watermark = *new;
                    sessions.retain(|s| s.end - 1 + self.lateness > watermark);
                }
                _ => {}
            }
        }
        sorted(results)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn restored_windows_do_what_the_model_does(case in case()) {
        let [size, slide] = [case.size, case.slide].map(|ms| Duration::from_millis(ms.unsigned_abs()));
        let windows = SlidingEventTimeWindows::of(size, slide).with_offset_ms(case.offset);
        let results = case.run_restored(|keyed| {
            keyed.window(windows).allowed_lateness(case.lateness()).aggregate_with(CountAndSum, counted)
        });
        prop_assert_eq!(results, case.model().0);
    }

    #[test]
    fn windows_with_a_trigger_of_their_own_do_what_the_model_does(mut case in case()) {
        // Without lateness, dropping the contents after the only firing changes nothing.
        case.lateness = 0;
        let [size, slide] = [case.size, case.slide].map(|ms| Duration::from_millis(ms.unsigned_abs()));
        let windows = SlidingEventTimeWindows::of(size, slide).with_offset_ms(case.offset);
        let results = case.run_restored(|keyed| {
            let purging = PurgingTrigger::of(EventTimeTrigger);
            keyed.window(windows).trigger(purging).aggregate_with(CountAndSum, counted)
        });
        prop_assert_eq!(results, case.model().0);
    }

    #[test]
    fn sessions_do_what_the_model_does(case in case()) {
        let gap = Duration::from_millis(case.size.unsigned_abs());
        let results = case.run_restored(|keyed| {
            let sessions = keyed.window(EventTimeSessionWindows::with_gap(gap));
            sessions.allowed_lateness(case.lateness()).aggregate_with(CountAndSum, counted)
        });
        prop_assert_eq!(results, case.sessions());
    }

    #[test]
    fn sessions_with_a_trigger_of_their_own_do_what_the_model_does(mut case in case()) {
        case.lateness = 0;
        let gap = Duration::from_millis(case.size.unsigned_abs());
        let results = case.run_restored(|keyed| {
            let sessions = keyed.window(EventTimeSessionWindows::with_gap(gap));
            sessions.trigger(PurgingTrigger::of(EventTimeTrigger)).aggregate_with(CountAndSum, counted)
        });
        prop_assert_eq!(results, case.sessions());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_do_what_the_model_does(case in case()) {
        prop_assert_eq!(case.run(), case.model());
    }
}
