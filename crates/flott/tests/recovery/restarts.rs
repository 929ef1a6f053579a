//! A failure, and what is as if it had not been.

use flott::prelude::*;
use flott_core::config::{RestartStrategyKind, keys};
use flott_runtime::job::JobStatus;

use crate::support::{Bomb, Table, digit_sums, env, expected_sums, go_on, in_virtual_time, numbers};

/// Counts numbers by their last digit, and fails where the bomb says.
fn digits(env: &StreamExecutionEnvironment, bomb: Bomb) -> Table {
    let table = Table::default();
    let passed = numbers(env).map(move |n| {
        bomb.tick();
        n
    });
    digit_sums(&passed.name("Bomb")).sink_to(table.clone());
    table
}

/// How the job ends, after how many restarts and virtual milliseconds.
fn run(env: &StreamExecutionEnvironment) -> (Result<JobResult, String>, u32, u128) {
    let run = || {
        let handle = env.execute_async().unwrap();
        (handle.wait().map_err(|error| error.to_string()), handle.restarts())
    };
    in_virtual_time(1, || {
        let clock = flott_runtime::seam::clock();
        let ((result, restarts), elapsed) = (run(), clock.monotonic_ns() / 1_000_000);
        (result, restarts, u128::from(elapsed))
    })
}

/// An environment without periodic checkpoints, with a restart strategy.
fn with_strategy(strategy: RestartStrategyKind) -> StreamExecutionEnvironment {
    let env = flott::testing::environment();
    env.set_quiet(true).set_parallelism(1).set(&keys::RESTART_STRATEGY, strategy);
    env
}

#[test]
fn after_failures_everything_is_counted_once() {
    for seed in 0..30 {
        let env = env(1 + seed as u32 % 3);
        let table = digits(&env, Bomb::at([137 + seed as i64, 600, 950]));
        let restarts = in_virtual_time(seed, || {
            let handle = env.execute_async().unwrap();
            handle.wait().unwrap();
            handle.restarts()
        });
        assert_eq!(restarts, 3, "seed {seed}");
        assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums(), "seed {seed}");
    }
}

#[test]
fn a_job_whose_restarts_are_used_up_fails_with_its_last_failure() {
    let env = env(1);
    env.set(&keys::RESTART_STRATEGY, RestartStrategyKind::FixedDelay);
    digits(&env, Bomb::at([200, 400, 600]));
    let (result, restarts, _) = run(&env);
    let error = result.unwrap_err();
    assert_eq!(restarts, 1, "the default is one attempt");
    assert!(error.starts_with("operator 'Bomb' (subtask 1/1) panicked"), "{error}");
    assert!(error.ends_with("the bomb went off at call 400"), "{error}");
}

#[test]
fn without_checkpoints_and_configuration_the_first_failure_fails_the_job() {
    let env = flott::testing::environment();
    env.set_quiet(true).set_parallelism(1);
    digits(&env, Bomb::at([10, 20]));
    let (result, restarts, _) = run(&env);
    let error = result.unwrap_err();
    assert!(error.ends_with("the bomb went off at call 10"), "{error}");
    assert_eq!(restarts, 0);
}

#[test]
fn the_strategy_none_fails_a_job_with_checkpoints_at_its_first_failure() {
    let env = env(1);
    env.set(&keys::RESTART_STRATEGY, RestartStrategyKind::None);
    digits(&env, Bomb::at([500]));
    let (result, restarts, _) = run(&env);
    assert!(result.unwrap_err().ends_with("the bomb went off at call 500"));
    assert_eq!(restarts, 0);
}

#[test]
fn three_attempts_with_a_fixed_delay_allow_three_failures_and_no_fourth() {
    for (failures, survives) in [(3, true), (4, false)] {
        let env = with_strategy(RestartStrategyKind::FixedDelay);
        env.set(&keys::FIXED_DELAY_ATTEMPTS, 3).set(&keys::FIXED_DELAY_DELAY, Duration::from_secs(30));
        // Without checkpoints each run begins anew: the calls of the first four come in their first second.
        let table = digits(&env, Bomb::at((1..=failures).map(|n| n * 50)));
        let (result, restarts, ms) = run(&env);
        assert_eq!((result.is_ok(), restarts), (survives, 3), "{failures} failures");
        if survives {
            assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums());
            // Three runs of half a second and a delay, and one of ten seconds.
            assert!((3 * 30_500 + 10_000..3 * 30_500 + 10_500).contains(&ms), "{ms} ms");
        }
    }
}

#[test]
fn failures_that_are_far_apart_never_exhaust_a_failure_rate_and_two_within_its_interval_do() {
    let failing = |interval: Duration| {
        let env = with_strategy(RestartStrategyKind::FailureRate);
        env.set(&keys::FAILURE_RATE_INTERVAL, interval).set(&keys::FAILURE_RATE_MAX_FAILURES, 1);
        digits(&env, Bomb::at((1..=5).map(|n| n * 100)));
        run(&env)
    };
    // They are two seconds apart: one of running, one of delay.
    let (result, restarts, _) = failing(Duration::from_millis(1_900));
    assert!(result.is_ok());
    assert_eq!(restarts, 5);
    let (result, restarts, _) = failing(Duration::from_millis(2_500));
    assert!(result.unwrap_err().ends_with("the bomb went off at call 200"));
    assert_eq!(restarts, 1);
}

#[test]
fn with_checkpoints_the_delays_grow_by_a_half_each_time() {
    let env = env(1);
    env.set(&keys::EXPONENTIAL_DELAY_JITTER, 0.0);
    digits(&env, Bomb::at([1, 2, 3, 4]));
    let (result, restarts, ms) = run(&env);
    assert!(result.is_ok());
    assert_eq!(restarts, 4);
    // 1 s, 1.5 s, 2.25 s, 3.375 s, and ten seconds to read everything.
    assert!((18_125..18_600).contains(&ms), "{ms} ms");
}

#[test]
fn a_job_that_waits_to_start_again_can_be_cancelled() {
    let env = with_strategy(RestartStrategyKind::FixedDelay);
    env.set(&keys::FIXED_DELAY_DELAY, Duration::from_secs(3_600));
    digits(&env, Bomb::at([100]));
    let (error, seconds) = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 500);
        assert_eq!(handle.status(), JobStatus::Running);
        go_on(&handle, 1_000);
        assert_eq!(handle.status(), JobStatus::Restarting);
        handle.cancel();
        let error = handle.wait().unwrap_err();
        assert_eq!(handle.status(), JobStatus::Canceled);
        (error, flott_runtime::seam::clock().monotonic_ns() / 1_000_000_000)
    });
    assert_eq!(error.to_string(), "job 'flott job' was cancelled");
    assert!(seconds < 10, "cancelled after {seconds} s");
}

/// Fails when it is opened for the second and third time.
#[derive(Clone)]
struct HardToOpen(Bomb);

impl MapFunction<i64, i64> for HardToOpen {
    fn open(&mut self, _: &RuntimeContext) -> FnResult {
        self.0.tick();
        Ok(())
    }

    fn map(&mut self, n: i64) -> FnResult<i64> {
        Ok(n)
    }
}

#[test]
fn a_failure_while_the_job_starts_again_is_one_more_failure() {
    let env = env(1);
    let (bomb, table) = (Bomb::at([500]), Table::default());
    let opened = numbers(&env).map_with(HardToOpen(Bomb::at([2, 3])));
    digit_sums(&opened.map(move |n| {
        bomb.tick();
        n
    }))
    .sink_to(table.clone());
    let (result, restarts, _) = run(&env);
    assert!(result.is_ok());
    assert_eq!(restarts, 3);
    assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums());
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
        let collected = in_virtual_time(seed, || numbers.execute_and_collect());
        let mut collected = collected.unwrap();
        if parallelism > 1 {
            collected.sort_unstable();
        }
        assert_eq!(collected, (0..1_000).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn v3_8_an_error_that_is_marked_as_unrecoverable_is_not_tried_again() {
    let env = env(2);
    let read = numbers(&env).flat_map_with(Strict);
    digit_sums(&read).sink_to(Table::default());
    let (result, restarts, _) = run(&env);
    let error = result.unwrap_err();
    assert!(error.ends_with("failed: number 300 is bad"), "{error}");
    assert_eq!(restarts, 0);
}

/// Does not take every number.
#[derive(Clone)]
struct Strict;

impl FlatMapFunction<i64, i64> for Strict {
    fn flat_map(&mut self, n: i64, out: &mut Collector<'_, i64>) -> FnResult {
        if n == 300 {
            return Err(flott::Unrecoverable::new("number 300 is bad").into());
        }
        out.collect(n);
        Ok(())
    }
}
