//! Barriers that overtake records: checkpoints of jobs under back-pressure, and what is restored from them.

use flott::prelude::*;
use flott_core::config::{CheckpointRetention, keys};
use flott_core::hash::key_hash;
use flott_core::key_group::{key_place, subtask_of_group};
use flott_runtime::job::CheckpointFigures;
use flott_state::storage::latest_checkpoint;

use crate::support::{Bomb, Ledger, Table, in_virtual_time, memory, numbers_of, pause};

/// A key, a number, and so much else that few records fill a channel.
type Fat = (String, i64, String);

type Pair = (String, i64);

const PADDING: usize = 4_000;

fn fat(env: &StreamExecutionEnvironment, name: &str, count: u64, keys: i64) -> DataStream<Fat> {
    let source = GeneratorSource::new(count, |n| n as i64).with_rate(400.0);
    let times = WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|n: &i64, _| n * 5);
    let numbers = env.from_source(source, times, name).uid(name);
    numbers.map(move |n| (format!("key {}", n % keys), n, "-".repeat(PADDING))).uid(format!("{name} map"))
}

/// Takes a while for each record, so that records wait before it.
fn slowly(stream: &DataStream<Fat>, ms: u64, bomb: &Bomb) -> DataStream<Pair> {
    let bomb = bomb.clone();
    stream.map(move |(key, n, _)| {
        pause(Duration::from_millis(ms));
        bomb.tick();
        (key, n)
    })
}

/// Adds up by key what comes on two streams, the second of which weighs more.
#[derive(Clone, Default)]
struct Both {
    sum: ValueState<i64>,
    pause_ms: u64,
}

impl Both {
    fn add(&self, context: &mut KeyedContext<'_, String>, n: i64, out: &mut Collector<'_, Pair>) -> FnResult {
        pause(Duration::from_millis(self.pause_ms));
        let sum = self.sum.get(context)?.copied().unwrap_or(0) + n;
        self.sum.update(context, sum)?;
        out.collect((format!("both {}", context.current_key()), sum));
        Ok(())
    }
}

impl KeyedCoProcessFunction<String, Fat, Pair, Pair> for Both {
    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        self.sum = context.value_state(ValueStateDescriptor::new("sum"))?;
        Ok(())
    }

    fn process_element1(
        &mut self,
        (_, n, _): Fat,
        context: &mut KeyedContext<'_, String>,
        out: &mut Collector<'_, Pair>,
    ) -> FnResult {
        self.add(context, n, out)
    }

    fn process_element2(
        &mut self,
        (_, n): Pair,
        context: &mut KeyedContext<'_, String>,
        out: &mut Collector<'_, Pair>,
    ) -> FnResult {
        self.add(context, 1_000_000 * n, out)
    }
}

/// Two streams that are spread, joined in windows and connected, with slow operators behind each exchange.
fn program(env: &StreamExecutionEnvironment, bomb: &Bomb, slow_ms: u64) -> (Ledger, Table) {
    let (ledger, table) = (Ledger::default(), Table::default());
    build(env, bomb, slow_ms, &ledger, &table);
    (ledger, table)
}

fn build(env: &StreamExecutionEnvironment, bomb: &Bomb, slow_ms: u64, ledger: &Ledger, table: &Table) {
    let (first, second) = (fat(env, "First", 200, 7), fat(env, "Second", 200, 5));
    let spread = slowly(&first.rebalance(), slow_ms, bomb).uid("spread");
    let shuffled = slowly(&second.shuffle(), slow_ms, bomb).uid("shuffled");
    spread
        .union(&shuffled)
        .key_by_ref(|(key, _)| key)
        .window(TumblingEventTimeWindows::of(Duration::from_millis(250)))
        .reduce(move |sum, next| {
            pause(Duration::from_millis(slow_ms));
            (next.0, sum.1 + next.1)
        })
        .uid("windows")
        .sink_to(ledger.clone())
        .uid("ledger");
    let first = first.key_by(|(key, ..)| key.clone());
    let both = first.connect(&shuffled.key_by(|(key, _)| key.clone()));
    both.process(Both { pause_ms: slow_ms, ..Both::default() })
        .uid("both")
        .sink_to(table.clone())
        .uid("table");
}

/// How the checkpoints of a run are taken.
#[derive(Clone, Copy, Debug)]
struct Checkpoints {
    interval_ms: u64,
    /// `None`: aligned ones.
    unaligned_after_ms: Option<u64>,
}

fn env(parallelism: u32, checkpoints: Checkpoints) -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_quiet(true)
        .set_parallelism(parallelism)
        .set_auto_watermark_interval(Duration::from_millis(20))
        .enable_checkpointing(Duration::from_millis(checkpoints.interval_ms))
        .set(&keys::EXPONENTIAL_DELAY_INITIAL_BACKOFF, Duration::from_millis(10));
    if let Some(ms) = checkpoints.unaligned_after_ms {
        env.enable_unaligned_checkpoints().set_aligned_checkpoint_timeout(Duration::from_millis(ms));
    }
    env
}

/// What a run without failures, and without anything slow, has said.
fn expected() -> (Vec<Pair>, Vec<Pair>) {
    let env = env(1, Checkpoints { interval_ms: 1_000, unaligned_after_ms: None });
    let (ledger, table) = program(&env, &Bomb::at([]), 0);
    in_virtual_time(1, || env.execute()).unwrap();
    (sorted(ledger.rows()), table.rows().into_iter().collect())
}

fn sorted(mut rows: Vec<Pair>) -> Vec<Pair> {
    rows.sort();
    rows
}

#[test]
fn whatever_fails_under_back_pressure_each_record_counts_once() {
    let expected = expected();
    let (mut restarts, mut overtaken) = (0, 0);
    for seed in 0..16 {
        let mut number = numbers_of(seed);
        let parallelism = 1 + number(3) as u32;
        let bombs: Vec<_> = (0..1 + number(3)).map(|_| 1 + number(500) as i64).collect();
        let timeout = [0, 0, 5, 60][number(4) as usize];
        let checkpoints = Checkpoints { interval_ms: 20 + number(150), unaligned_after_ms: Some(timeout) };
        let env = env(parallelism, checkpoints);
        let (ledger, table) = program(&env, &Bomb::at(bombs.clone()), 1 + number(8));
        let statistics = in_virtual_time(seed, || {
            let handle = env.execute_async().unwrap();
            handle.wait().unwrap();
            restarts += handle.restarts();
            handle.checkpoints()
        });
        overtaken += statistics.latest.iter().filter(|figures| figures.persisted_bytes() > 0).count();
        let rows = (sorted(ledger.rows()), table.rows().into_iter().collect::<Vec<_>>());
        assert_eq!(
            rows, expected,
            "seed {seed}, parallelism {parallelism}, {checkpoints:?}, bombs {bombs:?}"
        );
    }
    assert!(restarts > 16, "only {restarts} failures");
    assert!(overtaken > 30, "only {overtaken} checkpoints have overtaken anything");
}

#[test]
fn v3_5_what_was_in_flight_is_restored_at_other_parallelisms_and_each_record_counts_once() {
    let expected = expected();
    let (mut unaligned, mut rescaled) = (0, 0);
    for seed in 0..16 {
        let mut number = numbers_of(100 + seed);
        let timeout = [0, 0, 20][number(3) as usize];
        let checkpoints = Checkpoints { interval_ms: 30 + number(100), unaligned_after_ms: Some(timeout) };
        let directory = memory(&format!("unaligned-{seed}"));
        let (ledger, table, slow_ms) = (Ledger::default(), Table::default(), 2 + number(8));
        let mut story = Vec::new();
        for part in 0.. {
            let parallelism = 1 + number(4) as u32;
            let bombs: Vec<_> = (0..number(2)).map(|_| 1 + number(300) as i64).collect();
            let run_ms = 100 + number(500);
            story.push((parallelism, bombs.clone(), run_ms));
            let env = env(parallelism, checkpoints);
            env.set_max_parallelism(32)
                .set(&keys::INCREMENTAL_CHECKPOINTS, seed % 2 == 1)
                .set(&keys::CHECKPOINT_DIRECTORY, directory.clone())
                .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation)
                .set(&keys::RESTORE_PATH, "latest".to_owned());
            build(&env, &Bomb::at(bombs), slow_ms, &ledger, &table);
            let ended = in_virtual_time(seed * 10 + part, || {
                let handle = env.execute_async().unwrap();
                if part < 4 && handle.wait_for(Duration::from_millis(run_ms)).is_none() {
                    handle.cancel();
                    let _ = handle.wait();
                    return false;
                }
                handle.wait().unwrap();
                true
            });
            if ended {
                break;
            }
            if let Some(latest) = latest_checkpoint(&directory).unwrap().checkpoint {
                unaligned += u32::from(!latest.metadata.aligned);
                rescaled += 1;
            }
        }
        let rows = (sorted(ledger.rows()), table.rows().into_iter().collect::<Vec<_>>());
        assert_eq!(rows, expected, "seed {seed}, {checkpoints:?}, slow {slow_ms}, {story:?}");
    }
    assert!(rescaled > 32 && unaligned > 20, "{unaligned} unaligned of {rescaled}");
}

/// The checkpoints, one in two seconds, of the first 20 seconds of a job whose slow operator takes a fiftieth of a second for each
/// of 3,000 records, which makes a minute.
fn behind_a_slow_operator(unaligned_after_ms: Option<u64>) -> (u64, Vec<CheckpointFigures>) {
    let checkpoints = Checkpoints { interval_ms: 2_000, unaligned_after_ms };
    let env = env(2, checkpoints);
    let (table, source) = (Table::default(), GeneratorSource::new(6_000, |n| n as i64));
    let numbers = env.from_source(source, WatermarkStrategy::no_watermarks(), "Numbers");
    let fat = numbers.map(|n| (format!("key {}", n % 100), n, "-".repeat(PADDING)));
    let sums = fat.key_by(|(key, ..)| key.clone()).reduce(|sum, next| (next.0, sum.1 + next.1, next.2));
    slowly(&sums.rebalance(), 20, &Bomb::at([])).sink_to(table);
    in_virtual_time(5, || {
        let handle = env.execute_async().unwrap();
        let ended = handle.wait_for(Duration::from_secs(20));
        assert!(ended.is_none());
        let statistics = handle.checkpoints();
        handle.cancel();
        let _ = handle.wait();
        (statistics.triggered, statistics.latest.into_iter().collect())
    })
}

#[test]
fn with_a_slow_operator_unaligned_checkpoints_complete_within_a_second() {
    let (triggered, figures) = behind_a_slow_operator(Some(0));
    assert!(triggered >= 9 && figures.len() >= 9, "{triggered} triggered, {} complete", figures.len());
    for figures in figures {
        assert!(figures.duration_ms < 1_000, "{figures:?}");
        assert!(figures.persisted_bytes() > 100_000, "{figures:?}");
    }
    let (_, figures) = behind_a_slow_operator(None);
    let quick = figures.iter().filter(|figures| figures.duration_ms < 1_000).count();
    assert!(quick <= 1, "aligned ones wait for the records: {figures:?}");
}

#[test]
fn v8_7_9_a_checkpoint_that_is_not_aligned_in_time_is_unaligned_from_then_on() {
    let (triggered, figures) = behind_a_slow_operator(Some(300));
    assert!(triggered >= 9 && figures.len() >= 9, "{triggered} triggered, {} complete", figures.len());
    // The first comes before the channels are full.
    for figures in &figures[1..] {
        assert!((301..1_300).contains(&figures.duration_ms), "{figures:?}");
        assert!(figures.persisted_bytes() > 100_000, "{figures:?}");
    }
}

#[test]
fn v8_7_9_a_checkpoint_that_is_aligned_in_time_holds_nothing_that_is_in_flight() {
    let directory = memory("in-time");
    let env = env(2, Checkpoints { interval_ms: 100, unaligned_after_ms: Some(5_000) });
    env.set(&keys::CHECKPOINT_DIRECTORY, directory.clone())
        .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation);
    program(&env, &Bomb::at([]), 1);
    let figures = in_virtual_time(3, || {
        let handle = env.execute_async().unwrap();
        assert!(handle.wait_for(Duration::from_millis(450)).is_none());
        let figures = handle.checkpoints().latest;
        handle.cancel();
        let _ = handle.wait();
        figures
    });
    assert!(
        figures.len() >= 3 && figures.iter().all(|figures| figures.persisted_bytes() == 0),
        "{figures:?}"
    );
    assert!(latest_checkpoint(&directory).unwrap().checkpoint.unwrap().metadata.aligned);
}

/// A key of each of two subtasks.
fn two_keys() -> [String; 2] {
    let subtask = |key: &String| {
        let group = key_place(key_hash(key).unwrap(), MAX_PARALLELISM).group;
        subtask_of_group(group, MAX_PARALLELISM, 2)
    };
    [0, 1].map(|wanted| (0..).map(|n| format!("key {n}")).find(|key| subtask(key) == wanted).unwrap())
}

const MAX_PARALLELISM: u32 = 32;

type Windowed = fn(&KeyedStream<String, Pair>, u64, String) -> DataStream<Pair>;

/// Adds up; what has the slow key takes long.
fn add(slow_ms: u64, slow: String) -> impl Fn(&Pair, Pair) -> Pair + Clone + Send + 'static {
    move |sum, next| {
        if next.0 == slow {
            pause(Duration::from_millis(slow_ms));
        }
        (next.0, sum.1 + next.1)
    }
}

const WINDOWS: [(&str, Windowed); 4] = [
    ("tumbling", |keyed, slow_ms, slow| {
        let windows = TumblingEventTimeWindows::of(Duration::from_millis(100));
        keyed.window(windows).reduce(add(slow_ms, slow))
    }),
    ("with lateness", |keyed, slow_ms, slow| {
        let windows = keyed.window(TumblingEventTimeWindows::of(Duration::from_millis(100)));
        windows.allowed_lateness(Duration::from_secs(5)).reduce(add(slow_ms, slow))
    }),
    ("sliding", |keyed, slow_ms, slow| {
        let (size, slide) = (Duration::from_millis(200), Duration::from_millis(50));
        keyed.window(SlidingEventTimeWindows::of(size, slide)).reduce(add(slow_ms, slow))
    }),
    ("sessions", |keyed, slow_ms, slow| {
        let windows = EventTimeSessionWindows::with_gap(Duration::from_millis(35));
        keyed.window(windows).reduce(add(slow_ms, slow))
    }),
];

/// Two keys in windows, each in a subtask of its own, of which one falls behind.
fn windows_of_two_keys(env: &StreamExecutionEnvironment, windowed: Windowed, slow_ms: u64, ledger: &Ledger) {
    let [fast, slow] = two_keys();
    // Event time makes a jump after every twenty records, so that there are sessions.
    let at = |n: &i64| n * 5 + n / 20 * 50;
    let times =
        WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(move |n: &i64, _| at(n));
    let source = GeneratorSource::new(400, |n| n as i64).with_rate(400.0);
    let (keys, slow_key) = ([fast, slow.clone()], slow);
    let pairs = env.from_source(source, times, "Numbers").set_parallelism(1).uid("numbers");
    let pairs = pairs.map(move |n| (keys[n as usize % 2].clone(), n)).set_parallelism(1);
    let keyed = pairs.key_by_ref(|(key, _)| key);
    windowed(&keyed, slow_ms, slow_key).uid("windows").sink_to(ledger.clone()).uid("ledger");
}

#[test]
fn windows_that_are_restored_know_what_each_key_group_has_fired() {
    for (name, windowed) in WINDOWS {
        let directory = memory(&format!("windows-{}", name.replace(' ', "-")));
        let checkpoints = Checkpoints { interval_ms: 50, unaligned_after_ms: Some(0) };
        let (ledger, expected) = (Ledger::default(), Ledger::default());
        let plain = env(1, Checkpoints { unaligned_after_ms: None, ..checkpoints });
        windows_of_two_keys(&plain, windowed, 0, &expected);
        in_virtual_time(1, || plain.execute()).unwrap();
        for (part, parallelism) in (0..).zip([2, 1, 2, 1]) {
            let env = env(parallelism, checkpoints);
            env.set_max_parallelism(MAX_PARALLELISM)
                .set(&keys::CHECKPOINT_DIRECTORY, directory.clone())
                .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation)
                .set(&keys::RESTORE_PATH, "latest".to_owned());
            windows_of_two_keys(&env, windowed, 20, &ledger);
            in_virtual_time(part, || {
                let handle = env.execute_async().unwrap();
                if part < 3 {
                    assert!(handle.wait_for(Duration::from_millis(400)).is_none(), "{name}, part {part}");
                    handle.cancel();
                    let _ = handle.wait();
                    let latest = latest_checkpoint(&directory).unwrap().checkpoint.unwrap();
                    assert!(part > 0 || !latest.metadata.aligned, "{name}: nothing was in flight");
                } else {
                    let result = handle.wait().unwrap();
                    assert_eq!(result.late_records_dropped(), 0, "{name}");
                }
            });
        }
        assert_eq!(sorted(ledger.rows()), sorted(expected.rows()), "{name}");
    }
}

/// Tells each number, and each rule in each subtask.
#[derive(Clone, Default)]
struct Rules {
    known: BroadcastState<i64, i64>,
    subtask: u32,
}

impl BroadcastProcessFunction<Fat, i64, Pair> for Rules {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.known = context.broadcast_state(MapStateDescriptor::new("rules"))?;
        Ok(())
    }

    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.subtask = context.index_of_this_subtask();
        Ok(())
    }

    fn process_element(
        &mut self,
        (_, n, _): Fat,
        _: &mut ReadOnlyContext<'_>,
        out: &mut Collector<'_, Pair>,
    ) -> FnResult {
        pause(Duration::from_millis(5));
        out.collect(("number".to_owned(), n));
        Ok(())
    }

    fn process_broadcast_element(
        &mut self,
        rule: i64,
        context: &mut ProcessContext,
        out: &mut Collector<'_, Pair>,
    ) -> FnResult {
        self.known.put(context, rule, 1)?;
        out.collect((format!("rules of {}", self.subtask), rule));
        Ok(())
    }
}

#[test]
fn v3_2_what_is_broadcast_is_not_overtaken_and_comes_once_to_each_subtask() {
    for seed in 0..4 {
        let mut number = numbers_of(seed);
        let bombs: Vec<_> = (0..2).map(|_| 1 + number(150) as i64).collect();
        let env = env(2, Checkpoints { interval_ms: 30, unaligned_after_ms: Some(0) });
        let (ledger, bomb) = (Ledger::default(), Bomb::at(bombs));
        let source = GeneratorSource::new(60, |n| n as i64).with_rate(100.0);
        let rules = env.from_source(source, WatermarkStrategy::no_watermarks(), "Rules");
        let rules = rules.broadcast_with_state(MapStateDescriptor::<i64, i64>::new("rules"));
        let numbers = fat(&env, "Numbers", 200, 7).map(move |fat| {
            bomb.tick();
            fat
        });
        numbers.rebalance().connect_broadcast(&rules).process(Rules::default()).sink_to(ledger.clone());
        let restarts = in_virtual_time(seed, || {
            let handle = env.execute_async().unwrap();
            handle.wait().unwrap();
            handle.restarts()
        });
        assert!(restarts > 0, "seed {seed}");
        let rules = (0..2).flat_map(|subtask| (0..60).map(move |rule| (format!("rules of {subtask}"), rule)));
        let expected = rules.chain((0..200).map(|n| ("number".to_owned(), n))).collect();
        assert_eq!(sorted(ledger.rows()), sorted(expected), "seed {seed}");
    }
}
