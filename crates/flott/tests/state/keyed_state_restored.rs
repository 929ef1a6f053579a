//! State and timers of keyed functions, with and without a snapshot and restore between any two steps.

use flott::prelude::*;
use flott::testing::{HarnessOptions, OneInputHarness, StreamElement, TwoInputHarness, in_both_modes};

use crate::keyed_state::{AllKinds, EveryThousandth};
use crate::support::{keyed, line, process, sorted};

/// Plainly, with a restart between any two steps, and with another parallelism after each.
fn in_all_modes(mut test: impl FnMut(HarnessOptions)) {
    in_both_modes(&mut test);
    test(HarnessOptions::default().rescale_at_every_step());
}

#[test]
fn s8_the_state_survives_and_the_field_does_not() {
    let build = |numbers: DataStream<i64>| numbers.key_by(|_| 0).flat_map_with(EveryThousandth::default());
    let mut first = OneInputHarness::new(build).with_options(HarnessOptions::plain());
    for n in 1..=3500 {
        first.process(n, n).unwrap();
    }
    assert_eq!(first.take_records(), [999, 999, 999]);
    let snapshot = first.snapshot().unwrap();

    let mut second = OneInputHarness::new(build).with_options(HarnessOptions::plain());
    second.restore(&snapshot, 1).unwrap();
    for n in 1..=1000 {
        second.process(n, n).unwrap();
    }
    // 500 were in the state; the field began at 0 again, so that 999 were added before its thousandth record.
    assert_eq!(second.take_records(), [1499]);
}

#[test]
fn s94_to_s98_all_kinds_of_state_survive() {
    in_all_modes(|options| {
        let build =
            |numbers: DataStream<i64>| numbers.key_by(|n: &i64| n.abs() % 10).map_with(AllKinds::default());
        let mut harness = OneInputHarness::new(build).with_options(options);
        for n in [10, 30, 20, 11, -10, 40, 21] {
            harness.process(n, 0).unwrap();
        }
        let want = [
            r#"Some(10) [10] ["10:-10"] Some(10) Some(1)"#,
            r#"Some(30) [10, 30] ["10:-10", "30:-30"] Some(30) Some(2)"#,
            r#"Some(20) [10, 30, 20] ["10:-10", "30:-30", "20:-20"] Some(30) Some(3)"#,
            r#"Some(11) [11] ["11:-11"] Some(11) Some(1)"#,
            "None [] [] None None",
            r#"Some(40) [40] ["40:-40"] Some(40) Some(1)"#,
            r#"Some(21) [11, 21] ["11:-11", "21:-21"] Some(21) Some(2)"#,
        ];
        assert_eq!(harness.take_records(), want);
    });
}

#[test]
fn rolling_aggregations_survive() {
    in_all_modes(|options| {
        let sum = |numbers: DataStream<(u8, i64)>| numbers.key_by(|(key, _)| *key).sum(|(_, n)| n);
        let mut harness = OneInputHarness::new(sum).with_options(options);
        for record in [(1, 1), (2, 10), (1, 2), (2, 20), (1, 3)] {
            harness.process(record, 0).unwrap();
        }
        assert_eq!(harness.take_records(), [(1, 1), (2, 10), (1, 3), (2, 30), (1, 6)]);
    });
}

#[test]
fn v8_8_1_a_function_sees_watermark_and_timestamp() {
    in_both_modes(|options| {
        let tell = process(|n: i64, context: &mut ProcessContext, out: &mut Collector<'_, String>| {
            let time = context.timestamp().unwrap_or_default();
            out.collect(format!("{n}TIME:{} TS:{time}", context.current_watermark()));
            Ok(())
        });
        let mut harness =
            OneInputHarness::new(|numbers: DataStream<i64>| numbers.process(tell)).with_options(options);
        harness.watermark(17).unwrap();
        harness.process(5, 12).unwrap();
        harness.watermark(42).unwrap();
        harness.process(6, 13).unwrap();
        let want = [("5TIME:17 TS:12", Some(12)), ("6TIME:42 TS:13", Some(13))];
        assert_eq!(harness.take_stamped(), want.map(|(text, time)| (text.to_owned(), time)));
    });
}

/// Registers what it is told: at a time, in a domain; a negative time deletes. Timers tell key, time and domain.
fn timers(commands: DataStream<(i64, i64, bool)>) -> DataStream<String> {
    commands.key_by(|(key, _, _)| *key).process(keyed(
        |(_, time, is_event): (i64, i64, bool),
         context: &mut KeyedContext<'_, i64>,
         _: &mut Collector<'_, _>| {
            match (time < 0, is_event) {
                (false, true) => context.register_event_time_timer(time),
                (false, false) => context.register_processing_time_timer(time),
                (true, true) => context.delete_event_time_timer(-time),
                (true, false) => context.delete_processing_time_timer(-time),
            }
            Ok(())
        },
        |time, context: &mut OnTimerContext<'_, i64>, out: &mut Collector<'_, _>| {
            assert_eq!(context.timestamp(), Some(time));
            out.collect(format!("{} {time} {:?}", context.current_key(), context.time_domain()));
        },
    ))
}

const EVENT: bool = true;
const PROCESSING: bool = false;

#[test]
fn v8_8_2_an_event_timer_fires_before_its_watermark_goes_on() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(timers).with_options(options);
        harness.process((17, 5, EVENT), 42).unwrap();
        harness.watermark(4).unwrap();
        harness.watermark(5).unwrap();
        let fired = StreamElement::Record("17 5 EventTime".to_owned(), Some(5));
        let want = [StreamElement::Watermark(4), fired, StreamElement::Watermark(5)];
        assert_eq!(harness.take_output(), want);
    });
}

#[test]
fn v8_8_3_a_timer_of_processing_time_emits_without_timestamp() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(timers).with_options(options);
        harness.process((17, 5, PROCESSING), 42).unwrap();
        harness.set_processing_time(5).unwrap();
        assert_eq!(harness.take_stamped(), [("17 5 ProcessingTime".to_owned(), None)]);
    });
}

#[test]
fn v8_8_5_timers_of_both_domains_survive_a_snapshot() {
    in_all_modes(|options| {
        let mut harness = OneInputHarness::new(timers).with_options(options);
        harness.process((1, 5, PROCESSING), 0).unwrap();
        harness.process((1, 6, EVENT), 0).unwrap();
        harness.set_processing_time(4).unwrap();
        assert!(harness.take_stamped().is_empty());
        harness.set_processing_time(5).unwrap();
        // Records of a processing-time timer have no timestamp, those of an event-time timer have its time.
        assert_eq!(harness.take_stamped(), [("1 5 ProcessingTime".to_owned(), None)]);
        harness.watermark(6).unwrap();
        assert_eq!(harness.take_stamped(), [("1 6 EventTime".to_owned(), Some(6))]);
        harness.set_processing_time(100).unwrap();
        harness.watermark(100).unwrap();
        assert!(harness.take_records().is_empty(), "each fires once");
    });
}

#[test]
fn v8_8_6_timers_are_deduplicated_deleted_and_belong_to_their_keys() {
    in_all_modes(|options| {
        let mut harness = OneInputHarness::new(timers).with_options(options);
        for domain in [EVENT, PROCESSING] {
            for (key, time) in [(1, 5), (1, 5), (2, 5), (3, 5), (3, 4), (2, -5), (4, -5)] {
                harness.process((key, time, domain), 0).unwrap();
            }
        }
        harness.watermark(9).unwrap();
        let fired = sorted(harness.take_records());
        assert_eq!(fired, ["1 5 EventTime", "3 4 EventTime", "3 5 EventTime"]);
        harness.set_processing_time(9).unwrap();
        let fired = sorted(harness.take_records());
        assert_eq!(fired, ["1 5 ProcessingTime", "3 4 ProcessingTime", "3 5 ProcessingTime"]);
    });
}

#[test]
fn v8_8_6_a_restore_at_another_parallelism_splits_timers_by_key_group() {
    let mut first = OneInputHarness::new(timers);
    for key in 0..100 {
        first.process((key, 5, EVENT), 0).unwrap();
    }
    let snapshot = first.snapshot().unwrap();
    let mut second = OneInputHarness::new(timers);
    second.restore(&snapshot, 3).unwrap();
    second.watermark(5).unwrap();
    let want: Vec<_> = (0..100).map(|key| format!("{key} 5 EventTime")).collect();
    assert_eq!(sorted(second.take_records()), sorted(want));
}

#[test]
fn v8_4_another_number_of_key_groups_is_refused_at_a_restore() {
    let mut first = OneInputHarness::new(timers);
    first.process((1, 5, EVENT), 0).unwrap();
    let snapshot = first.snapshot().unwrap();
    let mut second = OneInputHarness::new(timers).with_max_parallelism(64);
    assert_eq!(
        line(second.restore(&snapshot, 1)),
        "the job can't start: operator 'KeyedProcess': the snapshot was made with max parallelism 128, not 64: set \
         it again"
    );
}

/// Where Flink may be told to go on all the same (`allowNonRestoredState`), a test has no need of it.
#[test]
fn v8_4_state_of_an_operator_that_is_gone_is_refused_at_a_restore() {
    let mut first = OneInputHarness::new(|commands| timers(commands).uid("timers"));
    first.process((1, 5, EVENT), 0).unwrap();
    let snapshot = first.snapshot().unwrap();
    let mut second = OneInputHarness::new(|commands: DataStream<(i64, i64, bool)>| commands.map(|c| c.0));
    let told = line(second.restore(&snapshot, 1));
    assert!(told.starts_with("the job can't start: operator '"), "{told}");
    assert!(told.ends_with("': the snapshot has its state, but it is gone: keep it under its uid"), "{told}");
}

#[test]
fn processing_timers_that_became_due_while_the_job_was_down_fire_at_once() {
    let mut first = OneInputHarness::new(timers);
    first.process((1, 50, PROCESSING), 0).unwrap();
    let snapshot = first.snapshot().unwrap();
    let mut second = OneInputHarness::new(timers);
    second.set_processing_time(70).unwrap();
    second.restore(&snapshot, 1).unwrap();
    second.watermark(1).unwrap();
    assert_eq!(second.take_records(), ["1 50 ProcessingTime"]);
}

/// Pairs the last record of each side by key; a timer five later forgets them.
#[derive(Clone, Default)]
struct Pair {
    left: ValueState<i64>,
    right: ValueState<i64>,
}

type Record = (u8, i64);

impl Pair {
    fn emit(&self, context: &mut KeyedContext<'_, u8>, out: &mut Collector<'_, String>) -> FnResult {
        if let Some(time) = context.timestamp() {
            context.register_event_time_timer(time + 5);
        }
        let (left, right) = (self.left.value(context)?, self.right.value(context)?);
        out.collect(format!("{} {left:?} {right:?}", context.current_key()));
        Ok(())
    }
}

impl KeyedCoProcessFunction<u8, Record, Record, String> for Pair {
    fn open(&mut self, context: &mut OpenContext<'_, u8>) -> FnResult {
        self.left = context.value_state(ValueStateDescriptor::new("left"))?;
        self.right = context.value_state(ValueStateDescriptor::new("right"))?;
        Ok(())
    }

    fn process_element1(
        &mut self,
        (_, record): Record,
        context: &mut KeyedContext<'_, u8>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        self.left.update(context, record)?;
        self.emit(context, out)
    }

    fn process_element2(
        &mut self,
        (_, record): Record,
        context: &mut KeyedContext<'_, u8>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        self.right.update(context, record)?;
        self.emit(context, out)
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, u8>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        self.left.clear(context)?;
        self.right.clear(context)?;
        out.collect(format!("{} forgotten at {time}", context.current_key()));
        Ok(())
    }
}

#[test]
fn state_and_timers_that_two_inputs_share_survive() {
    in_all_modes(|options| {
        let pair = |left: DataStream<Record>, right: DataStream<Record>| {
            left.connect(&right).key_by(|(key, _)| *key, |(key, _)| *key).process(Pair::default())
        };
        let mut harness = TwoInputHarness::new(pair).with_options(options);
        harness.process1((1, 10), 0).unwrap();
        harness.process2((1, 20), 1).unwrap();
        harness.process2((2, 30), 2).unwrap();
        assert_eq!(harness.take_records(), ["1 Some(10) None", "1 Some(10) Some(20)", "2 None Some(30)"]);
        // Event time is the lesser of both inputs.
        harness.watermark1(100).unwrap();
        assert!(harness.take_records().is_empty());
        harness.watermark2(6).unwrap();
        assert_eq!(harness.take_records(), ["1 forgotten at 5", "1 forgotten at 6"]);
        harness.process1((1, 11), 50).unwrap();
        harness.process1((2, 12), 50).unwrap();
        assert_eq!(harness.take_records(), ["1 Some(11) None", "2 Some(12) Some(30)"]);
    });
}
