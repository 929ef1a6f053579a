//! Processing time, by a clock that the test sets.

use std::sync::Arc;

use flott::prelude::*;

use crate::support::{ManualClock, Step, Untimed, Watermark, env, keyed, process, script, stamped};

type Out<'a, 'b> = &'a mut Collector<'b, String>;

/// Plays records to a function that may set the clock, and tells what its timers do. A watermark between all records
/// lets the task look at the clock between them.
fn run(
    records: &[i64],
    mut on_element: impl FnMut(i64, &ManualClock, &mut KeyedContext<'_, i64>) + Clone + Send + 'static,
    mut on_timer: impl FnMut(Timestamp, &mut OnTimerContext<'_, i64>) + Clone + Send + 'static,
) -> Vec<(String, Option<Timestamp>)> {
    let clock = ManualClock::at(1000);
    let steps = records.iter().enumerate();
    let steps: Vec<Step<i64>> =
        steps.flat_map(|(index, record)| [Untimed(*record), Watermark(index as i64)]).collect();
    let env = env(1);
    env.set_clock(Arc::clone(&clock) as Arc<_>);
    let function = keyed(
        move |record, context: &mut KeyedContext<'_, i64>, out: Out<'_, '_>| {
            out.collect(format!("record {record} at {}", context.current_processing_time()));
            on_element(record, &clock, context);
            Ok(())
        },
        move |time, context: &mut OnTimerContext<'_, i64>, out: Out<'_, '_>| {
            let now = context.current_processing_time();
            let key = *context.current_key();
            let domain = context.time_domain();
            out.collect(format!("{domain:?} {key}@{time} at {now}"));
            on_timer(time, context);
        },
    );
    stamped(&script(&env, steps).key_by(|n| *n).process(function)).execute_and_collect().unwrap()
}

fn texts(seen: &[(String, Option<Timestamp>)]) -> Vec<&str> {
    seen.iter().map(|(text, _)| text.as_str()).collect()
}

#[test]
fn v8_8_3_a_timer_fires_when_the_clock_reaches_it_and_emits_without_timestamp() {
    let seen = run(
        &[1, 2],
        |record, clock, context| {
            if record == 1 {
                context.register_processing_time_timer(1005);
                clock.set(1005);
            }
        },
        |_, _| {},
    );
    assert_eq!(texts(&seen), ["record 1 at 1000", "ProcessingTime 1@1005 at 1005", "record 2 at 1005"]);
    assert_eq!(seen[1].1, None);
}

#[test]
fn a_timer_ahead_of_the_clock_waits_and_one_that_was_deleted_never_fires() {
    let seen = run(
        &[1, 2, 3],
        |record, clock, context| match record {
            1 => {
                context.register_processing_time_timer(1010);
                context.register_processing_time_timer(1010);
                context.register_processing_time_timer(1002);
                context.delete_processing_time_timer(1002);
            }
            2 => clock.set(1009),
            _ => clock.set(1010),
        },
        |_, _| {},
    );
    let records = ["record 1 at 1000", "record 2 at 1000", "record 3 at 1009"];
    assert_eq!(texts(&seen)[..3], records);
    assert_eq!(texts(&seen)[3..], ["ProcessingTime 1@1010 at 1010"]);
}

#[test]
fn timers_fire_in_the_order_of_their_times_with_those_registered_meanwhile() {
    let seen = run(
        &[1, 2],
        |record, clock, context| {
            if record == 1 {
                context.register_processing_time_timer(1008);
                context.register_processing_time_timer(1001);
                clock.set(1010);
            }
        },
        |time, context| {
            if time == 1001 {
                context.register_processing_time_timer(1009);
                context.register_processing_time_timer(1002);
                context.register_processing_time_timer(2000);
            }
        },
    );
    let times: Vec<_> =
        texts(&seen).iter().filter_map(|text| text.strip_prefix("ProcessingTime 1@")).collect();
    assert_eq!(times, ["1001 at 1010", "1002 at 1010", "1008 at 1010", "1009 at 1010"]);
}

#[test]
fn both_domains_have_their_own_timers_of_one_time() {
    let seen = run(
        &[1, 2],
        |record, clock, context| {
            if record == 1 {
                context.register_event_time_timer(1005);
                context.register_processing_time_timer(1005);
                clock.set(1005);
            }
        },
        |_, _| {},
    );
    let timers: Vec<_> = texts(&seen).into_iter().filter(|text| text.contains("Time ")).collect();
    // The event-time timer waits for the end of the input.
    assert_eq!(timers, ["ProcessingTime 1@1005 at 1005", "EventTime 1@1005 at 1005"]);
}

#[test]
fn a_process_function_without_keys_knows_the_clock_too() {
    let env = env(1);
    env.set_clock(ManualClock::at(77));
    let seen =
        env.from_elements([1]).process(process(|_: i32, context, out: &mut Collector<'_, Timestamp>| {
            out.collect(context.current_processing_time());
            Ok(())
        }));
    assert_eq!(seen.execute_and_collect().unwrap(), [77]);
}
