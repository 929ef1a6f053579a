//! Window joins and co-groups: which records meet in a window, what is late, and what is kept.

use flott::join::{CoGroupedStreams, JoinedStreams};
use flott::prelude::*;
use flott::testing::{HarnessOptions, TwoInputHarness, in_both_modes};
use flott::window::WindowAssigner;
use proptest::prelude::*;

use crate::support::{At, Step, Watermark, env, line, script, sorted};

/// Key and time.
type Event = (u8, i64);
type Pair = (Event, Event);
type Group = (Vec<Event>, Vec<Event>);
type Either = TaggedUnion<Event, Event>;
type Harness<O> = TwoInputHarness<Event, Event, O>;

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn tumbling() -> TumblingEventTimeWindows {
    TumblingEventTimeWindows::of(millis(3))
}

fn harness<O: Data>(
    build: impl FnOnce(&DataStream<Event>, &DataStream<Event>) -> DataStream<O>,
) -> Harness<O> {
    TwoInputHarness::new(|left, right| build(&left, &right))
}

fn joined<W: WindowAssigner<Either>>(
    left: &DataStream<Event>,
    right: &DataStream<Event>,
    windows: W,
) -> DataStream<Pair> {
    let join: JoinedStreams<Event, Event> = left.join(right);
    join.where_key(|left| left.0)
        .equal_to(|right| right.0)
        .window(windows)
        .apply(|left, right, out| out.collect((*left, *right)))
}

fn grouped<W: WindowAssigner<Either>>(
    left: &DataStream<Event>,
    right: &DataStream<Event>,
    windows: W,
) -> DataStream<Group> {
    let group: CoGroupedStreams<Event, Event> = left.co_group(right);
    group
        .where_key(|left| left.0)
        .equal_to(|right| right.0)
        .window(windows)
        .apply(|lefts, rights, out| out.collect((lefts.to_vec(), rights.to_vec())))
}

/// Feeds the records of both sides, in turn, and then a watermark to both.
fn feed<O: Data>(harness: &mut Harness<O>, lefts: &[Event], rights: &[Event], watermark: i64) {
    for index in 0..lefts.len().max(rights.len()) {
        if let Some(left) = lefts.get(index) {
            harness.process1(*left, left.1).unwrap();
        }
        if let Some(right) = rights.get(index) {
            harness.process2(*right, right.1).unwrap();
        }
    }
    advance(harness, watermark);
}

fn advance<O: Data>(harness: &mut Harness<O>, watermark: i64) {
    harness.watermark1(watermark).unwrap();
    harness.watermark2(watermark).unwrap();
}

/// What has come out, each with its timestamp, in its natural order.
fn stamped<O: Data + Ord>(harness: &mut Harness<O>) -> Vec<(O, i64)> {
    let stamped = harness.take_stamped().into_iter();
    sorted(stamped.map(|(record, timestamp)| (record, timestamp.unwrap())).collect())
}

/// Runs a test plainly, with a snapshot at every step, and with another parallelism at every step.
fn in_all_modes(mut test: impl FnMut(HarnessOptions)) {
    in_both_modes(&mut test);
    test(HarnessOptions::default().rescale_at_every_step());
}

#[test]
fn s2_5_a_join_pairs_all_records_of_a_key_and_window() {
    in_all_modes(|options| {
        let mut harness = harness(|left, right| joined(left, right, tumbling())).with_options(options);
        let lefts = [(1, 0), (1, 1), (2, 3), (2, 5), (1, 6), (3, 7)];
        let rights = [(1, 0), (1, 2), (2, 3), (2, 6), (1, 8)];
        feed(&mut harness, &lefts, &rights, 8);
        let first = [((1, 0), (1, 0)), ((1, 0), (1, 2)), ((1, 1), (1, 0)), ((1, 1), (1, 2))];
        let mut want: Vec<_> = first.into_iter().map(|pair| (pair, 2)).collect();
        // A pair has the last timestamp of its window. Neither (2, 6) nor (3, 7) has a partner.
        want.extend([(((1, 6), (1, 8)), 8), (((2, 3), (2, 3)), 5), (((2, 5), (2, 3)), 5)]);
        assert_eq!(stamped(&mut harness), want, "{options:?}");
    });
}

#[test]
fn s2_5_a_window_waits_for_the_watermark_of_both_sides() {
    in_all_modes(|options| {
        let mut harness = harness(|left, right| joined(left, right, tumbling())).with_options(options);
        harness.process1((1, 0), 0).unwrap();
        harness.process2((1, 1), 1).unwrap();
        harness.watermark1(9).unwrap();
        assert_eq!(stamped(&mut harness), []);
        // Not late, as the other side's watermark has not come so far.
        harness.process1((1, 2), 2).unwrap();
        harness.watermark2(2).unwrap();
        assert_eq!(stamped(&mut harness), [(((1, 0), (1, 1)), 2), (((1, 2), (1, 1)), 2)]);
    });
}

#[test]
fn s2_5_a_co_group_is_made_also_when_one_side_is_empty() {
    in_all_modes(|options| {
        let mut harness = harness(|left, right| grouped(left, right, tumbling())).with_options(options);
        let lefts = [(1, 0), (1, 1), (1, 2), (2, 3), (2, 4), (2, 5), (1, 6), (1, 7), (1, 8)];
        let rights = [(1, 0), (1, 1), (2, 3), (3, 6), (3, 7), (3, 8)];
        feed(&mut harness, &lefts, &rights, MAX_WATERMARK);
        let want = [
            ((vec![], vec![(3, 6), (3, 7), (3, 8)]), 8),
            ((vec![(1, 0), (1, 1), (1, 2)], vec![(1, 0), (1, 1)]), 2),
            ((vec![(1, 6), (1, 7), (1, 8)], vec![]), 8),
            ((vec![(2, 3), (2, 4), (2, 5)], vec![(2, 3)]), 5),
        ];
        assert_eq!(stamped(&mut harness), want, "{options:?}");
    });
}

#[test]
fn s2_5_a_pair_is_joined_in_each_sliding_window_that_holds_both() {
    in_all_modes(|options| {
        let windows = SlidingEventTimeWindows::of(millis(4), millis(2));
        let mut harness = harness(|left, right| joined(left, right, windows)).with_options(options);
        feed(&mut harness, &[(1, 2)], &[(1, 3), (1, 4), (1, 6)], MAX_WATERMARK);
        // The left record is in [0, 4) and [2, 6).
        let want = [(((1, 2), (1, 3)), 3), (((1, 2), (1, 3)), 5), (((1, 2), (1, 4)), 5)];
        assert_eq!(stamped(&mut harness), want, "{options:?}");
    });
}

#[test]
fn s2_5_a_record_of_one_side_makes_two_sessions_of_the_other_one() {
    in_all_modes(|options| {
        let windows = EventTimeSessionWindows::with_gap(millis(3));
        let mut harness = harness(|left, right| grouped(left, right, windows)).with_options(options);
        feed(&mut harness, &[(1, 0), (1, 5), (2, 0), (2, 5)], &[], MIN_WATERMARK);
        feed(&mut harness, &[], &[(1, 3)], MAX_WATERMARK);
        let want = [
            ((vec![(1, 0), (1, 5)], vec![(1, 3)]), 7),
            ((vec![(2, 0)], vec![]), 2),
            ((vec![(2, 5)], vec![]), 7),
        ];
        assert_eq!(stamped(&mut harness), want, "{options:?}");
    });
}

#[test]
fn s2_5_a_session_gap_may_depend_on_the_side() {
    let windows = EventTimeSessionWindows::with_dynamic_gap(|record: &Either| match record {
        TaggedUnion::One(_) => millis(10),
        TaggedUnion::Two(_) => millis(1),
    });
    let mut harness = harness(|left, right| joined(left, right, windows));
    feed(&mut harness, &[(1, 0), (2, 9)], &[(1, 9), (2, 0)], MAX_WATERMARK);
    assert_eq!(stamped(&mut harness), [(((1, 0), (1, 9)), 9)]);
}

#[test]
fn s2_5_a_trigger_and_an_evictor_see_the_records_of_both_sides() {
    in_all_modes(|options| {
        let mut harness = harness(|left, right| {
            left.co_group(right)
                .where_key(|left| left.0)
                .equal_to(|right| right.0)
                .window(GlobalWindows)
                .trigger(CountTrigger::of(3))
                .evictor(CountEvictor::of(2))
                .apply(|lefts, rights, out| out.collect((lefts.to_vec(), rights.to_vec())))
        })
        .with_options(options);
        feed(&mut harness, &[(1, 0), (1, 2)], &[(1, 1)], MIN_WATERMARK);
        assert_eq!(stamped(&mut harness), [((vec![(1, 2)], vec![(1, 1)]), i64::MAX)]);
        feed(&mut harness, &[], &[(1, 3), (1, 4), (1, 5)], MIN_WATERMARK);
        assert_eq!(stamped(&mut harness), [((vec![], vec![(1, 4), (1, 5)]), i64::MAX)]);
    });
}

#[test]
fn s2_5_a_late_record_is_dropped_and_counted() {
    in_all_modes(|options| {
        let mut harness = harness(|left, right| joined(left, right, tumbling())).with_options(options);
        feed(&mut harness, &[(1, 0)], &[(1, 1)], 2);
        assert_eq!(stamped(&mut harness), [(((1, 0), (1, 1)), 2)]);
        feed(&mut harness, &[(1, 2)], &[(1, 2)], MAX_WATERMARK);
        assert_eq!((stamped(&mut harness), harness.late_records_dropped()), (vec![], 2));
    });
}

#[test]
fn s2_5_an_allowed_late_record_joins_and_a_later_one_has_a_side_output() {
    in_all_modes(|options| {
        let late = OutputTag::new("late");
        let mut harness = harness(|left, right| {
            left.join(right)
                .where_key(|left| left.0)
                .equal_to(|right| right.0)
                .window(tumbling())
                .allowed_lateness(millis(5))
                .side_output_late_data(&late)
                .apply(|left, right, out| out.collect((*left, *right)))
        })
        .with_side_output(&late)
        .with_options(options);
        feed(&mut harness, &[(1, 0)], &[(1, 1)], 2);
        assert_eq!(stamped(&mut harness), [(((1, 0), (1, 1)), 2)]);
        // The window fires again, with all of its records.
        feed(&mut harness, &[], &[(1, 2)], 7);
        assert_eq!(stamped(&mut harness), [(((1, 0), (1, 1)), 2), (((1, 0), (1, 2)), 2)]);
        feed(&mut harness, &[(1, 1)], &[(1, 0)], 9);
        assert_eq!(stamped(&mut harness), []);
        let want = [(TaggedUnion::One((1, 1)), Some(1)), (TaggedUnion::Two((1, 0)), Some(0))];
        assert_eq!(harness.take_side_output(&late), want);
        assert_eq!(harness.late_records_dropped(), 0);
    });
}

#[test]
fn keys_may_be_pointed_to_and_the_records_of_different_types() {
    let env = env(3);
    let names = script(&env, vec![At(("ada".to_owned(), 36), 1), At(("bob".to_owned(), 5), 1)]);
    let words = script(&env, vec![At("ada".to_owned(), 0), At("eve".to_owned(), 2)]);
    let ages = names
        .join(&words)
        .where_key_ref(|(name, _)| name)
        .equal_to_ref(|word| word)
        .window(tumbling())
        .apply(|(_, age), word, out| out.collect((word.clone(), *age)));
    assert_eq!(ages.execute_and_collect().unwrap(), [("ada".to_owned(), 36)]);
}

/// The names of the vertices of a job in which one stream comes from one subtask, the other from three.
fn vertices<O: Data>(
    build: impl FnOnce(&DataStream<Event>, &DataStream<Event>) -> DataStream<O>,
) -> Vec<String> {
    let env = env(3);
    let one = env.from_elements([(1, 1)]);
    build(&one, &one.rebalance().map(|event| event)).discard();
    env.execute().unwrap().vertices.into_iter().map(|vertex| vertex.name).collect()
}

#[test]
fn the_operators_have_names_and_records_are_not_sent_to_be_tagged() {
    let before = ["Source: Collection Source -> Map", "Map -> Map"];
    let join = vertices(|left, right| joined(left, right, GlobalWindows));
    assert_eq!(join, [before[0], before[1], "Join -> Sink: Discard"]);
    let co_group = vertices(|left, right| grouped(left, right, GlobalWindows));
    assert_eq!(co_group, [before[0], before[1], "CoGroup -> Sink: Discard"]);
}

/// Tells how it was opened; fails for records at 9.
#[derive(Clone, Default)]
struct Opened(u32);

impl Opened {
    fn check(&self, time: i64) -> FnResult<u32> {
        if time == 9 { Err("nine".into()) } else { Ok(self.0) }
    }
}

impl JoinFunction<Event, Event, (Pair, u32)> for Opened {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.0 = context.number_of_parallel_subtasks();
        Ok(())
    }

    fn join(&mut self, left: &Event, right: &Event, out: &mut Collector<'_, (Pair, u32)>) -> FnResult {
        out.collect(((*left, *right), self.check(left.1)?));
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        Err("closed".into())
    }
}

impl CoGroupFunction<Event, Event, (Group, u32)> for Opened {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.0 = context.number_of_parallel_subtasks();
        Ok(())
    }

    fn co_group(
        &mut self,
        lefts: &[Event],
        rights: &[Event],
        out: &mut Collector<'_, (Group, u32)>,
    ) -> FnResult {
        let opened = self.check(lefts[0].1)?;
        out.collect(((lefts.to_vec(), rights.to_vec()), opened));
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        Err("closed".into())
    }
}

/// Sees a function opened, called and closed, or failing.
fn assert_lives<O: Data + Ord + std::fmt::Debug>(new: impl Fn() -> Harness<O>, want: O, name: &str) {
    let new = || new().with_options(HarnessOptions::plain());
    let mut harness = new();
    feed(&mut harness, &[(1, 0)], &[(1, 1)], 2);
    assert_eq!(stamped(&mut harness), [(want, 2)]);
    assert_eq!(line(harness.close()), format!("operator '{name}' (subtask 1/1) failed: closed"));

    let mut failing = new();
    failing.process1((1, 9), 9).unwrap();
    failing.process2((1, 9), 9).unwrap();
    failing.watermark1(20).unwrap();
    assert_eq!(line(failing.watermark2(20)), format!("operator '{name}' (subtask 1/1) failed: nine"));
}

#[test]
fn a_function_is_opened_and_closed_and_can_fail() {
    let join = || {
        harness(|left, right| {
            let keyed = left.join(right).where_key(|left| left.0).equal_to(|right| right.0);
            keyed.window(tumbling()).apply_with(Opened::default())
        })
    };
    assert_lives(join, (((1, 0), (1, 1)), 1), "Join");
    let co_group = || {
        harness(|left, right| {
            let keyed = left.co_group(right).where_key(|left| left.0).equal_to(|right| right.0);
            keyed.window(tumbling()).apply_with(Opened::default())
        })
    };
    assert_lives(co_group, ((vec![(1, 0)], vec![(1, 1)]), 1), "CoGroup");
}

#[test]
fn a_mistake_in_the_windows_is_told_under_the_name_of_the_join() {
    let none = || env(1).from_elements([(1, 1)]);
    let windows = TumblingEventTimeWindows::of(Duration::ZERO);
    let of_no_size = "tumbling windows need a size of at least 1 ms";
    let left = none();
    let right = left.map(|event| event);
    let told = line(joined(&left, &right, windows).execute_and_collect());
    assert_eq!(told, format!("the job can't start: operator 'Join': {of_no_size}"));
    let left = none();
    let right = left.map(|event| event);
    let told = line(grouped(&left, &right, windows).execute_and_collect());
    assert_eq!(told, format!("the job can't start: operator 'CoGroup': {of_no_size}"));
}

#[test]
fn streams_of_different_environments_are_refused() {
    let (left, right) = (env(1).from_elements([(1, 1)]), env(1).from_elements([(1, 1)]));
    let text = line(joined(&left, &right, tumbling()).execute_and_collect());
    assert!(text.contains("the streams belong to different environments: build both in one"), "{text}");
}

/// The windows of a case.
#[derive(Clone, Copy, Debug)]
enum Windows {
    Aligned { size: i64, slide: i64 },
    Session { gap: i64 },
}

impl Windows {
    fn join(self, left: &DataStream<Event>, right: &DataStream<Event>) -> DataStream<Group> {
        let millis = |ms: i64| millis(ms.unsigned_abs());
        match self {
            Self::Aligned { size, slide } if size == slide => {
                pairs(joined(left, right, TumblingEventTimeWindows::of(millis(size))))
            }
            Self::Aligned { size, slide } => {
                pairs(joined(left, right, SlidingEventTimeWindows::of(millis(size), millis(slide))))
            }
            Self::Session { gap } => {
                pairs(joined(left, right, EventTimeSessionWindows::with_gap(millis(gap))))
            }
        }
    }

    fn co_group(self, left: &DataStream<Event>, right: &DataStream<Event>) -> DataStream<Group> {
        let millis = |ms: i64| millis(ms.unsigned_abs());
        match self {
            Self::Aligned { size, slide } if size == slide => {
                grouped(left, right, TumblingEventTimeWindows::of(millis(size)))
            }
            Self::Aligned { size, slide } => {
                grouped(left, right, SlidingEventTimeWindows::of(millis(size), millis(slide)))
            }
            Self::Session { gap } => grouped(left, right, EventTimeSessionWindows::with_gap(millis(gap))),
        }
    }

    /// Both sides of each window of each key, by brute force.
    fn model(self, lefts: &[Event], rights: &[Event]) -> Vec<Group> {
        self.model_of(lefts, rights, |_| (lefts.to_vec(), rights.to_vec()))
    }

    /// As `model`, with those records only that `admitted` has for the last timestamp of the window.
    fn model_of(self, lefts: &[Event], rights: &[Event], admitted: impl Fn(i64) -> Group) -> Vec<Group> {
        let mut groups = Vec::new();
        for key in 0..4 {
            for (start, end) in self.windows_of(key, lefts, rights) {
                let (lefts, rights) = admitted(end - 1);
                let inside = |event: &Event| event.0 == key && (start..end).contains(&event.1);
                let side = |events: Vec<Event>| events.into_iter().filter(inside).collect();
                groups.push((side(lefts), side(rights)));
            }
        }
        groups.retain(|group| *group != (vec![], vec![]));
        normal(groups)
    }

    fn windows_of(self, key: u8, lefts: &[Event], rights: &[Event]) -> Vec<(i64, i64)> {
        match self {
            Self::Aligned { size, slide } => {
                let starts = (-200..=200).filter(|start| start % slide == 0);
                starts.map(|start| (start, start + size)).collect()
            }
            Self::Session { gap } => {
                let times = lefts.iter().chain(rights).filter(|event| event.0 == key).map(|event| event.1);
                let mut sessions: Vec<(i64, i64)> = Vec::new();
                for time in sorted(times.collect()) {
                    match sessions.last_mut() {
                        Some(last) if time <= last.1 => last.1 = time + gap,
                        _ => sessions.push((time, time + gap)),
                    }
                }
                sessions
            }
        }
    }
}

/// Each pair as a group of its own.
fn pairs(pairs: DataStream<Pair>) -> DataStream<Group> {
    pairs.map(|(left, right)| (vec![left], vec![right]))
}

/// Each pair of a group, as a group of its own.
fn pairs_of(groups: Vec<Group>) -> Vec<Group> {
    let pairs = groups.into_iter().flat_map(|(lefts, rights)| {
        lefts.into_iter().flat_map(move |left| rights.clone().into_iter().map(move |right| (left, right)))
    });
    sorted(pairs.map(|(left, right)| (vec![left], vec![right])).collect())
}

/// Groups with the records of each side in their natural order.
fn normal(groups: Vec<Group>) -> Vec<Group> {
    sorted(groups.into_iter().map(|(lefts, rights)| (sorted(lefts), sorted(rights))).collect())
}

fn windows() -> impl Strategy<Value = Windows> {
    prop_oneof![
        (1_i64..20).prop_map(|size| Windows::Aligned { size, slide: size }),
        (1_i64..6, 1_i64..4).prop_map(|(slide, factor)| Windows::Aligned { size: slide * factor, slide }),
        (1_i64..12).prop_map(|gap| Windows::Session { gap }),
    ]
}

fn aligned() -> impl Strategy<Value = (i64, i64)> {
    (1_i64..8, 1_i64..3).prop_map(|(slide, factor)| (slide * factor, slide))
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((0_u8..4, -40_i64..60), 0..40)
}

fn steps() -> impl Strategy<Value = Vec<Step<Event>>> {
    let step = prop_oneof![
        5 => (0_u8..4, -40_i64..60).prop_map(|(key, time)| At((key, time), time)),
        1 => (-40_i64..60).prop_map(Watermark),
    ];
    prop::collection::vec(step, 0..30)
}

/// Plays the steps of both sides in turn. Returns what comes out and, side by side, the records with the watermark that
/// both sides have reached when they come.
fn play(harness: &mut Harness<Group>, steps: [&[Step<Event>]; 2]) -> (Vec<Group>, [Vec<(Event, i64)>; 2]) {
    let mut watermarks = [MIN_WATERMARK; 2];
    let mut came: [Vec<(Event, i64)>; 2] = [Vec::new(), Vec::new()];
    for index in 0..steps[0].len().max(steps[1].len()) {
        for side in 0..2 {
            match steps[side].get(index) {
                Some(At(event, time)) => {
                    came[side].push((*event, watermarks[0].min(watermarks[1])));
                    let process = if side == 0 { Harness::process1 } else { Harness::process2 };
                    process(harness, *event, *time).unwrap();
                }
                Some(Watermark(watermark)) => {
                    watermarks[side] = watermarks[side].max(*watermark);
                    let advance = if side == 0 { Harness::watermark1 } else { Harness::watermark2 };
                    advance(harness, *watermark).unwrap();
                }
                _ => {}
            }
        }
    }
    advance(harness, MAX_WATERMARK);
    (normal(harness.take_records()), came)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_whole_job_finds_what_a_nested_loop_finds(
        windows in windows(),
        lefts in events(),
        rights in events(),
        parallelism in prop_oneof![Just(1_u32), Just(3)],
    ) {
        let steps = |events: &[Event]| events.iter().map(|event| At(*event, event.1)).collect();
        let groups = windows.model(&lefts, &rights);
        let run = |build: fn(Windows, &DataStream<Event>, &DataStream<Event>) -> DataStream<Group>| {
            let env = env(parallelism);
            let (left, right) = (script(&env, steps(&lefts)), script(&env, steps(&rights)));
            normal(build(windows, &left, &right).execute_and_collect().unwrap())
        };
        prop_assert_eq!(run(Windows::co_group), groups.clone());
        prop_assert_eq!(run(Windows::join), pairs_of(groups));
    }

    #[test]
    fn with_watermarks_a_window_has_the_records_that_are_not_late_for_it(
        (size, slide) in aligned(),
        left in steps(),
        right in steps(),
    ) {
        let windows = Windows::Aligned { size, slide };
        for options in [HarnessOptions::default(), HarnessOptions::default().rescale_at_every_step()] {
            let mut harness = harness(|left, right| windows.co_group(left, right)).with_options(options);
            let (groups, came) = play(&mut harness, [&left, &right]);
            let in_time = |side: usize, last: i64| {
                came[side].iter().filter(|(_, watermark)| *watermark < last).map(|(event, _)| *event).collect()
            };
            let want = windows.model_of(&[], &[], |last| (in_time(0, last), in_time(1, last)));
            prop_assert_eq!(groups, want, "{:?}", options);
        }
    }
}
