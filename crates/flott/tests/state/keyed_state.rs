//! Keyed state of all kinds in functions on keyed streams.

use flott::function::{KeyedFilterFunction, KeyedFlatMapFunction, KeyedMapFunction};
use flott::prelude::*;
use flott::testing::{HarnessOptions, OneInputHarness, in_both_modes};

use crate::support::{env, keyed, line, sorted};

/// An aggregate that counts, whatever the values are.
#[derive(Clone)]
struct CountRecords;

impl AggregateFunction<i64> for CountRecords {
    type Accumulator = i64;
    type Output = i64;

    fn create_accumulator(&self) -> i64 {
        0
    }

    fn add(&self, _: i64, accumulator: &mut i64) {
        *accumulator += 1;
    }

    fn get_result(&self, accumulator: &i64) -> i64 {
        *accumulator
    }

    fn merge(&self, accumulator: &mut i64, other: i64) {
        *accumulator += other;
    }
}

/// At every thousandth record of the subtask it emits and clears what the state holds; it adds the others.
#[derive(Clone, Default)]
pub(crate) struct EveryThousandth {
    count: u64,
    state: AggregatingState<i64, CountRecords>,
}

impl KeyedFlatMapFunction<i64, i64, i64> for EveryThousandth {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.state = context.aggregating_state(AggregatingStateDescriptor::new("count", CountRecords))?;
        Ok(())
    }

    fn flat_map(
        &mut self,
        record: i64,
        context: &mut KeyedStateContext<'_, '_, i64>,
        out: &mut Collector<'_, i64>,
    ) -> FnResult {
        self.count += 1;
        if self.count.is_multiple_of(1000) {
            if let Some(result) = self.state.get(context)? {
                out.collect(result);
            }
            self.state.clear(context)?;
        } else {
            self.state.add(context, record)?;
        }
        Ok(())
    }
}

#[test]
fn s8_the_thousandth_record_is_not_added_so_each_result_is_999() {
    let results = env(1).from_sequence(1, 3500).key_by(|_| 0).flat_map_with(EveryThousandth::default());
    assert_eq!(results.execute_and_collect().unwrap(), [999, 999, 999]);
}

#[test]
fn s8_the_field_is_shared_by_all_keys_of_a_subtask_and_the_state_is_not() {
    // Records 1 to 1000 in ten keys: the last one is of key 0, which has had 99 before it.
    let results = env(1).from_sequence(1, 1000).key_by(|n| n % 10).flat_map_with(EveryThousandth::default());
    assert_eq!(results.execute_and_collect().unwrap(), [99]);
}

#[test]
fn s5_s7_an_accumulator_belongs_to_its_key_and_is_gone_when_cleared() {
    in_both_modes(|options| {
        let build = |numbers: DataStream<i64>| numbers.key_by(|n: &i64| n.abs()).process(Counting::default());
        let mut harness = OneInputHarness::new(build).with_options(options);
        for n in [1, 1, 2, -1, 1, 2] {
            harness.process(n, 0).unwrap();
        }
        let want = [(1, Some(1)), (1, Some(2)), (2, Some(1)), (1, None), (1, Some(1)), (2, Some(2))];
        assert_eq!(harness.take_records(), want);
    });
}

/// Counts the records of a key; a negative one clears the state of its key.
#[derive(Clone, Default)]
struct Counting {
    state: AggregatingState<i64, CountRecords>,
}

impl KeyedProcessFunction<i64, i64, (i64, Option<i64>)> for Counting {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.state = context.aggregating_state(AggregatingStateDescriptor::new("count", CountRecords))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        record: i64,
        context: &mut KeyedContext<'_, i64>,
        out: &mut Collector<'_, (i64, Option<i64>)>,
    ) -> FnResult {
        if record < 0 {
            self.state.clear(context)?;
        } else {
            self.state.add(context, record)?;
        }
        out.collect((record.abs(), self.state.get(context)?));
        Ok(())
    }
}

/// All five kinds in one function; a negative record clears them all.
#[derive(Clone, Default)]
pub(crate) struct AllKinds {
    value: ValueState<i64>,
    list: ListState<i64>,
    map: MapState<i64, i64>,
    reducing: ReducingState<i64>,
    aggregating: AggregatingState<i64, CountRecords>,
}

impl KeyedMapFunction<i64, i64, String> for AllKinds {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.value = context.value_state(ValueStateDescriptor::new("value"))?;
        self.list = context.list_state(ListStateDescriptor::new("list"))?;
        self.map = context.map_state(MapStateDescriptor::new("map"))?;
        self.reducing =
            context.reducing_state(ReducingStateDescriptor::new("max", |a: &i64, b| b.max(*a)))?;
        self.aggregating =
            context.aggregating_state(AggregatingStateDescriptor::new("count", CountRecords))?;
        Ok(())
    }

    fn map(&mut self, record: i64, context: &mut KeyedStateContext<'_, '_, i64>) -> FnResult<String> {
        if record < 0 {
            self.value.clear(context)?;
            self.list.clear(context)?;
            self.map.clear(context)?;
            self.reducing.clear(context)?;
            self.aggregating.clear(context)?;
        } else {
            self.value.update(context, record)?;
            self.list.add(context, record)?;
            self.map.put(context, record, -record)?;
            self.reducing.add(context, record)?;
            self.aggregating.add(context, record)?;
        }
        let map = self.map.iter(context)?.map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>();
        Ok(format!(
            "{:?} {:?} {map:?} {:?} {:?}",
            self.value.value(context)?,
            self.list.get(context)?.to_vec(),
            self.reducing.get(context)?.copied(),
            self.aggregating.get(context)?,
        ))
    }
}

#[test]
fn s94_to_s98_each_kind_keeps_what_it_says_and_clears_the_current_key_only() {
    let records = env(1).from_elements([10, 30, 20, 11, -10, 40]).key_by(|n: &i64| n.abs() % 10);
    let seen = records.map_with(AllKinds::default()).execute_and_collect().unwrap();
    let want = [
        r#"Some(10) [10] ["10:-10"] Some(10) Some(1)"#,
        r#"Some(30) [10, 30] ["10:-10", "30:-30"] Some(30) Some(2)"#,
        r#"Some(20) [10, 30, 20] ["10:-10", "30:-30", "20:-20"] Some(30) Some(3)"#,
        r#"Some(11) [11] ["11:-11"] Some(11) Some(1)"#,
        "None [] [] None None",
        r#"Some(40) [40] ["40:-40"] Some(40) Some(1)"#,
    ];
    assert_eq!(seen, want);
}

/// Lets the first record of each key through.
#[derive(Clone, Default)]
struct First {
    seen: ValueState<()>,
}

impl KeyedFilterFunction<i64, i64> for First {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.seen = context.value_state(ValueStateDescriptor::new("seen"))?;
        Ok(())
    }

    fn filter(&mut self, _: &i64, context: &mut KeyedStateContext<'_, '_, i64>) -> FnResult<bool> {
        let is_first = self.seen.get(context)?.is_none();
        self.seen.update(context, ())?;
        Ok(is_first)
    }
}

#[test]
fn s4_each_key_has_state_of_its_own_which_goes_where_the_key_goes() {
    let build = |numbers: DataStream<i64>| numbers.key_by(|n| n % 7).filter_with(First::default());
    let mut harness =
        OneInputHarness::new(build).with_options(HarnessOptions::default().rescale_at_every_step());
    (0..30).for_each(|n| harness.process(n, 0).unwrap());
    assert_eq!(harness.take_records(), (0..7).collect::<Vec<_>>());
}

#[test]
fn s4_a_filter_with_state_sees_each_key_in_one_subtask() {
    for parallelism in [1, 3] {
        let firsts = env(parallelism).from_sequence(1, 1000).key_by(|n| n % 7).filter_with(First::default());
        let keys = firsts.map(|n| n % 7).execute_and_collect().unwrap();
        assert_eq!(sorted(keys), [0, 1, 2, 3, 4, 5, 6]);
    }
}

#[derive(Clone)]
struct Double;

impl MapFunction<i64, i64> for Double {
    fn map(&mut self, record: i64) -> FnResult<i64> {
        Ok(2 * record)
    }
}

#[test]
fn a_plain_function_fits_a_keyed_stream() {
    let doubled = env(2).from_sequence(1, 4).key_by(|n| *n).map_with(Double).execute_and_collect();
    assert_eq!(sorted(doubled.unwrap()), [2, 4, 6, 8]);
}

/// Asks for a value and a list under one name.
#[derive(Clone)]
struct OneName;

impl KeyedMapFunction<i64, i64, i64> for OneName {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        let _: ValueState<i64> = context.value_state(ValueStateDescriptor::new("seen"))?;
        let _: ListState<i64> = context.list_state(ListStateDescriptor::new("seen"))?;
        Ok(())
    }

    fn map(&mut self, record: i64, _: &mut KeyedStateContext<'_, '_, i64>) -> FnResult<i64> {
        Ok(record)
    }
}

#[test]
fn s99_one_name_for_two_kinds_is_refused() {
    let failed = env(1).from_sequence(1, 4).key_by(|n| *n).map_with(OneName).execute_and_collect();
    assert_eq!(
        line(failed),
        "operator 'Map' (subtask 1/1) failed: state 'seen' is already registered as ValueState<i64>, \
         asked for as ListState<i64>; give each state its own name"
    );
}

#[test]
fn s97_reduce_emits_the_first_record_as_it_is_and_then_each_result() {
    in_both_modes(|options| {
        let build = |numbers: DataStream<i64>| numbers.key_by(|_| ()).reduce(|sum, n| sum + n);
        let mut harness = OneInputHarness::new(build).with_options(options);
        (1..=3).for_each(|n| harness.process(n, 0).unwrap());
        assert_eq!(harness.take_records(), [1, 3, 6]);
    });
}

/// Flink refuses a key that is null. There is no null here, and `None` is a key like any other: it is encoded, hashed
/// and compared as every value of its type.
#[test]
fn s101_none_is_a_key_like_any_other() {
    in_both_modes(|options| {
        let build = |records: DataStream<(Option<u8>, i64)>| records.key_by(|(key, _)| *key).sum(|(_, n)| n);
        let mut harness = OneInputHarness::new(build).with_options(options).with_parallelism(3);
        for (key, n) in [(Some(0), 1), (None, 10), (Some(0), 2), (None, 20)] {
            harness.process((key, n), 0).unwrap();
        }
        let want = [(Some(0), 1), (None, 10), (Some(0), 3), (None, 30)];
        assert_eq!(harness.take_records(), want);
    });
}

#[test]
fn the_context_of_a_timer_shows_its_time_and_state() {
    let seen = keyed(
        |_: i64, context: &mut KeyedContext<'_, i64>, _: &mut Collector<'_, _>| {
            context.register_event_time_timer(5);
            Ok(())
        },
        |time, context: &mut OnTimerContext<'_, i64>, out: &mut Collector<'_, _>| {
            out.collect((time, context.timestamp(), *context.current_key()));
        },
    );
    let fired = env(1).from_elements([3]).key_by(|n| *n).process(seen).execute_and_collect().unwrap();
    assert_eq!(fired, [(5, Some(5), 3)]);
}

/// Counts the records of each key in a state that another operator has under the same name.
#[derive(Clone, Default)]
struct Numbered(ValueState<i64>);

impl KeyedMapFunction<i64, i64, i64> for Numbered {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.0 = context.value_state(ValueStateDescriptor::new("count"))?;
        Ok(())
    }

    fn map(&mut self, _: i64, context: &mut KeyedStateContext<'_, '_, i64>) -> FnResult<i64> {
        let count = self.0.get_or_insert_with(context, || 0)?;
        *count += 1;
        Ok(*count)
    }
}

#[test]
fn s4_states_of_one_name_in_two_operators_are_two_states() {
    in_both_modes(|options| {
        let build = |numbers: DataStream<i64>| {
            let counts = numbers.key_by(|n| *n).map_with(Numbered::default());
            counts.key_by(|count| *count).map_with(Numbered::default())
        };
        let mut harness = OneInputHarness::new(build).with_options(options);
        for n in [7, 7, 8, 8] {
            harness.process(n, 0).unwrap();
        }
        // The first counts 1, 2, 1, 2; the second how often it had each of these.
        assert_eq!(harness.take_records(), [1, 1, 2, 2]);
    });
}
