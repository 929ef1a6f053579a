//! Connected streams: one function for two inputs, with keys and without.

use flott::function::{KeyedCoFlatMapFunction, KeyedCoMapFunction};
use flott::prelude::*;

use crate::support::{At, Step, Untimed, env, line, process, script, sorted, stamped};

#[test]
fn map_and_flat_map_turn_both_inputs_into_one_stream() {
    for parallelism in [1, 3] {
        let env = env(parallelism);
        let (numbers, words) = (env.from_sequence(1, 3), env.from_elements(["a", "bc"].map(str::to_owned)));
        let connected = numbers.connect(&words);
        let mapped = connected.map(|n| n.to_string(), |word| word);
        let flat = connected.flat_map(
            |n: i64, out: &mut Collector<'_, String>| (0..n).for_each(|_| out.collect(n.to_string())),
            |word: String, out| word.chars().for_each(|letter| out.collect(letter.to_string())),
        );
        let both = mapped.union(&flat).execute_and_collect().unwrap();
        let want = ["1", "1", "2", "2", "2", "3", "3", "3", "3", "a", "a", "b", "bc", "c"];
        assert_eq!(sorted(both), want);
    }
}

#[test]
fn records_of_either_input_keep_their_timestamps() {
    let env = env(1);
    let (first, second) =
        (script(&env, vec![At(1, 10), Untimed(2)]), script(&env, vec![At("a".to_owned(), 30)]));
    let mapped = first.connect(&second).map(|n| n.to_string(), |word| word);
    let want = [("1", Some(10)), ("2", None), ("a", Some(30))].map(|(text, time)| (text.to_owned(), time));
    assert_eq!(sorted(stamped(&mapped).execute_and_collect().unwrap()), want);
}

#[test]
fn either_input_can_be_a_union() {
    for parallelism in [1, 2] {
        let env = env(parallelism);
        let (one, two, three) = (env.from_sequence(1, 2), env.from_sequence(3, 4), env.from_sequence(5, 6));
        let connected = one.union(&two).connect(&two.union(&three)).map(|n| n, |n| -n);
        let all = connected.execute_and_collect().unwrap();
        assert_eq!(sorted(all), [-6, -5, -4, -3, 1, 2, 3, 4]);
    }
}

#[test]
fn streams_of_two_environments_cannot_be_connected() {
    let (one, other) = (env(1).from_sequence(1, 3), env(1).from_sequence(1, 3));
    assert_eq!(
        line(one.connect(&other).map(|n| n, |n| n).execute_and_collect()),
        "the job can't start: operator 'Co-Map': the connected streams belong to different environments: \
         build both in one"
    );
}

#[test]
fn a_failure_in_either_input_is_told_under_the_operators_name() {
    for (first, second) in [(1, 0), (0, 1)] {
        let env = env(1);
        let connected = env.from_elements([first]).connect(&env.from_elements([second]));
        let divided = connected.map(|n| 10 / (1 - n), |n| 10 / (1 - n)).name("divide");
        let told = line(divided.execute_and_collect());
        assert!(told.starts_with("operator 'divide' (subtask 1/1) panicked"), "{told}");
    }
}

/// Tells what it gets, with the time.
#[derive(Clone)]
struct Tell;

impl CoProcessFunction<i64, String, String> for Tell {
    fn process_element1(
        &mut self,
        record: i64,
        context: &mut ProcessContext,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        out.collect(format!("{record} at {:?}", context.timestamp()));
        Ok(())
    }

    fn process_element2(
        &mut self,
        record: String,
        context: &mut ProcessContext,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        out.output(&OutputTag::new("words"), record);
        out.collect(format!("a word at {:?}", context.timestamp()));
        Ok(())
    }

    fn finish(&mut self, out: &mut Collector<'_, String>) -> FnResult {
        out.collect("end".to_owned());
        Ok(())
    }
}

#[test]
fn a_co_process_function_knows_the_time_and_has_side_outputs_and_a_last_word() {
    let env = env(1);
    let (numbers, words) = (script(&env, vec![At(7, 70)]), script(&env, vec![Untimed("ten".to_owned())]));
    let told = numbers.connect(&words).process(Tell);
    let all = told.union(&told.side_output(&OutputTag::new("words")));
    let want = ["7 at Some(70)", "a word at None", "end", "ten"];
    assert_eq!(sorted(all.execute_and_collect().unwrap()), want);
}

/// Both inputs add to one sum for each key.
#[derive(Clone, Default)]
struct SharedSum {
    sum: ValueState<i64>,
}

impl SharedSum {
    fn register(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.sum = context.value_state(ValueStateDescriptor::new("sum"))?;
        Ok(())
    }

    fn add(&self, record: i64, context: &mut KeyedStateContext<'_, '_, i64>) -> FnResult<(i64, i64)> {
        let sum = self.sum.get_or_insert_with(context, || 0)?;
        *sum += record;
        let sum = *sum;
        Ok((*context.current_key(), sum))
    }
}

impl KeyedCoMapFunction<i64, i64, u8, (i64, i64)> for SharedSum {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.register(context)
    }

    fn map1(&mut self, record: i64, context: &mut KeyedStateContext<'_, '_, i64>) -> FnResult<(i64, i64)> {
        self.add(record, context)
    }

    fn map2(&mut self, record: u8, context: &mut KeyedStateContext<'_, '_, i64>) -> FnResult<(i64, i64)> {
        self.add(record.into(), context)
    }
}

impl KeyedCoFlatMapFunction<i64, i64, u8, (i64, i64)> for SharedSum {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.register(context)
    }

    fn flat_map1(
        &mut self,
        record: i64,
        context: &mut KeyedStateContext<'_, '_, i64>,
        out: &mut Collector<'_, (i64, i64)>,
    ) -> FnResult {
        out.collect(self.add(record, context)?);
        Ok(())
    }

    fn flat_map2(
        &mut self,
        record: u8,
        context: &mut KeyedStateContext<'_, '_, i64>,
        out: &mut Collector<'_, (i64, i64)>,
    ) -> FnResult {
        out.collect(self.add(record.into(), context)?);
        Ok(())
    }
}

#[test]
fn both_inputs_share_the_state_of_a_key() {
    for parallelism in [1, 3] {
        for is_map in [true, false] {
            let env = env(parallelism);
            let (first, second) =
                (env.from_sequence(1, 100), env.from_elements((1..=100_u8).collect::<Vec<_>>()));
            let keyed = first.connect(&second).key_by(|n| n % 10, |n| i64::from(n % 10));
            let sums = if is_map {
                keyed.map_with(SharedSum::default())
            } else {
                keyed.flat_map_with(SharedSum::default())
            };
            let sums = sums.key_by(|(key, _)| *key).max(|(_, sum)| sum).execute_and_collect().unwrap();
            // 100 records of each input, in ten keys: the last sum of a key holds what both have given.
            assert_eq!(sums.len(), 200);
            let of_key = |key: i64| sums.iter().filter(|sum| sum.0 == key).map(|sum| sum.1).max().unwrap();
            assert!((1..10).all(|key| of_key(key) == 2 * (450 + 10 * key)), "{sums:?}");
            assert_eq!(of_key(0), 2 * 550);
        }
    }
}

#[test]
fn plain_co_functions_fit_keyed_streams() {
    let env = env(2);
    let keyed = env.from_sequence(1, 4).connect(&env.from_sequence(5, 8)).key_by(|n| *n, |n| *n);
    let negated = keyed.map_with(Negate).execute_and_collect().unwrap();
    assert_eq!(sorted(negated), [-4, -3, -2, -1, 5, 6, 7, 8]);
}

#[derive(Clone)]
struct Negate;

impl CoMapFunction<i64, i64, i64> for Negate {
    fn map1(&mut self, record: i64) -> FnResult<i64> {
        Ok(-record)
    }

    fn map2(&mut self, record: i64) -> FnResult<i64> {
        Ok(record)
    }
}

/// The first input registers timers, the second deletes them; a timer tells the key.
#[derive(Clone)]
struct Timers;

impl KeyedCoProcessFunction<String, (String, i64), (String, i64), String> for Timers {
    fn process_element1(
        &mut self,
        (_, time): (String, i64),
        context: &mut KeyedContext<'_, String>,
        _: &mut Collector<'_, String>,
    ) -> FnResult {
        context.register_event_time_timer(time);
        Ok(())
    }

    fn process_element2(
        &mut self,
        (_, time): (String, i64),
        context: &mut KeyedContext<'_, String>,
        _: &mut Collector<'_, String>,
    ) -> FnResult {
        if time < 0 {
            context.delete_event_time_timer(-time);
        } else {
            context.register_event_time_timer(time);
        }
        Ok(())
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, String>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        out.collect(format!("{}@{time}", context.current_key()));
        Ok(())
    }
}

fn of_keys(steps: &[(&str, i64)]) -> Vec<Step<(String, i64)>> {
    steps.iter().map(|(key, time)| Untimed(((*key).to_owned(), *time))).collect()
}

#[test]
fn both_inputs_share_the_timers_of_a_key() {
    let env = env(1);
    let first = script(&env, of_keys(&[("a", 5), ("b", 6)]));
    let second = script(&env, of_keys(&[("a", 5), ("a", 7)]));
    let fired = first.connect(&second).key_by_ref(|(key, _)| key, |(key, _)| key).process(Timers);
    let fired = stamped(&fired).execute_and_collect().unwrap();
    let want = [("a@5", 5), ("b@6", 6), ("a@7", 7)].map(|(text, time)| (text.to_owned(), Some(time)));
    assert_eq!(fired, want);
}

#[test]
fn keyed_streams_connect_and_what_follows_sees_their_watermark() {
    let env = env(1);
    let first = script(&env, of_keys(&[("a", 5)])).key_by_ref(|(key, _)| key);
    let second = script(&env, of_keys(&[("b", 6)])).key_by_ref(|(key, _)| key);
    let seen = first.connect(&second).process(Timers).process(process(
        |text: String, context: &mut ProcessContext, out: &mut Collector<'_, _>| {
            out.collect((text, context.current_watermark()));
            Ok(())
        },
    ));
    // The timers fire before the watermark goes on, here the last one.
    let want = [("a@5".to_owned(), MIN_WATERMARK), ("b@6".to_owned(), MIN_WATERMARK)];
    assert_eq!(seen.execute_and_collect().unwrap(), want);
}
