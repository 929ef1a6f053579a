//! The same programs on the backend in memory and on one on disk: the same results, and each goes on from the snapshots of
//! the other. Here the disk is a map, or RocksDB with the feature of this name.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use flott::prelude::*;
use flott::testing::{HarnessOptions, HarnessSnapshot, OneInputHarness};

#[cfg(feature = "rocksdb")]
const ON_DISK: &str = "rocksdb";
#[cfg(not(feature = "rocksdb"))]
const ON_DISK: &str = "sorted-map";

/// Keeps what it knows of a key in a state of each kind, with and without time to live, and in timers; tells it for each record and
/// timer.
#[derive(Clone, Default)]
struct Everything {
    last: ValueState<i64>,
    recent: ValueState<String>,
    all: ListState<i64>,
    recent_all: ListState<i64>,
    by_digit: MapState<i64, i64>,
    recent_by_digit: MapState<String, i64>,
    sum: ReducingState<i64>,
    mean: AggregatingState<i64, Mean>,
}

#[derive(Clone)]
struct Mean;

impl AggregateFunction<i64> for Mean {
    type Accumulator = (i64, i64);
    type Output = i64;

    fn create_accumulator(&self) -> (i64, i64) {
        (0, 0)
    }

    fn add(&self, value: i64, (sum, count): &mut (i64, i64)) {
        *sum += value;
        *count += 1;
    }

    fn get_result(&self, (sum, count): &(i64, i64)) -> i64 {
        sum / count
    }

    fn merge(&self, into: &mut (i64, i64), (sum, count): (i64, i64)) {
        *into = (into.0 + sum, into.1 + count);
    }
}

impl Everything {
    fn told<C: HasKeyedState>(&self, what: &str, context: &mut C) -> FnResult<String> {
        let mut by_digit: Vec<String> =
            self.by_digit.iter(context)?.map(|(digit, count)| format!("{digit}:{count}")).collect();
        by_digit.sort();
        let mut recent_by_digit: Vec<String> =
            self.recent_by_digit.iter(context)?.map(|(digit, count)| format!("{digit}:{count}")).collect();
        recent_by_digit.sort();
        Ok(format!(
            "{what}: {:?} {:?} {:?} {:?} {by_digit:?} {recent_by_digit:?} {:?} {:?}",
            self.last.value(context)?,
            self.recent.value(context)?,
            self.all.get(context)?.to_vec(),
            self.recent_all.get(context)?.to_vec(),
            self.sum.get(context)?.copied(),
            self.mean.get(context)?,
        ))
    }
}

impl KeyedProcessFunction<String, (String, i64), String> for Everything {
    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        let ttl = StateTtlConfig::new(Duration::from_millis(100));
        let reads_count = ttl.clone().update_type(UpdateType::OnReadAndWrite);
        self.last = context.value_state(ValueStateDescriptor::new("last"))?;
        self.recent =
            context.value_state(ValueStateDescriptor::new("recent").enable_time_to_live(ttl.clone()))?;
        self.all = context.list_state(ListStateDescriptor::new("all"))?;
        self.recent_all =
            context.list_state(ListStateDescriptor::new("recent all").enable_time_to_live(reads_count))?;
        self.by_digit = context.map_state(MapStateDescriptor::new("by digit"))?;
        self.recent_by_digit =
            context.map_state(MapStateDescriptor::new("recent by digit").enable_time_to_live(ttl))?;
        self.sum = context.reducing_state(ReducingStateDescriptor::new("sum", |a: &i64, b| a + b))?;
        self.mean = context.aggregating_state(AggregatingStateDescriptor::new("mean", Mean))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (key, n): (String, i64),
        context: &mut KeyedContext<'_, String>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        self.last.update(context, n)?;
        self.recent.update(context, format!("{n} of {key}"))?;
        self.all.add(context, n)?;
        self.recent_all.add(context, n)?;
        *self.by_digit.get_or_insert_with(context, n % 10, || 0)? += 1;
        self.recent_by_digit.put(context, format!("digit {}", n % 10), n)?;
        self.sum.add(context, n)?;
        self.mean.add(context, n)?;
        if n % 7 == 0 {
            self.by_digit.remove(context, &(n % 10))?;
            self.all.clear(context)?;
        }
        context.register_event_time_timer(1000 * (1 + n / 50));
        context.register_processing_time_timer(40 * (1 + n / 60));
        out.collect(self.told(&key, context)?);
        Ok(())
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, String>,
        out: &mut Collector<'_, String>,
    ) -> FnResult {
        let what = format!("{:?} timer of {} at {time}", context.time_domain(), context.current_key());
        if context.time_domain() == TimeDomain::EventTime {
            self.sum.clear(context)?;
        }
        out.collect(self.told(&what, context)?);
        Ok(())
    }
}

fn harness(backend: &'static str) -> OneInputHarness<(String, i64), String> {
    let everything = |records: DataStream<(String, i64)>| {
        records.key_by(|(key, _)| key.clone()).process(Everything::default())
    };
    OneInputHarness::new(everything).with_options(HarnessOptions::default().state_backend(backend))
}

/// Does so many steps of the story.
fn tell(harness: &mut OneInputHarness<(String, i64), String>, steps: std::ops::Range<i64>) {
    for step in steps {
        harness.process((format!("key {}", step * 31 % 40), step), step * 20).unwrap();
        if step % 11 == 0 {
            harness.set_processing_time(step).unwrap();
        }
        if step % 40 == 0 {
            harness.watermark(step * 20 - 100).unwrap();
        }
    }
}

fn sorted(mut told: Vec<String>) -> Vec<String> {
    told.sort();
    told
}

#[test]
fn s104_the_same_program_tells_the_same_on_each_backend() {
    let [in_memory, on_disk] = ["hashmap", ON_DISK].map(|backend| {
        let mut harness = harness(backend);
        tell(&mut harness, 0..300);
        harness.finish().unwrap();
        harness.take_records()
    });
    assert!(in_memory.len() > 300);
    assert_eq!(in_memory, on_disk);
}

#[test]
fn s105_each_backend_goes_on_from_the_snapshots_of_the_other() {
    let expected = {
        let mut harness = harness("hashmap");
        tell(&mut harness, 0..300);
        sorted(harness.take_records())
    };
    for [first, second] in [["hashmap", ON_DISK], [ON_DISK, "hashmap"]] {
        for parallelism in [1, 3] {
            let mut before = harness(first);
            tell(&mut before, 0..150);
            let snapshot: HarnessSnapshot = before.snapshot().unwrap();
            let mut told = before.take_records();
            let mut after = harness(second);
            after.set_processing_time(before.processing_time()).unwrap();
            after.restore(&snapshot, parallelism).unwrap();
            tell(&mut after, 150..300);
            told.extend(after.take_records());
            assert_eq!(sorted(told), expected, "from {first} to {second} at parallelism {parallelism}");
        }
    }
}

#[test]
fn s107_the_backend_of_the_program_wins_over_that_of_the_configuration() {
    let options = [("hashmap", ON_DISK), (ON_DISK, "hashmap")];
    for (of_program, of_configuration) in options {
        let mut configuration = flott_core::config::Configuration::new();
        configuration.set_dynamic(&format!("state.backend={of_configuration}")).unwrap();
        let env = StreamExecutionEnvironment::with_configuration(configuration);
        env.set_quiet(true).set_state_backend(of_program);
        // Only one of the two is known to the environment, unless RocksDB is built in.
        let sums = env.from_elements([1, 2, 3]).key_by(|n| *n).sum(|n| n).execute_and_collect();
        let is_known = of_program == "hashmap" || cfg!(feature = "rocksdb");
        assert_eq!(sums.is_ok(), is_known, "{sums:?}");
    }
}

#[cfg(not(feature = "rocksdb"))]
#[test]
fn a_backend_that_is_not_built_in_is_not_known() {
    let env = StreamExecutionEnvironment::new();
    env.set_quiet(true).set_state_backend("rocksdb");
    let refused = env.from_elements([1]).execute_and_collect().unwrap_err().to_string();
    assert_eq!(
        refused,
        "this program was built without the state backend 'rocksdb'; give its dependency on flott the feature 'rocksdb'"
    );
}
