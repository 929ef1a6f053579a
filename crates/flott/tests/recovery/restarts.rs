//! A failure, and what is as if it had not been.

use flott::prelude::*;
use flott::testing::VirtualTime;

use crate::support::{Bomb, Table, env};

/// Counts numbers by their last digit, a thousand of them in ten seconds, and fails where the bomb says.
fn digits(seed: u64, bomb: Bomb, parallelism: u32) -> (Table, Result<JobResult, flott::Error>, u32) {
    let env = env(parallelism);
    let numbers = GeneratorSource::new(1_000, |n| n as i64).with_rate(100.0);
    let numbers = env.from_source(numbers, WatermarkStrategy::no_watermarks(), "Numbers");
    let table = Table::default();
    numbers
        .map(move |n: i64| {
            bomb.tick();
            (format!("digit {}", n % 10), n)
        })
        .key_by(|pair: &(String, i64)| pair.0.clone())
        .reduce(|sum, next| (sum.0.clone(), sum.1 + next.1))
        .sink_to(table.clone());
    let (result, restarts) = VirtualTime::with_seed(seed)
        .run(|| {
            let handle = env.execute_async().unwrap();
            (handle.wait().map_err(flott::Error::from), handle.restarts())
        })
        .unwrap();
    (table, result, restarts)
}

fn expected() -> Vec<(String, i64)> {
    (0..10_i64)
        .map(|digit| (format!("digit {digit}"), (0..100).map(|tens| tens * 10 + digit).sum()))
        .collect()
}

#[test]
fn after_failures_everything_is_counted_once() {
    for seed in 0..30 {
        let bomb = Bomb::at([137 + seed as i64, 600, 950]);
        let (table, result, restarts) = digits(seed, bomb, 1 + seed as u32 % 3);
        result.unwrap();
        assert_eq!(restarts, 3, "seed {seed}");
        assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected(), "seed {seed}");
    }
}

#[test]
fn a_job_whose_restarts_are_used_up_fails_with_its_last_failure() {
    let env = env(1);
    env.set(&flott_core::config::keys::RESTART_STRATEGY, flott_core::config::RestartStrategyKind::FixedDelay);
    let numbers = GeneratorSource::new(1_000, |n| n as i64).with_rate(100.0);
    let bomb = Bomb::at([200, 400, 600]);
    env.from_source(numbers, WatermarkStrategy::no_watermarks(), "Numbers")
        .map(move |n: i64| {
            bomb.tick();
            (n.to_string(), n)
        })
        .name("Bomb")
        .sink_to(Table::default());
    let error = VirtualTime::with_seed(1).run(|| env.execute()).unwrap().unwrap_err().to_string();
    assert!(error.starts_with("operator 'Bomb' (subtask 1/1) panicked"), "{error}");
    assert!(error.ends_with("the bomb went off at call 400"), "{error}");
}

#[test]
fn what_a_program_collects_of_a_job_that_fails_comes_once_and_in_order() {
    for seed in 0..20 {
        let parallelism = 1 + seed as u32 % 3;
        let bomb = Bomb::at([100 + 13 * seed as i64, 700, 950]);
        let numbers = GeneratorSource::new(1_000, |n| n as i64).with_rate(100.0);
        let numbers = env(parallelism)
            .from_source(numbers, WatermarkStrategy::no_watermarks(), "Numbers")
            .map(move |n: i64| {
                bomb.tick();
                n
            });
        let collected = VirtualTime::with_seed(seed).run(|| numbers.execute_and_collect());
        let mut collected = collected.unwrap().unwrap();
        if parallelism > 1 {
            collected.sort_unstable();
        }
        assert_eq!(collected, (0..1_000).collect::<Vec<_>>(), "seed {seed}");
    }
}
