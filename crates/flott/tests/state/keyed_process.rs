//! Keyed process functions: event-time timers and state.

use flott::prelude::*;

use crate::support::{At, Keyed, Step, Untimed, Watermark, env, keyed, line, process, script, stamped};

type Out<'a, 'b> = &'a mut Collector<'b, String>;

/// What a function does with its records, which are `(key, time)`; its timers tell that they have fired.
fn run(
    steps: Vec<Step<(i64, i64)>>,
    on_element: impl FnMut((i64, i64), &mut KeyedContext<'_, i64>, Out<'_, '_>) + Clone + Send + 'static,
) -> Vec<(String, Option<Timestamp>)> {
    run_with(steps, on_element, |_, _, _| {})
}

fn run_with(
    steps: Vec<Step<(i64, i64)>>,
    mut on_element: impl FnMut((i64, i64), &mut KeyedContext<'_, i64>, Out<'_, '_>) + Clone + Send + 'static,
    mut on_timer: impl FnMut(Timestamp, &mut OnTimerContext<'_, i64>, Out<'_, '_>) + Clone + Send + 'static,
) -> Vec<(String, Option<Timestamp>)> {
    let function = keyed(
        move |record, context: &mut KeyedContext<'_, i64>, out: Out<'_, '_>| {
            on_element(record, context, out);
            Ok(())
        },
        move |time, context: &mut OnTimerContext<'_, i64>, out: Out<'_, '_>| {
            assert_eq!((context.time_domain(), context.timestamp()), (TimeDomain::EventTime, Some(time)));
            out.collect(format!("{}@{time}", context.current_key()));
            on_timer(time, context, out);
        },
    );
    stamped(&script(&env(1), steps).key_by(|(key, _)| *key).process(function)).execute_and_collect().unwrap()
}

fn register((_, time): (i64, i64), context: &mut KeyedContext<'_, i64>, _: Out<'_, '_>) {
    context.register_event_time_timer(time);
}

fn fired(timers: &[(&str, i64)]) -> Vec<(String, Option<Timestamp>)> {
    timers.iter().map(|(text, time)| ((*text).to_owned(), Some(*time))).collect()
}

#[test]
fn v8_8_2_a_timer_fires_before_its_watermark_goes_on() {
    let function: Keyed<_, _> = keyed(
        |n: i64, context: &mut KeyedContext<'_, i64>, out: &mut Collector<'_, i64>| {
            out.collect(n);
            context.register_event_time_timer(5);
            Ok(())
        },
        |_, _: &mut OnTimerContext<'_, i64>, out: &mut Collector<'_, i64>| out.collect(1777),
    );
    let out = script(&env(1), vec![At(17, 42), Watermark(5), At(18, 43)]).key_by(|_| 0).process(function);
    let seen = out.process(process(|n: i64, context, out: &mut Collector<'_, _>| {
        out.collect((n, context.timestamp(), context.current_watermark()));
        Ok(())
    }));
    let seen = seen.execute_and_collect().unwrap();
    // The record of the timer was there before watermark 5; the second timer was registered behind it.
    let want = [
        (17, Some(42), MIN_WATERMARK),
        (1777, Some(5), MIN_WATERMARK),
        (18, Some(43), 5),
        (1777, Some(5), 5),
    ];
    assert_eq!(seen, want);
}

#[test]
fn v8_8_6_a_timer_registered_twice_fires_once() {
    let steps = vec![At((1, 5), 0), At((1, 5), 0), Watermark(1), At((1, 5), 2), Watermark(5), Watermark(6)];
    assert_eq!(run(steps, register), fired(&[("1@5", 5)]));
}

#[test]
fn v8_8_6_timers_of_other_keys_and_times_are_others() {
    let steps = vec![At((1, 5), 0), At((2, 5), 0), At((1, 6), 0), Watermark(5)];
    let mut seen = run(steps, register);
    seen.sort();
    assert_eq!(seen, fired(&[("1@5", 5), ("1@6", 6), ("2@5", 5)]));
}

#[test]
fn v8_8_6_a_deleted_timer_does_not_fire() {
    let steps = vec![At((1, 5), 0), At((2, 5), 0), At((1, -5), 0), Watermark(9)];
    let seen = run(steps, |(_, time), context, _| match time {
        ..0 => context.delete_event_time_timer(-time),
        _ => context.register_event_time_timer(time),
    });
    assert_eq!(seen, fired(&[("2@5", 5)]));
}

#[test]
fn a_deleted_timer_can_be_registered_again() {
    let seen = run(vec![At((1, 5), 0), Watermark(9)], |(_, time), context, _| {
        context.register_event_time_timer(time);
        context.delete_event_time_timer(time);
        context.register_event_time_timer(time);
    });
    assert_eq!(seen, fired(&[("1@5", 5)]));
}

#[test]
fn timers_fire_in_the_order_of_their_times() {
    let times = [90_000, 3, 70, 5_000_000, 4, 70_000];
    let mut steps: Vec<_> = times.iter().map(|time| At((*time, *time), 0)).collect();
    steps.push(Watermark(80_000));
    let seen: Vec<_> = run(steps, register).into_iter().filter_map(|(_, time)| time).collect();
    assert_eq!(seen, [3, 4, 70, 70_000, 90_000, 5_000_000]);
}

#[test]
fn a_timer_that_is_past_fires_when_the_watermark_advances_next() {
    let steps =
        vec![Watermark(10), At((1, 5), 11), At((2, 10), 12), Untimed((3, 99)), Watermark(11), At((4, 50), 0)];
    let seen = run(steps, |record, context, out| {
        out.collect(format!("record {}", record.0));
        register(record, context, out);
    });
    let texts: Vec<_> = seen.iter().map(|(text, _)| text.as_str()).collect();
    let want = ["record 1", "record 2", "record 3", "1@5", "2@10", "record 4", "4@50", "3@99"];
    assert_eq!(texts, want);
}

#[test]
fn timers_registered_while_firing_fire_in_the_same_pass_if_they_are_due() {
    let steps = vec![At((1, 2), 0), Watermark(9), At((2, 100), 0)];
    let seen = run_with(steps, register, |time, context, out| {
        out.collect(format!("watermark {}", context.current_watermark()));
        if time < 12 {
            context.register_event_time_timer(time + 5);
            context.register_event_time_timer(time - 1_000_000);
            context.delete_event_time_timer(time - 1_000_000);
        }
    });
    let texts: Vec<_> = seen.iter().map(|(text, _)| text.as_str()).collect();
    let end = format!("watermark {MAX_WATERMARK}");
    assert_eq!(texts, ["1@2", "watermark 9", "1@7", "watermark 9", "1@12", &end, "2@100", &end]);
}

#[test]
fn the_end_of_the_input_fires_all_event_time_timers() {
    let seen = run(vec![At((1, i64::MAX), 0), Untimed((2, 7))], register);
    assert_eq!(seen, fired(&[("2@7", 7), ("1@9223372036854775807", i64::MAX)]));
}

#[test]
fn what_a_record_emits_keeps_its_timestamp() {
    let seen = run(vec![At((1, 0), 33), Untimed((2, 0))], |(key, _), context, out| {
        out.collect(format!("{key}: {:?}", context.timestamp()));
    });
    assert_eq!(seen, [("1: Some(33)".to_owned(), Some(33)), ("2: None".to_owned(), None)]);
}

#[derive(Clone, Default)]
struct Count {
    seen: ValueState<u32>,
    opens: bool,
}

impl KeyedProcessFunction<String, String, (String, u32)> for Count {
    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        if self.opens {
            self.seen = context.value_state(ValueStateDescriptor::new("seen"))?;
        }
        Ok(())
    }

    fn process_element(
        &mut self,
        record: String,
        context: &mut KeyedContext<'_, String>,
        out: &mut Collector<'_, (String, u32)>,
    ) -> FnResult {
        let seen = self.seen.value(context)?.unwrap_or(0) + 1;
        if seen == 3 {
            self.seen.clear(context)?;
        } else {
            self.seen.update(context, seen)?;
        }
        out.collect((record, seen));
        Ok(())
    }
}

fn words() -> KeyedStream<String, String> {
    env(1).from_elements(["a", "b", "a", "a", "a"].map(str::to_owned)).key_by_ref(|word| word)
}

#[test]
fn state_belongs_to_the_key() {
    let counts = words().process(Count { opens: true, ..Count::default() }).execute_and_collect().unwrap();
    let counts: Vec<_> = counts.iter().map(|(word, count)| (word.as_str(), *count)).collect();
    assert_eq!(counts, [("a", 1), ("b", 1), ("a", 2), ("a", 3), ("a", 1)]);
}

#[test]
fn a_state_that_was_not_obtained_in_open_is_an_error_that_says_so() {
    assert_eq!(
        line(words().process(Count::default()).execute_and_collect()),
        "operator 'KeyedProcess' (subtask 1/1) failed: ValueState<u32> is bound to no state; \
         obtain it in open() from its descriptor before using it"
    );
}

#[derive(Clone)]
struct Twice;

impl KeyedProcessFunction<String, String, String> for Twice {
    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        let _: ValueState<u32> = context.value_state(ValueStateDescriptor::new("seen"))?;
        let _: ValueState<u32> = context.value_state(ValueStateDescriptor::new("seen"))?;
        let _: ValueState<i64> = context.value_state(ValueStateDescriptor::new("seen"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        _: String,
        _: &mut KeyedContext<'_, String>,
        _: &mut Collector<'_, String>,
    ) -> FnResult {
        Ok(())
    }
}

#[test]
fn one_name_for_states_of_two_types_is_refused() {
    assert_eq!(
        line(words().process(Twice).execute_and_collect()),
        "operator 'KeyedProcess' (subtask 1/1) failed: state 'seen' is already registered as ValueState<u32>, \
         asked for as ValueState<i64>; give each state its own name"
    );
}
