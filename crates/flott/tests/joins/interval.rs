//! Interval joins: which pairs there are, what is late, and what is kept.

use flott::join::IntervalJoined;
use flott::prelude::*;
use flott::testing::{HarnessOptions, StreamElement, TwoInputHarness, in_both_modes};
use proptest::prelude::*;

use crate::support::{At, Step, Watermark, env, line, script, sorted};

/// Key and time.
type Event = (u8, i64);
type Pair = (Event, Event);
type Join = IntervalJoined<u8, Event, Event>;
type Harness = TwoInputHarness<Event, Event, Pair>;

fn pair(left: &Event, right: &Event, out: &mut Collector<'_, Pair>) {
    out.collect((*left, *right));
}

fn key(event: &Event) -> u8 {
    event.0
}

fn joined(
    left: &DataStream<Event>,
    right: &DataStream<Event>,
    join: impl FnOnce(Interval) -> Join,
) -> DataStream<Pair> {
    join(left.key_by(key).interval_join(&right.key_by(key))).process(pair)
}

type Interval = flott::join::IntervalJoin<u8, Event, Event>;

fn harness(join: impl FnOnce(Interval) -> Join) -> Harness {
    TwoInputHarness::new(|left, right| joined(&left, &right, join))
}

/// In which order the records of both sides arrive.
#[derive(Clone, Copy, Debug)]
enum Arrival {
    LeftFirst,
    RightFirst,
    InTurn,
}

/// Feeds records at these times to both sides, each with a watermark behind it.
fn feed(harness: &mut Harness, times: std::ops::RangeInclusive<i64>, arrival: Arrival) {
    let left = |harness: &mut Harness, time| {
        harness.process1((0, time), time).unwrap();
        harness.watermark1(time).unwrap();
    };
    let right = |harness: &mut Harness, time| {
        harness.process2((0, time), time).unwrap();
        harness.watermark2(time).unwrap();
    };
    match arrival {
        Arrival::LeftFirst => {
            times.clone().for_each(|time| left(harness, time));
            times.for_each(|time| right(harness, time));
        }
        Arrival::RightFirst => {
            times.clone().for_each(|time| right(harness, time));
            times.for_each(|time| left(harness, time));
        }
        Arrival::InTurn => times.for_each(|time| {
            left(harness, time);
            right(harness, time);
        }),
    }
}

/// The times of the pairs that have come out. Each pair has the greater time of its records.
fn pairs(harness: &mut Harness) -> Vec<(i64, i64)> {
    let pairs = harness.take_stamped().into_iter().map(|((left, right), timestamp)| {
        assert_eq!(timestamp, Some(left.1.max(right.1)));
        (left.1, right.1)
    });
    sorted(pairs.collect())
}

/// Joins records at 1 to 4 of both sides, whatever the order of their arrival, with and without snapshots.
fn assert_joins(join: impl Fn(Interval) -> Join, want: &[(i64, i64)]) {
    for arrival in [Arrival::LeftFirst, Arrival::RightFirst, Arrival::InTurn] {
        in_both_modes(|options| {
            let mut harness = harness(&join).with_options(options);
            feed(&mut harness, 1..=4, arrival);
            assert_eq!(pairs(&mut harness), want, "{arrival:?}, {options:?}");
        });
    }
}

#[test]
fn v8_6_from_1_to_3_without_the_upper_bound() {
    let want = [(1, 2), (1, 3), (2, 3), (2, 4), (3, 4)];
    assert_joins(|join| join.between(1, 3).upper_bound_exclusive(), &want);
}

#[test]
fn v8_6_from_minus_3_without_it_to_minus_1() {
    let want = [(2, 1), (3, 1), (3, 2), (4, 2), (4, 3)];
    assert_joins(|join| join.between(-3, -1).lower_bound_exclusive(), &want);
}

#[test]
fn v8_6_from_minus_2_to_minus_1() {
    assert_joins(|join| join.between(-2, -1), &[(2, 1), (3, 1), (3, 2), (4, 2), (4, 3)]);
}

#[test]
fn v8_6_from_minus_1_to_1() {
    let want = [(1, 1), (1, 2), (2, 1), (2, 2), (2, 3), (3, 2), (3, 3), (3, 4), (4, 3), (4, 4)];
    assert_joins(|join| join.between(-1, 1), &want);
}

#[test]
fn v8_6_from_1_to_2() {
    assert_joins(|join| join.between(1, 2), &[(1, 2), (1, 3), (2, 3), (2, 4), (3, 4)]);
}

#[test]
fn v8_6_from_minus_3_to_minus_1_without_the_bounds() {
    let join = |join: Interval| join.between(-3, -1).lower_bound_exclusive().upper_bound_exclusive();
    assert_joins(join, &[(3, 1), (4, 2)]);
}

#[test]
fn v8_6_from_minus_1_to_1_without_the_bounds() {
    let join = |join: Interval| join.between(-1, 1).lower_bound_exclusive().upper_bound_exclusive();
    assert_joins(join, &[(1, 1), (2, 2), (3, 3), (4, 4)]);
}

#[test]
fn v8_6_from_1_to_3_without_the_bounds() {
    let join = |join: Interval| join.between(1, 3).lower_bound_exclusive().upper_bound_exclusive();
    assert_joins(join, &[(1, 3), (2, 4)]);
}

#[test]
fn v8_6_a_late_record_is_dropped_and_counted() {
    in_both_modes(|options| {
        let mut harness = harness(|join| join.between(-1, 1)).with_options(options);
        feed(&mut harness, 1..=3, Arrival::InTurn);
        pairs(&mut harness);
        harness.process1((0, 1), 1).unwrap();
        assert_eq!((pairs(&mut harness), harness.late_records_dropped()), (vec![], 1));
        feed(&mut harness, 4..=5, Arrival::InTurn);
        assert_eq!(pairs(&mut harness), [(3, 4), (4, 3), (4, 4), (4, 5), (5, 4), (5, 5)]);
        // A record at the watermark is not late.
        harness.process2((0, 5), 5).unwrap();
        assert_eq!(harness.late_records_dropped(), 1);
    });
}

#[test]
fn s2_5_late_records_of_each_side_have_a_side_output() {
    in_both_modes(|options| {
        let (left, right) = (OutputTag::new("late left"), OutputTag::new("late right"));
        let join = |join: Interval| {
            join.between(-9, 9).side_output_left_late_data(&left).side_output_right_late_data(&right)
        };
        let mut harness =
            harness(join).with_side_output(&left).with_side_output(&right).with_options(options);
        feed(&mut harness, 3..=3, Arrival::InTurn);
        harness.process1((0, 2), 2).unwrap();
        harness.process2((0, 1), 1).unwrap();
        assert_eq!(pairs(&mut harness), [(3, 3)]);
        assert_eq!(harness.take_side_output(&left), [((0, 2), Some(2))]);
        assert_eq!(harness.take_side_output(&right), [((0, 1), Some(1))]);
        assert_eq!(harness.late_records_dropped(), 0);
    });
}

#[test]
fn v8_6_a_record_without_timestamp_fails_the_job() {
    let want = "operator 'Interval Join' (subtask 1/1) failed: a record has no timestamp, which an interval join needs: \
                give the source a WatermarkStrategy with a timestamp assigner, or call assign_timestamps_and_watermarks";
    let mut left = harness(|join| join.between(-1, 1));
    assert_eq!(line(left.process_without_timestamp1((0, 1))), want);
    let mut right = harness(|join| join.between(-1, 1));
    assert_eq!(line(right.process_without_timestamp2((0, 1))), want);
}

#[test]
fn v8_6_what_is_kept_is_restored() {
    for parallelism in 1..=3 {
        let mut first = harness(|join| join.between(-1, 1));
        feed(&mut first, 1..=3, Arrival::InTurn);
        let snapshot = first.snapshot().unwrap();
        let mut second = harness(|join| join.between(-1, 1));
        second.restore(&snapshot, parallelism).unwrap();
        feed(&mut second, 4..=4, Arrival::InTurn);
        assert_eq!(pairs(&mut second), [(3, 4), (4, 3), (4, 4)]);
    }
}

#[test]
fn s2_5_a_record_is_kept_until_nothing_can_match_it() {
    // Bounds, and up to which watermark a left and a right record at 10 are kept.
    for (lower, upper, left, right) in [(-2, 3, 12, 11), (1, 3, 12, 9), (-3, -1, 9, 12)] {
        for is_left in [true, false] {
            let mut harness = harness(|join| join.between(lower, upper));
            let empty = harness.snapshot().unwrap();
            if is_left { harness.process1((7, 10), 10) } else { harness.process2((7, 10), 10) }.unwrap();
            let last = if is_left { left } else { right };
            for (watermark, is_kept) in [(last, true), (last + 1, false)] {
                harness.watermark1(watermark).unwrap();
                harness.watermark2(watermark).unwrap();
                let told = format!("[{lower}, {upper}], left: {is_left}, watermark {watermark}");
                assert_eq!(harness.snapshot().unwrap() != empty, is_kept, "{told}");
            }
        }
    }
}

#[test]
fn the_watermark_goes_on_behind_the_pairs() {
    let mut harness = harness(|join| join.between(0, 0));
    feed(&mut harness, 1..=1, Arrival::InTurn);
    let pair = StreamElement::Record(((0, 1), (0, 1)), Some(1));
    assert_eq!(harness.take_output(), [pair, StreamElement::Watermark(1)]);
}

/// Tells the times that it is told, on the side.
#[derive(Clone)]
struct Times(OutputTag<(i64, i64, i64)>, u32);

impl ProcessJoinFunction<Event, Event, Pair> for Times {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.1 = context.number_of_parallel_subtasks();
        Ok(())
    }

    fn process_element(
        &mut self,
        left: &Event,
        right: &Event,
        context: &JoinContext,
        out: &mut Collector<'_, Pair>,
    ) -> FnResult {
        if self.1 != 1 {
            return Err("not opened".into());
        }
        let times = (context.left_timestamp(), context.right_timestamp(), context.timestamp());
        out.output(&self.0, times);
        if left.1 == 9 {
            return Err("nine".into());
        }
        out.collect((*left, *right));
        Ok(())
    }
}

#[test]
fn a_function_knows_the_times_of_its_pair_and_can_fail() {
    let tag = OutputTag::new("times");
    let function = Times(tag.clone(), 0);
    let mut harness = TwoInputHarness::new(|left: DataStream<Event>, right: DataStream<Event>| {
        left.key_by(key).interval_join(&right.key_by(key)).between(-5, 5).process(function).name("pairs")
    })
    .with_side_output(&tag);
    harness.process1((1, 4), 4).unwrap();
    harness.process2((1, 6), 6).unwrap();
    assert_eq!(harness.take_side_output(&tag), [((4, 6, 6), Some(6))]);
    assert_eq!(line(harness.process1((1, 9), 9)), "operator 'pairs' (subtask 1/1) failed: nine");
}

#[test]
fn bounds_in_the_wrong_order_are_refused() {
    let events = env(1).from_elements([(0, 0)]);
    assert_eq!(
        line(joined(&events, &events, |join| join.between(2, 1)).execute_and_collect()),
        "the job can't start: operator 'Interval Join': its lower bound, 2 ms, is greater than its upper bound, 1 ms"
    );
}

#[derive(Clone, Debug)]
struct Case {
    bounds: (i64, i64),
    exclusive: (bool, bool),
    left: Vec<Step<Event>>,
    right: Vec<Step<Event>>,
}

fn steps() -> impl Strategy<Value = Vec<Step<Event>>> {
    let step = prop_oneof![
        5 => (0_u8..5, -40_i64..60).prop_map(|(key, time)| At((key, time), time)),
        1 => (-40_i64..60).prop_map(Watermark),
    ];
    prop::collection::vec(step, 0..40)
}

prop_compose! {
    fn case()(lower in -20_i64..20, length in 0_i64..20, exclusive in any::<(bool, bool)>(), left in steps(), right in steps()) -> Case {
        Case { bounds: (lower, lower + length), exclusive, left, right }
    }
}

impl Case {
    fn join(&self, join: Interval) -> Join {
        let mut join = join.between(self.bounds.0, self.bounds.1);
        if self.exclusive.0 {
            join = join.lower_bound_exclusive();
        }
        if self.exclusive.1 {
            join = join.upper_bound_exclusive();
        }
        join
    }

    fn matches(&self, left: Event, right: Event) -> bool {
        let (lower, upper) =
            (self.bounds.0 + i64::from(self.exclusive.0), self.bounds.1 - i64::from(self.exclusive.1));
        left.0 == right.0 && (lower..=upper).contains(&(right.1 - left.1))
    }

    /// Every pair of records that matches, whatever the watermarks.
    fn nested_loop(&self) -> Vec<Pair> {
        let (left, right) = (events(&self.left), events(&self.right));
        let pairs = left.iter().flat_map(|left| right.iter().map(move |right| (*left, *right)));
        sorted(pairs.filter(|(left, right)| self.matches(*left, *right)).collect())
    }
}

fn events(steps: &[Step<Event>]) -> Vec<Event> {
    let event = |step: &Step<Event>| if let At(event, _) = step { Some(*event) } else { None };
    steps.iter().filter_map(event).collect()
}

/// Leaves out the watermarks, so that no record is late.
fn in_time(steps: &[Step<Event>]) -> Vec<Step<Event>> {
    steps.iter().filter(|step| matches!(step, At(..))).cloned().collect()
}

/// The records at this step and the watermark that both sides have reached, when the sides take turns.
fn model(case: &Case) -> Vec<Pair> {
    let mut watermarks = [MIN_WATERMARK; 2];
    let mut taken: [Vec<Event>; 2] = [Vec::new(), Vec::new()];
    let mut pairs = Vec::new();
    for index in 0..case.left.len().max(case.right.len()) {
        for (side, steps) in [&case.left, &case.right].into_iter().enumerate() {
            let combined = watermarks[0].min(watermarks[1]);
            match steps.get(index) {
                Some(At(event, time)) if *time >= combined => {
                    for other in &taken[1 - side] {
                        let (left, right) = if side == 0 { (*event, *other) } else { (*other, *event) };
                        // What is forgotten is what only a late record could match, or one exactly at the watermark.
                        if case.matches(left, right) && other_is_kept(case, side, *other, combined) {
                            pairs.push((left, right));
                        }
                    }
                    taken[side].push(*event);
                }
                Some(Watermark(watermark)) => watermarks[side] = watermarks[side].max(*watermark),
                _ => {}
            }
        }
    }
    sorted(pairs)
}

/// Whether the watermark has not passed the time until which the other side's record is kept.
fn other_is_kept(case: &Case, side: usize, other: Event, combined: i64) -> bool {
    let lower = case.bounds.0 + i64::from(case.exclusive.0);
    let upper = case.bounds.1 - i64::from(case.exclusive.1);
    let until = other.1 + if side == 0 { (-lower).max(0) } else { upper.max(0) };
    until > combined
}

fn play(case: &Case, options: HarnessOptions) -> Vec<Pair> {
    let mut harness = harness(|join| case.join(join)).with_options(options);
    for index in 0..case.left.len().max(case.right.len()) {
        match case.left.get(index) {
            Some(At(event, time)) => harness.process1(*event, *time).unwrap(),
            Some(Watermark(watermark)) => harness.watermark1(*watermark).unwrap(),
            _ => {}
        }
        match case.right.get(index) {
            Some(At(event, time)) => harness.process2(*event, *time).unwrap(),
            Some(Watermark(watermark)) => harness.watermark2(*watermark).unwrap(),
            _ => {}
        }
    }
    sorted(harness.take_records())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_whole_job_finds_the_pairs_that_a_nested_loop_finds(case in case(), parallelism in prop_oneof![Just(1_u32), Just(3)]) {
        let env = env(parallelism);
        let (left, right) = (script(&env, in_time(&case.left)), script(&env, in_time(&case.right)));
        let pairs = joined(&left, &right, |join| case.join(join)).execute_and_collect().unwrap();
        prop_assert_eq!(sorted(pairs), case.nested_loop());
    }

    #[test]
    fn with_watermarks_the_pairs_are_those_of_the_records_that_are_not_late(case in case()) {
        let plain = HarnessOptions::default();
        for options in [plain, plain.snapshot_at_every_step(), plain.rescale_at_every_step()] {
            prop_assert_eq!(play(&case, options), model(&case), "{:?}", options);
        }
    }
}
