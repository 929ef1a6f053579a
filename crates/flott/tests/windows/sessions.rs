//! Session windows.

use flott::prelude::*;
use flott::testing::{OneInputHarness, in_both_modes};

use crate::support::{At, Step, Watermark, env, line, script, sorted};
use crate::vectors::millis;

type Event = (String, i64);
/// Key, sum, start and end of the session.
type Session = (String, i64, Timestamp, Timestamp);

fn keyed(steps: Vec<Step<Event>>) -> KeyedStream<String, Event> {
    script(&env(1), steps).key_by_ref(|(key, _)| key)
}

fn of(key: &str, value: i64, timestamp: Timestamp) -> Step<Event> {
    At((key.to_owned(), value), timestamp)
}

fn add(a: &Event, b: Event) -> Event {
    (b.0, a.1 + b.1)
}

#[expect(clippy::ptr_arg, reason = "a window function gets its key by reference")]
fn session(key: &String, window: &TimeWindow, sum: Event, out: &mut Collector<'_, Session>) {
    out.collect((key.clone(), sum.1, window.start, window.end));
}

fn gap() -> EventTimeSessionWindows<Event> {
    EventTimeSessionWindows::with_gap(millis(3000))
}

/// The input of vector 3.
fn input() -> Vec<Step<Event>> {
    vec![
        of("key2", 1, 0),
        of("key2", 2, 1000),
        of("key2", 3, 2500),
        of("key1", 1, 10),
        of("key1", 2, 1000),
        of("key1", 3, 2500),
        of("key2", 4, 5501),
        of("key2", 5, 6000),
        of("key2", 5, 6000),
        of("key2", 6, 6050),
        Watermark(12000),
        of("key2", 10, 15000),
        of("key2", 20, 15000),
        Watermark(17999),
    ]
}

fn sessions_of_vector_3() -> Vec<Session> {
    let [one, two] = ["key1", "key2"].map(str::to_owned);
    vec![
        (one, 6, 10, 5500),
        (two.clone(), 6, 0, 5500),
        (two.clone(), 20, 5501, 9050),
        (two, 30, 15000, 18000),
    ]
}

#[test]
fn v8_3_3_sessions_with_a_gap_of_three_seconds() {
    let sessions = keyed(input()).window(gap()).reduce_with(add, session);
    assert_eq!(sorted(sessions.execute_and_collect().unwrap()), sessions_of_vector_3());
}

#[test]
fn v8_3_3_sessions_are_the_same_with_a_trigger_of_their_own_or_all_elements() {
    let purging = PurgingTrigger::of(EventTimeTrigger);
    let sessions = keyed(input()).window(gap()).trigger(purging).reduce_with(add, session);
    assert_eq!(sorted(sessions.execute_and_collect().unwrap()), sessions_of_vector_3());

    let sessions = keyed(input()).window(gap()).apply(
        |key: &String, window: &TimeWindow, events: &[Event], out: &mut Collector<'_, Session>| {
            out.collect((key.clone(), events.iter().map(|(_, n)| n).sum(), window.start, window.end));
        },
    );
    assert_eq!(sorted(sessions.execute_and_collect().unwrap()), sessions_of_vector_3());
}

#[test]
fn a_record_exactly_a_gap_after_the_last_one_joins_the_session() {
    let steps = vec![of("a", 1, 0), of("a", 2, 3000), of("a", 4, 6001)];
    let sessions = keyed(steps).window(gap()).reduce_with(add, session).execute_and_collect().unwrap();
    let sums: Vec<_> = sessions.iter().map(|(_, sum, start, end)| (*sum, *start, *end)).collect();
    assert_eq!(sums, [(3, 0, 6000), (4, 6001, 9001)]);
}

#[test]
fn a_record_in_between_makes_two_sessions_one() {
    let steps = vec![of("a", 1, 0), of("a", 2, 5000), of("a", 4, 2500), Watermark(8000)];
    let sessions = keyed(steps).window(gap()).reduce_with(add, session);
    assert_eq!(sessions.execute_and_collect().unwrap(), [("a".to_owned(), 7, 0, 8000)]);
}

#[test]
fn the_gap_may_depend_on_the_record() {
    let windows = EventTimeSessionWindows::with_dynamic_gap(|(_, gap): &Event| millis(gap.unsigned_abs()));
    let steps = vec![of("a", 1000, 0), of("a", 10, 900), of("a", 5, 2000)];
    let sessions = keyed(steps).window(windows).reduce_with(add, session).execute_and_collect().unwrap();
    assert_eq!(sessions, [("a".to_owned(), 1010, 0, 1000), ("a".to_owned(), 5, 2000, 2005)]);
}

#[test]
fn a_session_that_has_fired_fires_again_for_each_allowed_late_record() {
    let steps = vec![
        of("a", 1, 0),
        Watermark(3500),
        of("a", 2, 100),
        of("a", 4, 2000),
        Watermark(20_000),
        of("a", 8, 100),
    ];
    let late = OutputTag::new("late");
    let sessions = keyed(steps)
        .window(gap())
        .allowed_lateness(millis(1000))
        .side_output_late_data(&late)
        .reduce_with(add, session);
    let late = sessions.side_output(&late).map(|(key, n)| (key, -n, 0, 0));
    let all = sessions.union(&late).execute_and_collect().unwrap();
    let sums = all.into_iter().map(|(_, sum, start, end)| (sum, start, end)).collect();
    // The record at 2000 moves the end beyond the watermark: the session fires again when it is reached.
    assert_eq!(sorted(sums), [(-8, 0, 0), (1, 0, 3000), (3, 0, 3100), (7, 0, 5000)]);
}

#[test]
fn a_session_that_has_fired_and_grows_fires_at_its_new_end_however_late_records_may_be() {
    in_both_modes(|options| {
        let sums = |events: DataStream<Event>| {
            events.key_by_ref(|(key, _)| key).window(gap()).allowed_lateness(millis(60_000)).reduce(add)
        };
        let mut harness = OneInputHarness::new(sums).with_options(options);
        let a = |value| ("a".to_owned(), value);
        harness.process(a(1), 0).unwrap();
        harness.watermark(3500).unwrap();
        assert_eq!(harness.take_stamped(), [(a(1), Some(2999))]);
        harness.process(a(2), 2000).unwrap();
        assert_eq!(harness.take_stamped(), []);
        harness.watermark(4999).unwrap();
        assert_eq!(harness.take_stamped(), [(a(3), Some(4999))]);
    });
}

#[test]
fn a_trigger_of_event_time_fires_merged_windows_at_their_end() {
    in_both_modes(|options| {
        let sums = |events: DataStream<Event>| {
            let windows = events.key_by_ref(|(key, _)| key).window(gap()).allowed_lateness(millis(1000));
            windows.trigger(PurgingTrigger::of(EventTimeTrigger)).reduce(add)
        };
        let mut harness = OneInputHarness::new(sums).with_options(options);
        let a = |value| ("a".to_owned(), value);
        harness.process(a(1), 0).unwrap();
        harness.process(a(2), 1800).unwrap();
        harness.watermark(4798).unwrap();
        assert_eq!(harness.take_stamped(), []);
        harness.watermark(4799).unwrap();
        assert_eq!(harness.take_stamped(), [(a(3), Some(4799))]);
    });
}

#[test]
fn the_count_of_a_trigger_is_merged_with_its_sessions() {
    let steps = vec![of("a", 1, 0), of("a", 2, 5000), of("a", 4, 2500), Watermark(8000)];
    let sessions = keyed(steps).window(gap()).trigger(CountTrigger::of(3)).reduce_with(add, session);
    // Flink: merging brings the counts together, and the record that merged the sessions counts in the result.
    assert_eq!(sessions.execute_and_collect().unwrap(), [("a".to_owned(), 7, 0, 8000)]);
}

#[test]
fn a_trigger_that_does_not_merge_is_refused() {
    let delta = DeltaTrigger::of(1.0, |a: &Event, b: &Event| (a.1 - b.1) as f64);
    let sums = keyed(vec![]).window(gap()).trigger(delta).reduce(add);
    let text = line(sums.execute_and_collect());
    assert_eq!(
        text,
        "the job can't start: operator 'Window': windows that merge, such as sessions, can't have a trigger that does \
         not support merging"
    );
}

/// Asks for state of each window.
#[derive(Clone)]
struct PerWindow;

impl ProcessWindowFunction<String, TimeWindow, Event, i64> for PerWindow {
    fn process(
        &mut self,
        _: Event,
        context: &mut WindowContext<'_, String, TimeWindow>,
        _: &mut Collector<'_, i64>,
    ) -> FnResult {
        context.window_state()?;
        Ok(())
    }
}

#[test]
fn state_of_each_window_is_refused_with_sessions() {
    let sums = keyed(vec![of("a", 1, 0)]).window(gap()).reduce_and_process(add, PerWindow);
    assert_eq!(
        line(sums.execute_and_collect()),
        "operator 'Window' (subtask 1/1) failed: per-window state is not allowed with windows that merge, such as \
         sessions: use global_state()"
    );
}

#[test]
fn a_gap_of_zero_is_refused() {
    let sums = keyed(vec![]).window(EventTimeSessionWindows::with_gap(Duration::ZERO)).reduce(add);
    let text = line(sums.execute_and_collect());
    assert_eq!(text, "the job can't start: operator 'Window': session windows need a gap of at least 1 ms");

    let none = EventTimeSessionWindows::with_dynamic_gap(|_: &Event| Duration::ZERO);
    let text = line(keyed(vec![of("a", 1, 0)]).window(none).reduce(add).name("s").execute_and_collect());
    assert_eq!(
        text,
        "operator 's' (subtask 1/1) failed: the session gap of a record is zero, but sessions need a gap of at least 1 ms"
    );
}

#[test]
fn a_session_that_has_fired_does_not_fire_again_when_it_is_restored_with_less_lateness() {
    let allowing = |lateness| {
        OneInputHarness::new(move |events: DataStream<Event>| {
            events.key_by_ref(|(key, _)| key).window(gap()).allowed_lateness(millis(lateness)).reduce(add)
        })
    };
    let a = ("a".to_owned(), 1);
    let mut before = allowing(60_000);
    before.process(a.clone(), 0).unwrap();
    before.watermark(10_000).unwrap();
    assert_eq!(before.take_records(), [("a".to_owned(), 1)]);
    let snapshot = before.snapshot().unwrap();
    let mut after = allowing(0);
    after.restore(&snapshot, 1).unwrap();
    after.process(a, 1).unwrap();
    after.watermark(20_000).unwrap();
    after.finish().unwrap();
    assert_eq!(after.take_records(), []);
    assert_eq!(after.late_records_dropped(), 1);
}
