//! Windows whose parts fail: what fails is told under the name of the operator, whatever keeps the windows.

use flott::prelude::*;
use flott::window::{OnMergeContext, TriggerContext, TriggerResult};

use crate::support::{Step, Untimed, Watermark, env, line, script};
use crate::vectors::{at, millis};

type Event = (String, i64);

fn keyed(steps: Vec<Step<Event>>) -> KeyedStream<String, Event> {
    script(&env(1), steps).key_by_ref(|(key, _)| key)
}

fn add(a: &Event, b: Event) -> Event {
    (b.0, a.1 + b.1)
}

fn second() -> TumblingEventTimeWindows {
    TumblingEventTimeWindows::of(millis(1000))
}

fn half_seconds() -> SlidingEventTimeWindows {
    SlidingEventTimeWindows::of(millis(1000), millis(500))
}

fn sessions() -> EventTimeSessionWindows<Event> {
    EventTimeSessionWindows::with_gap(millis(1000))
}

/// Three records, of which the last makes two sessions one.
fn input() -> Vec<Step<Event>> {
    vec![at("a", 0), at("a", 1800), at("a", 900), Watermark(9000), at("a", 10_000)]
}

/// The operator is named, then the place of the panic in this file, and the cause stands at the end.
fn assert_panicked(text: &str, cause: &str) {
    assert_eq!(without_place(text), format!("operator 'Window' (subtask 1/1) panicked: {cause}"));
}

/// The line, without the place in this file.
fn without_place(text: &str) -> String {
    let (before, after) = text.split_once(concat!(" at ", file!(), ":")).expect(text);
    let (_, cause) = after.split_once(": ").expect(text);
    format!("{before}: {cause}")
}

/// Fires at the end of the window, and panics in one of its methods.
#[derive(Clone)]
struct Panicking(&'static str);

impl Panicking {
    fn comes_to(&self, method: &str) {
        assert!(method != self.0, "trigger in {method}");
    }
}

impl<W: Window> Trigger<Event, W> for Panicking {
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        _: &Event,
        _: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult> {
        self.comes_to("on_element");
        context.register_event_time_timer(window.max_timestamp());
        context.register_processing_time_timer(0);
        Ok(TriggerResult::Continue)
    }

    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        self.comes_to("on_event_time");
        Ok(TriggerResult::Fire)
    }

    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        _: Timestamp,
        _: &W,
        _: &mut C,
    ) -> FnResult<TriggerResult> {
        self.comes_to("on_processing_time");
        Ok(TriggerResult::Continue)
    }

    fn can_merge(&self) -> bool {
        true
    }

    fn on_merge<C: OnMergeContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult {
        self.comes_to("on_merge");
        context.register_event_time_timer(window.max_timestamp());
        Ok(())
    }

    fn clear<C: TriggerContext<W>>(&mut self, _: &W, _: &mut C) -> FnResult {
        self.comes_to("clear");
        Ok(())
    }
}

#[test]
fn a_trigger_that_panics_is_told_under_the_name_of_the_window() {
    for method in ["on_element", "on_event_time", "on_processing_time", "clear"] {
        let tumbling = keyed(input()).window(second()).trigger(Panicking(method)).reduce(add);
        assert_panicked(&line(tumbling.execute_and_collect()), &format!("trigger in {method}"));
    }
    for method in ["on_element", "on_event_time", "on_processing_time", "on_merge", "clear"] {
        let merging = keyed(input()).window(sessions()).trigger(Panicking(method)).reduce(add);
        assert_panicked(&line(merging.execute_and_collect()), &format!("trigger in {method}"));
    }
}

#[test]
fn a_trigger_that_panics_ends_a_job_that_never_would() {
    let strategy =
        WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|n: &u64, _| *n as i64);
    let numbers = env(2).from_source(GeneratorSource::new(u64::MAX, |n| n), strategy, "numbers");
    let events = numbers.map(|n| (String::new(), n as i64));
    let sums =
        events.key_by(|_| 0).window(second()).trigger(Panicking("on_element")).reduce(add).name("sums");
    let text = without_place(&line(sums.execute_and_collect()));
    // There is one key, so that one of the two subtasks has all the records.
    let of_subtask = |n| format!("operator 'sums' (subtask {n}/2) panicked: trigger in on_element");
    assert!([1, 2].map(of_subtask).contains(&text), "{text}");
}

/// Counts, and panics in one of its methods.
#[derive(Clone)]
struct Broken(&'static str);

impl Broken {
    fn comes_to(&self, method: &str) {
        assert!(method != self.0, "aggregate in {method}");
    }
}

impl AggregateFunction<Event> for Broken {
    type Accumulator = i64;
    type Output = i64;

    fn create_accumulator(&self) -> i64 {
        self.comes_to("create_accumulator");
        0
    }

    fn add(&self, _: Event, accumulator: &mut i64) {
        self.comes_to("add");
        *accumulator += 1;
    }

    fn get_result(&self, accumulator: &i64) -> i64 {
        self.comes_to("get_result");
        *accumulator
    }

    fn merge(&self, accumulator: &mut i64, other: i64) {
        self.comes_to("merge");
        *accumulator += other;
    }
}

#[test]
fn an_aggregate_that_panics_is_told_under_the_name_of_the_window() {
    for method in ["create_accumulator", "add", "get_result", "merge"] {
        let mut jobs = vec![
            keyed(input()).window(sessions()).aggregate(Broken(method)),
            keyed(input()).window(sessions()).trigger(EventTimeTrigger).aggregate(Broken(method)),
            keyed(input()).window(half_seconds()).aggregate(Broken(method)),
        ];
        if method != "merge" {
            jobs.push(keyed(input()).window(second()).aggregate(Broken(method)));
            jobs.push(keyed(input()).window(second()).trigger(CountTrigger::of(1)).aggregate(Broken(method)));
        }
        for job in jobs {
            assert_panicked(&line(job.execute_and_collect()), &format!("aggregate in {method}"));
        }
    }
}

#[test]
fn a_record_without_timestamp_fails_event_time_windows_of_every_kind() {
    let input = || vec![at("a", 0), Untimed(("a".to_owned(), 1))];
    for sums in [
        keyed(input()).window(second()).reduce(add),
        keyed(input()).window(half_seconds()).reduce(add),
        keyed(input()).window(sessions()).reduce(add),
        keyed(input()).window(second()).trigger(CountTrigger::of(5)).reduce(add),
        keyed(input()).window(second()).evictor(CountEvictor::of(1)).reduce(add),
        script(&env(1), input()).window_all(second()).reduce(add),
    ] {
        let text = line(sums.name("sums").execute_and_collect());
        assert_eq!(
            text,
            "operator 'sums' (subtask 1/1) failed: a record has no timestamp, which event-time windows need: give the \
             source a WatermarkStrategy with a timestamp assigner, or call assign_timestamps_and_watermarks"
        );
    }
    // Those that do not look at event time take it.
    let counted = keyed(vec![Untimed(("a".to_owned(), 1))]).count_window(1).reduce(add);
    assert_eq!(counted.execute_and_collect().unwrap(), [("a".to_owned(), 1)]);
}

/// A typing error in a tag would be an empty stream for ever, and the late records lost without a word.
#[test]
fn a_side_output_that_windows_do_not_have_is_refused() {
    let late = || OutputTag::<Event>::new("late");
    let refused = |sums: DataStream<Event>, known: &str| {
        assert_eq!(
            line(sums.side_output(&OutputTag::<Event>::new("Late")).execute_and_collect()),
            format!(
                "the job can't start: operator 'sums': it has no side output 'Late', {known}: read a side output right \
                 behind the operator that emits it"
            )
        );
    };
    let windows = || keyed(input()).window(second()).side_output_late_data(&late());
    refused(windows().reduce(add).name("sums"), "only 'late'");
    refused(windows().sum(|(_, n)| n).name("sums"), "only 'late'");
    refused(windows().trigger(CountTrigger::of(1)).reduce(add).name("sums"), "only 'late'");
    refused(keyed(input()).window(sessions()).reduce(add).name("sums"), "it emits to none");
    // A function may emit to any tag.
    let told = windows().reduce_with(add, |_, _, sum, out| out.output(&OutputTag::new("Late"), sum));
    let told: DataStream<Event> = told;
    assert_eq!(told.side_output(&OutputTag::<Event>::new("Late")).execute_and_collect().unwrap().len(), 3);
}
