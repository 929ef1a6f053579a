//! The program that most tests run: numbers in ten seconds, summed by their last digit.

use flott::prelude::*;

/// The numbers from 0 to 999, a hundred of them in a second.
pub(crate) fn numbers(env: &StreamExecutionEnvironment) -> DataStream<i64> {
    let numbers = GeneratorSource::new(1_000, |n| n as i64).with_rate(100.0);
    env.from_source(numbers, WatermarkStrategy::no_watermarks(), "Numbers").uid("numbers")
}

/// The sum of the numbers so far with each last digit.
pub(crate) fn digit_sums(numbers: &DataStream<i64>) -> DataStream<(String, i64)> {
    numbers
        .map(|n| (format!("digit {}", n % 10), n))
        .key_by_ref(|(digit, _)| digit)
        .reduce(|sum, next| (next.0, sum.1 + next.1))
        .uid("sums")
}

/// The last sum of each digit.
pub(crate) fn expected_sums() -> Vec<(String, i64)> {
    let sum = |digit: i64| (0..100).map(|tens| tens * 10 + digit).sum();
    (0..10).map(|digit| (format!("digit {digit}"), sum(digit))).collect()
}
