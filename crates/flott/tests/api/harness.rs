//! The test harness: what a step brings about, and how it ends.

use flott::prelude::*;
use flott::testing::StreamElement::{self, Record, Status, Watermark};
use flott::testing::{HarnessOptions, OneInputHarness, TwoInputHarness, in_both_modes};
use flott_core::watermark::StreamStatus::{Active, Idle};

use crate::support::{keyed, line, process, sorted};

fn doubled(numbers: DataStream<i64>) -> DataStream<i64> {
    numbers.map(|n| 2 * n)
}

#[test]
fn elements_come_out_in_order_in_both_modes() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(doubled).with_options(options);
        harness.process(1, 10).unwrap();
        harness.process_without_timestamp(2).unwrap();
        harness.watermark(5).unwrap();
        harness.status(Idle).unwrap();
        harness.status(Active).unwrap();
        harness.watermark(7).unwrap();
        harness.process(3, 11).unwrap();
        let want = [
            Record(2, Some(10)),
            Record(4, None),
            Watermark(5),
            Status(Idle),
            Status(Active),
            Watermark(7),
            Record(6, Some(11)),
        ];
        assert_eq!(harness.take_output(), want);
        assert_eq!(harness.take_output(), []);
    });
}

#[test]
fn watermarks_that_go_back_or_come_while_idle_are_ignored() {
    let mut harness = OneInputHarness::new(doubled);
    harness.watermark(5).unwrap();
    harness.watermark(4).unwrap();
    harness.status(Idle).unwrap();
    harness.watermark(9).unwrap();
    assert_eq!(harness.take_output(), [Watermark(5), Status(Idle)]);
}

#[test]
fn the_end_of_the_input_brings_the_last_watermark_once() {
    in_both_modes(|options| {
        let mut harness = OneInputHarness::new(doubled).with_options(options);
        harness.watermark(5).unwrap();
        harness.finish().unwrap();
        harness.finish().unwrap();
        harness.close().unwrap();
        assert_eq!(harness.take_output(), [Watermark(5), Watermark(MAX_WATERMARK)]);
    });
}

#[test]
fn a_key_is_processed_by_the_subtask_that_owns_it_at_any_parallelism() {
    let mut of_one = None;
    for parallelism in 1..=4 {
        let build = |numbers: DataStream<i64>| numbers.key_by(|n| n % 10).sum(|n| n);
        let mut harness = OneInputHarness::new(build).with_parallelism(parallelism).with_max_parallelism(16);
        for n in 0..100 {
            harness.process(n, n).unwrap();
        }
        harness.watermark(100).unwrap();
        let output = harness.take_output();
        assert_eq!(output.last(), Some(&Watermark(100)), "one for all subtasks");
        let records: Vec<StreamElement<i64>> = output[..output.len() - 1].to_vec();
        assert_eq!(of_one.get_or_insert(records.clone()), &records, "a step ends before the next begins");
    }
}

#[test]
fn timers_fire_as_the_clock_is_moved() {
    let function = keyed(
        |n: i64, context: &mut KeyedContext<'_, i64>, _: &mut Collector<'_, i64>| {
            context.register_processing_time_timer(n);
            Ok(())
        },
        |time, context: &mut OnTimerContext<'_, i64>, out: &mut Collector<'_, i64>| {
            out.collect(time * 1000 + context.current_processing_time());
        },
    );
    let mut harness =
        OneInputHarness::new(|numbers: DataStream<i64>| numbers.key_by(|n| *n).process(function));
    harness.set_processing_time(5).unwrap();
    harness.process(10, 0).unwrap();
    harness.process(20, 0).unwrap();
    harness.set_processing_time(9).unwrap();
    assert_eq!(harness.take_stamped(), []);
    harness.set_processing_time(12).unwrap();
    assert_eq!(harness.take_stamped(), [(10_012, None)]);
    harness.process(7, 0).unwrap();
    assert_eq!(harness.take_records(), [7_012], "due at once");
    assert_eq!(harness.processing_time(), 12);
}

#[test]
fn a_step_may_emit_more_than_the_channels_hold() {
    let build = |counts: DataStream<i64>| {
        let numbers =
            counts.flat_map(|count, out: &mut Collector<'_, i64>| (0..count).for_each(|n| out.collect(n)));
        numbers.key_by(|n| *n).map(|n| n).rebalance()
    };
    let mut harness = OneInputHarness::new(build).with_parallelism(2);
    harness.process(100_000, 1).unwrap();
    assert_eq!(sorted(harness.take_records()), (0..100_000).collect::<Vec<_>>());
}

#[test]
fn side_outputs_are_captured_by_tag() {
    let odd = OutputTag::<String>::new("odd");
    in_both_modes(|options| {
        let tag = odd.clone();
        let split = process(move |n: i64, _: &mut ProcessContext, out: &mut Collector<'_, i64>| {
            if n % 2 == 0 {
                out.collect(n);
            } else {
                out.output(&tag, format!("odd {n}"));
            }
            Ok(())
        });
        let harness = OneInputHarness::new(|numbers: DataStream<i64>| numbers.process(split));
        let mut harness = harness.with_options(options).with_side_output(&odd);
        for n in 0..4 {
            harness.process(n, n).unwrap();
        }
        assert_eq!(harness.take_records(), [0, 2]);
        let want = [("odd 1".to_owned(), Some(1)), ("odd 3".to_owned(), Some(3))];
        assert_eq!(harness.take_side_output(&odd), want);
        assert_eq!(harness.take_side_output(&OutputTag::<i64>::new("other")), []);
    });
}

#[test]
fn an_error_is_the_one_that_the_job_would_end_with_and_stays() {
    in_both_modes(|options| {
        let build =
            |texts: DataStream<String>| texts.try_map(|text: String| text.parse::<i64>()).name("Parse");
        let mut harness = OneInputHarness::new(build).with_options(options);
        harness.process("7".to_owned(), 0).unwrap();
        let want = "operator 'Parse' (subtask 1/1) failed: invalid digit found in string";
        assert_eq!(line(harness.process("seven".to_owned(), 0)), want);
        assert_eq!(line(harness.process("8".to_owned(), 0)), want);
        assert_eq!(harness.take_records(), [7]);
    });
}

#[test]
fn a_panic_is_an_error_that_names_operator_and_place() {
    let build = |numbers: DataStream<i64>| numbers.key_by(|_| 0).map(|n| 10 / n).name("Divide");
    let mut harness = OneInputHarness::new(build).with_parallelism(2);
    harness.process(5, 0).unwrap();
    let told = line(harness.process(0, 0));
    assert!(told.starts_with("operator 'Divide' (subtask ") && told.contains("harness.rs"), "{told}");
    assert!(told.ends_with("attempt to divide by zero"), "{told}");
}

#[test]
fn a_wrong_program_is_told_at_the_first_step() {
    let mut harness = OneInputHarness::new(doubled).with_parallelism(0);
    assert_eq!(
        line(harness.process(1, 1)),
        "the job can't start: operator 'Map' has parallelism 0: it must be at least 1"
    );
}

#[test]
fn after_close_nothing_is_processed() {
    let mut harness = OneInputHarness::new(doubled);
    harness.process(1, 1).unwrap();
    harness.close().unwrap();
    assert_eq!(line(harness.process(2, 2)), "job 'test harness' was cancelled");
    assert_eq!(harness.take_records(), [2]);
}

#[test]
fn two_inputs_share_one_event_time() {
    in_both_modes(|options| {
        let build = |numbers: DataStream<i64>, more: DataStream<i64>| numbers.union(&more).map(|n| n);
        let mut harness = TwoInputHarness::new(build).with_options(options);
        harness.process1(1, 10).unwrap();
        harness.watermark1(20).unwrap();
        harness.watermark2(15).unwrap();
        harness.status2(Idle).unwrap();
        harness.process2(2, 11).unwrap();
        harness.finish2().unwrap();
        harness.watermark1(30).unwrap();
        harness.finish1().unwrap();
        let want = [
            Record(1, Some(10)),
            Watermark(15),
            Watermark(20),
            Record(2, Some(11)),
            Watermark(30),
            Watermark(MAX_WATERMARK),
        ];
        assert_eq!(harness.take_output(), want);
    });
}

#[test]
fn counters_outlive_the_operators() {
    let options = HarnessOptions::default().rescale_at_every_step();
    let mut harness = OneInputHarness::new(|numbers: DataStream<i64>| numbers.map_with(Counting::default()));
    harness = harness.with_options(options);
    for n in 0..7 {
        harness.process(n, n).unwrap();
    }
    assert_eq!(harness.counters().into_iter().collect::<Vec<_>>(), [("mapped".to_owned(), 7)]);
    assert_eq!(harness.take_records(), [2, 3, 1, 2, 3, 1, 2], "parallelism changes at every step");
}

/// The sum of each key so far; a timer at ten times the sum tells it again.
#[derive(Clone, Default)]
struct Sums {
    sum: ValueState<i64>,
}

impl KeyedProcessFunction<i64, i64, (i64, i64)> for Sums {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.sum = context.value_state(ValueStateDescriptor::new("sum"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        n: i64,
        context: &mut KeyedContext<'_, i64>,
        out: &mut Collector<'_, (i64, i64)>,
    ) -> FnResult {
        let sum = self.sum.get_or_insert_with(context, || 0)?;
        *sum += n;
        let sum = *sum;
        out.collect((*context.current_key(), sum));
        context.register_event_time_timer(10 * sum);
        context.register_processing_time_timer(1000 * sum);
        Ok(())
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, i64>,
        out: &mut Collector<'_, (i64, i64)>,
    ) -> FnResult {
        let sum = self.sum.value(context)?.unwrap_or_default();
        out.collect((-*context.current_key(), time + sum));
        Ok(())
    }
}

fn sums() -> OneInputHarness<i64, (i64, i64)> {
    OneInputHarness::new(|numbers: DataStream<i64>| numbers.key_by(|n| n % 5).process(Sums::default()))
}

#[test]
fn state_and_timers_outlive_a_restart_between_any_two_steps_at_any_parallelism() {
    let steps = |options: HarnessOptions| {
        let mut harness = sums().with_options(options);
        let mut output = Vec::new();
        for n in 1..40 {
            harness.process(n, n).unwrap();
            harness.watermark(20 * n).unwrap();
            harness.set_processing_time(1500 * n).unwrap();
            // Keys that are due at once may come in any order when the subtasks change.
            output.push(sorted(harness.take_stamped()));
        }
        output
    };
    let plain = steps(HarnessOptions::default());
    assert!(plain.iter().flatten().any(|((key, _), timestamp)| *key < 0 && timestamp.is_some()));
    assert!(plain.iter().flatten().any(|((key, _), timestamp)| *key < 0 && timestamp.is_none()));
    assert_eq!(steps(HarnessOptions::default().snapshot_at_every_step()), plain);
    assert_eq!(steps(HarnessOptions::default().rescale_at_every_step()), plain);
}

#[test]
fn a_snapshot_is_restored_at_another_parallelism_and_what_came_after_it_is_forgotten() {
    let mut harness = sums().with_parallelism(2);
    for n in 0..10 {
        harness.process(n, n).unwrap();
    }
    let snapshot = harness.snapshot().unwrap();
    harness.process(100, 100).unwrap();
    harness.take_output();
    harness.restore(&snapshot, 3).unwrap();
    harness.process(5, 101).unwrap();
    assert_eq!(harness.take_records(), [(0, 10)], "0 + 5 + 5, without the 100");
    let mut fresh = sums();
    fresh.restore(&snapshot, 1).unwrap();
    fresh.process(5, 101).unwrap();
    assert_eq!(fresh.take_records(), [(0, 10)]);
}

#[test]
fn a_failed_harness_goes_on_from_a_snapshot() {
    let build = |numbers: DataStream<i64>| {
        let checked = numbers.try_map(|n| if n < 0 { Err("negative") } else { Ok(n) });
        checked.key_by(|n| n % 5).process(Sums::default())
    };
    let mut harness = OneInputHarness::new(build);
    harness.process(5, 0).unwrap();
    let snapshot = harness.snapshot().unwrap();
    harness.process(-1, 0).unwrap_err();
    harness.restore(&snapshot, 1).unwrap();
    harness.process(5, 0).unwrap();
    assert_eq!(harness.take_records(), [(0, 5), (0, 10)]);
}

#[test]
fn a_snapshot_with_other_key_groups_is_refused() {
    let mut harness = sums();
    harness.process(1, 1).unwrap();
    let snapshot = harness.snapshot().unwrap();
    let told = line(sums().with_max_parallelism(64).restore(&snapshot, 1));
    let want = "the job can't start: operator 'KeyedProcess': the snapshot was made with max parallelism 128, not 64: \
                set it again";
    assert_eq!(told, want);
}

/// Tells its parallelism.
#[derive(Clone, Default)]
struct Counting {
    parallelism: i64,
    counter: Option<flott_runtime::metrics::Counter>,
}

impl MapFunction<i64, i64> for Counting {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.parallelism = context.number_of_parallel_subtasks().into();
        self.counter = Some(context.counter("mapped"));
        Ok(())
    }

    fn map(&mut self, _: i64) -> FnResult<i64> {
        self.counter.iter().for_each(|counter| counter.add(1));
        Ok(self.parallelism)
    }
}
