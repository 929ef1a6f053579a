use proptest::prelude::*;

use super::*;

const AFTER_1_S: RestartDecision = RestartDecision::After { delay_ms: 1_000 };

fn config(settings: &[&str]) -> Configuration {
    let mut config = Configuration::new();
    for setting in settings {
        config.set_dynamic(setting).unwrap();
    }
    config
}

fn exponential(jitter_factor: f64, attempts: Option<u32>) -> ExponentialDelay {
    let (initial_ms, max_ms, multiplier, reset_threshold_ms) = (4, 300, 2.3, 1_000);
    ExponentialDelay { initial_ms, max_ms, multiplier, reset_threshold_ms, jitter_factor, attempts }
}

/// The delays of failures that each come as soon as the job runs again.
fn delays(restarts: &mut Restarts, mut now_ms: u64, count: usize) -> Vec<u64> {
    let mut delays = Vec::new();
    for _ in 0..count {
        let RestartDecision::After { delay_ms } = restarts.failed(now_ms, 0) else { break };
        delays.push(delay_ms);
        now_ms += delay_ms;
    }
    delays
}

#[test]
fn s54_without_a_strategy_the_first_failure_ends_the_job() {
    assert_eq!(Restarts::new(RestartStrategy::None).failed(0, 0), RestartDecision::GiveUp);
}

#[test]
fn v8_10_a_fixed_delay_of_three_attempts_gives_up_at_the_fourth_failure() {
    let mut restarts = Restarts::new(RestartStrategy::FixedDelay { attempts: 3, delay_ms: 1_000 });
    for hour in 0..3 {
        assert_eq!(restarts.failed(hour * 3_600_000, 0), AFTER_1_S, "attempts count over the job's life");
    }
    assert_eq!(restarts.failed(999_000_000, 0), RestartDecision::GiveUp);
}

fn three_in_ten_seconds() -> Restarts {
    Restarts::new(RestartStrategy::FailureRate { max_failures: 3, interval_ms: 10_000, delay_ms: 1_000 })
}

#[test]
fn v8_10_a_failure_rate_of_three_gives_up_at_the_fourth_failure_within_the_interval() {
    let mut restarts = three_in_ten_seconds();
    for now_ms in [0, 3_000, 6_000] {
        assert_eq!(restarts.failed(now_ms, 0), AFTER_1_S);
    }
    assert_eq!(restarts.failed(10_000, 0), RestartDecision::GiveUp);
}

#[test]
fn v8_10_failures_further_apart_than_the_interval_never_exhaust_a_failure_rate() {
    let mut restarts = three_in_ten_seconds();
    for failure in 0..100 {
        assert_eq!(restarts.failed(failure * 10_001, 0), AFTER_1_S);
    }
    let mut restarts = three_in_ten_seconds();
    for failure in 0..100 {
        assert_eq!(restarts.failed(failure * 3_334, 0), AFTER_1_S, "a window that slides");
    }
}

#[test]
fn v8_10_an_exponential_delay_grows_and_never_exceeds_its_maximum() {
    let mut restarts = Restarts::new(RestartStrategy::ExponentialDelay(exponential(0.0, None)));
    assert_eq!(delays(&mut restarts, 0, 8), [4, 9, 20, 46, 105, 241, 300, 300]);
}

#[test]
fn v8_10_an_exponential_delay_begins_anew_after_the_threshold_and_the_last_delay() {
    let mut restarts = Restarts::new(RestartStrategy::ExponentialDelay(exponential(0.0, None)));
    assert_eq!(delays(&mut restarts, 0, 2), [4, 9]);
    assert_eq!(restarts.failed(4 + 9 + 999, 0), RestartDecision::After { delay_ms: 20 });
    assert_eq!(restarts.failed(4 + 9 + 999 + 20 + 1_000, 0), RestartDecision::After { delay_ms: 4 });
}

#[test]
fn v8_10_a_jitter_of_a_quarter_makes_three_four_or_five_of_four() {
    let delay = |chance| match Restarts::new(RestartStrategy::ExponentialDelay(exponential(0.25, None)))
        .failed(0, chance)
    {
        RestartDecision::After { delay_ms } => delay_ms,
        RestartDecision::GiveUp => panic!("gave up"),
    };
    let all: std::collections::BTreeSet<u64> = (0..100).map(delay).collect();
    assert_eq!(all.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
}

#[test]
fn failures_before_the_restart_are_one_attempt() {
    let mut restarts = Restarts::new(RestartStrategy::ExponentialDelay(exponential(0.0, Some(1))));
    assert_eq!(restarts.failed(0, 0), RestartDecision::After { delay_ms: 4 });
    assert_eq!(restarts.failed(3, 0), RestartDecision::After { delay_ms: 1 });
    assert_eq!(restarts.failed(4, 0), RestartDecision::GiveUp);
}

#[test]
fn attempts_of_an_exponential_delay_are_counted_until_it_begins_anew() {
    let mut restarts = Restarts::new(RestartStrategy::ExponentialDelay(exponential(0.0, Some(2))));
    assert_eq!(delays(&mut restarts, 0, 9), [4, 9]);
    let mut restarts = Restarts::new(RestartStrategy::ExponentialDelay(exponential(0.0, Some(2))));
    assert_eq!(delays(&mut restarts, 0, 2), [4, 9]);
    assert_eq!(delays(&mut restarts, 13 + 1_000, 9), [4, 9]);
}

#[test]
fn v3_8_an_unset_strategy_is_exponential_with_checkpoints_and_none_without() {
    let defaults = ExponentialDelay {
        initial_ms: 1_000,
        max_ms: 60_000,
        multiplier: 1.5,
        reset_threshold_ms: 3_600_000,
        jitter_factor: 0.1,
        attempts: None,
    };
    let config = config(&[]);
    assert_eq!(
        RestartStrategy::from_config(&config, true).unwrap(),
        RestartStrategy::ExponentialDelay(defaults)
    );
    assert_eq!(RestartStrategy::from_config(&config, false).unwrap(), RestartStrategy::None);
}

#[test]
fn v3_8_the_defaults_are_those_of_flink_2() {
    let fixed = RestartStrategy::from_config(&config(&["restart-strategy.type=fixed-delay"]), true).unwrap();
    assert_eq!(fixed, RestartStrategy::FixedDelay { attempts: 1, delay_ms: 1_000 });
    let rate = RestartStrategy::from_config(&config(&["restart-strategy=failure-rate"]), false).unwrap();
    let expected = RestartStrategy::FailureRate { max_failures: 1, interval_ms: 60_000, delay_ms: 1_000 };
    assert_eq!(rate, expected);
    assert_eq!(
        RestartStrategy::from_config(&config(&["restart-strategy.type=off"]), true).unwrap(),
        RestartStrategy::None
    );
}

#[test]
fn a_longest_delay_below_the_first_is_refused_in_one_line() {
    let config = config(&["restart-strategy.exponential-delay.initial-backoff=2 min"]);
    let error = RestartStrategy::from_config(&config, true).unwrap_err().to_string();
    assert!(error.contains("max-backoff") && error.contains("initial-backoff"), "{error}");
    assert!(!error.contains('\n'));
}

proptest! {
    #[test]
    fn no_delay_exceeds_the_maximum_and_no_number_makes_it_panic(
        initial_ms in 1..u64::MAX,
        more_ms in any::<u64>(),
        multiplier in 1.0001..1e9f64,
        jitter_factor in 0.0..=1.0f64,
        failures in prop::collection::vec((any::<u64>(), any::<u64>()), 1..20),
    ) {
        let max_ms = initial_ms.saturating_add(more_ms);
        let strategy = ExponentialDelay { initial_ms, max_ms, multiplier, jitter_factor, ..exponential(0.0, None) };
        let mut restarts = Restarts::new(RestartStrategy::ExponentialDelay(strategy));
        for (now_ms, chance) in failures {
            let RestartDecision::After { delay_ms } = restarts.failed(now_ms, chance) else {
                return Err(TestCaseError::fail("gave up"));
            };
            prop_assert!(delay_ms <= max_ms);
        }
    }
}
