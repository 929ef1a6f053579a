//! Failover by region: what fails starts again, and what does not exchange records with it goes on undisturbed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott_core::config::{FailoverStrategy, RestartStrategyKind, keys};
use flott_runtime::job::{JobHandle, JobStatus};

use crate::support::{
    Bomb, Chunks, Ledger, Log, Table, digit_sums, env, expected_sums, go_on, in_virtual_time, numbers,
};

/// Counts how often its subtasks are opened and closed, and which attempt each says it is.
#[derive(Clone, Default)]
struct Witness {
    lives: Arc<Mutex<Vec<(u32, u32)>>>,
    closed: Arc<Mutex<u32>>,
}

impl Witness {
    /// Subtask and attempt at each opening.
    fn lives(&self) -> Vec<(u32, u32)> {
        self.lives.lock().unwrap().clone()
    }

    fn closed(&self) -> u32 {
        *self.closed.lock().unwrap()
    }
}

impl MapFunction<i64, i64> for Witness {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.lives.lock().unwrap().push((context.index_of_this_subtask(), context.attempt_number()));
        Ok(())
    }

    fn map(&mut self, n: i64) -> FnResult<i64> {
        Ok(n)
    }

    fn close(&mut self) -> FnResult {
        *self.closed.lock().unwrap() += 1;
        Ok(())
    }
}

fn pairs(numbers: &DataStream<i64>) -> DataStream<(String, i64)> {
    numbers.map(|n| ("n".to_owned(), n))
}

fn sorted(ledger: &Ledger) -> Vec<i64> {
    let mut numbers: Vec<i64> = ledger.rows().into_iter().map(|(_, n)| n).collect();
    numbers.sort_unstable();
    numbers
}

/// Runs a program to its good end.
fn finish(seed: u64, env: &StreamExecutionEnvironment) -> JobHandle {
    in_virtual_time(seed, || {
        let handle = env.execute_async().unwrap();
        handle.wait().unwrap();
        handle
    })
}

fn records_in(handle: &JobHandle, vertex: &str) -> u64 {
    let mut vertices = handle.vertices().iter().filter(|metrics| metrics.name.contains(vertex));
    vertices.next().unwrap().snapshot().records_in
}

#[test]
fn of_two_pipelines_that_never_meet_the_one_that_does_not_fail_is_not_disturbed() {
    for (seed, parallelism) in [(1, 1), (2, 2), (3, 3)] {
        let env = env(parallelism);
        let (calm, shown, sums) = (Witness::default(), Log::default(), Table::default());
        digit_sums(&numbers(&env).map_with(calm.clone())).sink_to(shown.clone());
        let (fragile, bomb) = (Witness::default(), Bomb::at([137, 600, 950]));
        let second = GeneratorSource::new(1_000, |n| n as i64).with_rate(100.0);
        let second = env.from_source(second, WatermarkStrategy::no_watermarks(), "Second");
        let second = second.map_with(fragile.clone()).map(move |n| {
            bomb.tick();
            (format!("digit {}", n % 10), n)
        });
        let second = second.key_by_ref(|(digit, _)| digit).reduce(|sum, next| (next.0, sum.1 + next.1));
        second.sink_to(sums.clone());
        let handle = finish(seed, &env);
        assert_eq!(handle.restarts(), 3);
        // Each subtask was opened and closed once, and each record was processed and shown once.
        let mut lives = calm.lives();
        lives.sort_unstable();
        assert_eq!(lives, (0..parallelism).map(|subtask| (subtask, 0)).collect::<Vec<_>>());
        assert_eq!(calm.closed(), parallelism);
        assert_eq!(shown.records().len(), 1_000);
        assert_eq!(
            shown.records().into_iter().collect::<BTreeMap<_, _>>(),
            expected_sums().into_iter().collect()
        );
        // Its figures go on, those of the other began anew.
        assert_eq!(records_in(&handle, "Numbers"), 1_000);
        assert!(records_in(&handle, "Second") < 1_000);
        // All subtasks of the other were there four times.
        let mut lives = fragile.lives();
        lives.sort_unstable();
        let expected = (0..parallelism).flat_map(|subtask| (0..4).map(move |attempt| (subtask, attempt)));
        assert_eq!(lives, expected.collect::<Vec<_>>());
        assert_eq!(sums.rows().into_iter().collect::<Vec<_>>(), expected_sums());
    }
}

#[test]
fn v3_8_with_the_strategy_full_all_tasks_start_again() {
    let env = env(2);
    env.set(&keys::FAILOVER_STRATEGY, FailoverStrategy::Full);
    let (calm, bomb, sums) = (Witness::default(), Bomb::at([500]), Table::default());
    digit_sums(&numbers(&env).map_with(calm.clone())).sink_to(sums.clone());
    Chunks { count: 100, pushed: false }.read(&env).map(move |_| bomb.tick()).sink_to(Log::default());
    assert_eq!(finish(1, &env).restarts(), 1);
    assert_eq!(calm.lives().len(), 4);
    assert_eq!(sums.rows().into_iter().collect::<Vec<_>>(), expected_sums());
}

/// Slices of a job that exchange nothing: a failure takes one of them down, before or behind the first checkpoint.
fn slices(seed: u64, pushed: bool, first_failure: i64) {
    let env = env(3);
    let (witness, ledger) = (Witness::default(), Ledger::default());
    let bomb = Bomb::at([first_failure, first_failure + 200, first_failure + 203]);
    let read = Chunks { count: 60, pushed }.read(&env).map_with(witness.clone()).map(move |n| {
        bomb.tick();
        n
    });
    pairs(&read).sink_to(ledger.clone());
    let restarts = finish(seed, &env).restarts();
    assert_eq!(restarts, 3, "seed {seed}");
    assert_eq!(sorted(&ledger), (0..600).collect::<Vec<_>>(), "seed {seed}, failure {first_failure}");
    assert_eq!(witness.lives().len(), 6, "three slices, and three that started again: seed {seed}");
}

#[test]
fn a_slice_of_a_job_without_exchanges_starts_again_alone_and_its_splits_are_read_once() {
    for seed in 0..20 {
        slices(seed, false, 100 + 11 * seed as i64);
        slices(seed, true, 100 + 11 * seed as i64);
    }
}

#[test]
fn before_the_first_checkpoint_a_slice_gives_all_its_splits_back() {
    for seed in 0..5 {
        slices(seed, false, 3);
        slices(seed, true, 3);
    }
}

#[test]
fn failures_of_all_regions_count_together() {
    let env = env(3);
    env.set(&keys::RESTART_STRATEGY, RestartStrategyKind::FixedDelay).set(&keys::FIXED_DELAY_ATTEMPTS, 2);
    env.set(&keys::FIXED_DELAY_DELAY, Duration::from_millis(10));
    let fails = |n: i64| assert!(n % 200 != 100, "number {n} is bad");
    Chunks { count: 60, pushed: true }.read(&env).map(fails).sink_to(Log::default());
    let (error, restarts) = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        (handle.wait().unwrap_err().to_string(), handle.restarts())
    });
    assert!(error.contains("is bad"), "{error}");
    assert_eq!(restarts, 2);
}

#[test]
fn while_a_region_waits_to_start_again_the_job_is_restarting_takes_no_checkpoint_and_can_be_cancelled() {
    let env = env(2);
    env.set(&keys::EXPONENTIAL_DELAY_INITIAL_BACKOFF, Duration::from_secs(60));
    env.set(&keys::EXPONENTIAL_DELAY_MAX_BACKOFF, Duration::from_secs(60));
    let (calm, bomb) = (Log::default(), Bomb::at([50]));
    numbers(&env).sink_to(calm.clone());
    Chunks { count: 100, pushed: false }.read(&env).map(move |_| bomb.tick()).sink_to(Log::default());
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 1_000);
        assert_eq!(handle.status(), JobStatus::Restarting);
        let (before, completed) = (calm.records().len(), handle.checkpoints().completed);
        let error = handle.trigger_checkpoint().unwrap_err().to_string();
        assert!(error.ends_with("not all tasks of the job run"), "{error}");
        go_on(&handle, 1_000);
        let more = calm.records().len() - before;
        assert!((98..=102).contains(&more), "the other pipeline goes on: {more} records in a second");
        assert_eq!(handle.checkpoints().completed, completed);
        handle.cancel();
        handle.wait().unwrap_err();
        assert_eq!(handle.status(), JobStatus::Canceled);
    });
}

#[test]
fn whatever_fails_in_whichever_region_the_output_is_that_of_a_run_without_failures() {
    let mut total = 0;
    for seed in 0..30u64 {
        let parallelism = 2 + seed as u32 % 2;
        let env = env(parallelism);
        env.set(&keys::EXPONENTIAL_DELAY_INITIAL_BACKOFF, Duration::from_millis(1 + 37 * (seed % 7)))
            .enable_checkpointing(Duration::from_millis(20 + 31 * (seed % 5)));
        let (ledger, table, other) = (Ledger::default(), Table::default(), Ledger::default());
        // Several of them may go off at once, in one region or in two.
        let moments = |from: i64| (0..4).map(move |n| from + 97 * n + (seed as i64 * 61) % 89);
        let [first, second, third] = [40, 45, 300].map(|from| Bomb::at(moments(from)));
        let slices = Chunks { count: 60, pushed: seed % 2 == 0 }.read(&env).map(move |n| {
            first.tick();
            n
        });
        pairs(&slices).sink_to(ledger.clone());
        digit_sums(&numbers(&env).map(move |n| {
            second.tick();
            n
        }))
        .sink_to(table.clone());
        let forth = Chunks { count: 30, pushed: false }.read(&env);
        let keyed = pairs(&forth).map(move |(_, n)| {
            third.tick();
            (format!("{}", n % 3), n)
        });
        keyed
            .key_by_ref(|(key, _)| key)
            .sum(|(_, n)| n)
            .map(|(_, n)| ("sum".to_owned(), n))
            .sink_to(other.clone());
        total += finish(seed, &env).restarts();
        assert_eq!(sorted(&ledger), (0..600).collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums(), "seed {seed}");
        let sums = sorted(&other);
        assert_eq!(sums.len(), 300, "seed {seed}");
        // The last sum of each key.
        let of_key = |key: i64| (0..300).filter(|n| n % 3 == key).sum::<i64>();
        assert!((0..3).all(|key| sums.contains(&of_key(key))), "seed {seed}");
    }
    assert!(total > 200, "only {total} failures");
}
