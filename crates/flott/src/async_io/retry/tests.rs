use super::*;

fn exponential(multiplier: f64) -> [u128; 5] {
    let (initial, longest) = (Duration::from_millis(100), Duration::from_millis(500));
    let strategy = ExponentialBackoffDelayRetryStrategy::<()>::new(9, initial, longest, multiplier);
    [1, 2, 3, 4, 1000].map(|attempts| strategy.backoff(attempts).as_millis())
}

#[test]
fn an_exponential_delay_grows_up_to_its_limit() {
    assert_eq!(exponential(2.0), [100, 200, 400, 500, 500]);
}

#[test]
fn an_exponential_delay_never_shrinks() {
    assert_eq!(exponential(0.5), [100; 5]);
    assert_eq!(exponential(f64::NAN), [100; 5]);
}

#[test]
fn a_number_of_retries_does_not_count_the_first_attempt() {
    let strategy = FixedDelayRetryStrategy::<()>::new(2, Duration::from_millis(7));
    assert_eq!([1, 2, 3].map(|attempts| strategy.can_retry(attempts)), [true, true, false]);
    assert_eq!(strategy.backoff(2), Duration::from_millis(7));
}

#[test]
fn without_conditions_nothing_is_tried_again() {
    let strategy = FixedDelayRetryStrategy::<()>::new(2, Duration::ZERO);
    assert!(!strategy.retry_on_result(&[]) && !strategy.retry_on_error(&"no".into()));
}
