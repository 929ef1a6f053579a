//! Programs with everything in them, that fail at random moments: the output is that of a run without failures.

use flott::prelude::*;
use flott_core::config::keys;

use crate::support::{Bomb, Ledger, Table, in_virtual_time, memory, numbers_of};

pub(crate) type Pair = (String, i64);

/// Adds up by key and tenth of a second what comes on two streams, the second of which weighs more, and tells it by a timer.
#[derive(Clone, Default)]
struct TenthsOfSeconds {
    sums: MapState<i64, i64>,
}

impl TenthsOfSeconds {
    fn add(&self, context: &mut KeyedContext<'_, String>, n: i64) -> FnResult {
        let end = context.timestamp().unwrap_or(0) / 100 * 100 + 99;
        let sum = self.sums.get(context, &end)?.copied().unwrap_or(0) + n;
        self.sums.put(context, end, sum)?;
        context.register_event_time_timer(end);
        Ok(())
    }
}

impl KeyedCoProcessFunction<String, Pair, Pair, Pair> for TenthsOfSeconds {
    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        self.sums = context.map_state(MapStateDescriptor::new("sums"))?;
        Ok(())
    }

    fn process_element1(
        &mut self,
        (_, n): Pair,
        context: &mut KeyedContext<'_, String>,
        _: &mut Collector<'_, Pair>,
    ) -> FnResult {
        self.add(context, n)
    }

    fn process_element2(
        &mut self,
        (_, n): Pair,
        context: &mut KeyedContext<'_, String>,
        _: &mut Collector<'_, Pair>,
    ) -> FnResult {
        self.add(context, 1_000_000 * n)
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, String>,
        out: &mut Collector<'_, Pair>,
    ) -> FnResult {
        let sum = self.sums.get(context, &time)?.copied().unwrap_or(-1);
        self.sums.remove(context, &time)?;
        out.collect((format!("{} until {time}", context.current_key()), sum));
        Ok(())
    }
}

/// A stream of 300 records in one and a half seconds, by the clock and in event time.
fn stream(env: &StreamExecutionEnvironment, name: &str, keys: i64, bomb: Bomb) -> DataStream<Pair> {
    let source = GeneratorSource::new(300, |n| n as i64).with_rate(200.0);
    let times = WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|n: &i64, _| n * 5);
    env.from_source(source, times, name).map(move |n| {
        bomb.tick();
        (format!("key {}", n % keys), n)
    })
}

/// Rolling sums, windows, timers, two streams as one and two that are connected.
pub(crate) fn program(env: &StreamExecutionEnvironment, bomb: &Bomb, ledger: &Ledger, table: &Table) {
    let (first, second) = (stream(env, "First", 7, bomb.clone()), stream(env, "Second", 5, bomb.clone()));
    first
        .union(&second)
        .key_by_ref(|(key, _)| key)
        .window(TumblingEventTimeWindows::of(Duration::from_millis(250)))
        .reduce(|sum, next| (next.0, sum.1 + next.1))
        .sink_to(ledger.clone());
    let (first, second) = (first.key_by(|(key, _)| key.clone()), second.key_by(|(key, _)| key.clone()));
    first.connect(&second).process(TenthsOfSeconds::default()).sink_to(ledger.clone());
    second.key_by_ref(|(key, _)| key).sum(|(_, n)| n).sink_to(table.clone());
}

/// The output, sorted, and how often the job was started again.
fn run(seed: u64, parallelism: u32, interval_ms: u64, incremental: bool, bomb: &Bomb) -> (Vec<Pair>, u32) {
    let env = flott::testing::environment();
    env.set_quiet(true)
        .set_parallelism(parallelism)
        .set_auto_watermark_interval(Duration::from_millis(20))
        .enable_checkpointing(Duration::from_millis(interval_ms))
        .set(&keys::EXPONENTIAL_DELAY_INITIAL_BACKOFF, Duration::from_millis(10));
    if incremental {
        env.set(&keys::INCREMENTAL_CHECKPOINTS, true)
            .set(&keys::CHECKPOINT_DIRECTORY, memory(&format!("random {seed}")));
    }
    let (ledger, table) = (Ledger::default(), Table::default());
    program(&env, bomb, &ledger, &table);
    let restarts = in_virtual_time(seed, || {
        let handle = env.execute_async().unwrap();
        handle.wait().unwrap();
        handle.restarts()
    });
    let mut rows = ledger.rows();
    rows.extend(table.rows());
    rows.sort();
    (rows, restarts)
}

#[test]
fn whatever_fails_when_the_output_is_that_of_a_run_without_failures() {
    let mut total = 0;
    for seed in 0..24 {
        let mut number = numbers_of(seed);
        let parallelism = 1 + number(2) as u32;
        let bombs: Vec<_> = (0..1 + number(4)).map(|_| 1 + number(700) as i64).collect();
        let interval_ms = 10 + number(200);
        let incremental = number(2) == 0;
        let (rows, restarts) = run(seed, parallelism, interval_ms, incremental, &Bomb::at(bombs.clone()));
        let (expected, _) = run(seed, 1, 1_000, false, &Bomb::at([]));
        assert_eq!(rows, expected, "seed {seed}, parallelism {parallelism}, bombs {bombs:?}");
        total += restarts;
    }
    assert!(total > 24, "only {total} failures");
}
