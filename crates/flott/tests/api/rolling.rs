//! Rolling aggregations.

use flott::prelude::*;

use crate::support::{env, sorted};

/// Key, value, and a field that tells the records apart.
type Reading = (String, i64, u32);

fn readings(values: &[i64]) -> KeyedStream<String, Reading> {
    let of = |(index, value): (usize, &i64)| ("a".to_owned(), *value, index as u32);
    env(1).from_elements(values.iter().enumerate().map(of).collect::<Vec<_>>()).key_by_ref(|(key, ..)| key)
}

/// Value and mark of each result.
fn results(stream: &DataStream<Reading>) -> Vec<(i64, u32)> {
    let results = stream.execute_and_collect().unwrap();
    results.into_iter().map(|(_, value, mark)| (value, mark)).collect()
}

#[test]
fn the_first_record_is_the_first_result_of_reduce() {
    let sums = readings(&[5, 7, 1]).reduce(|a, b| (b.0, a.1 + b.1, b.2));
    assert_eq!(results(&sums), [(5, 0), (12, 1), (13, 2)]);
}

#[test]
fn sum_min_and_max_keep_the_other_fields_of_the_first_record() {
    assert_eq!(results(&readings(&[5, 7, 1]).sum(|r| &mut r.1)), [(5, 0), (12, 0), (13, 0)]);
    assert_eq!(results(&readings(&[5, 7, 1]).min(|r| &mut r.1)), [(5, 0), (5, 0), (1, 0)]);
    assert_eq!(results(&readings(&[5, 7, 1]).max(|r| &mut r.1)), [(5, 0), (7, 0), (7, 0)]);
}

#[test]
fn min_by_and_max_by_keep_the_whole_record_and_the_earlier_of_two_equal_ones() {
    let values = [5, 7, 5, 7, 1, 1];
    let least = [(5, 0), (5, 0), (5, 0), (5, 0), (1, 4), (1, 4)];
    assert_eq!(results(&readings(&values).min_by(|r| r.1)), least);
    let greatest = [(5, 0), (7, 1), (7, 1), (7, 1), (7, 1), (7, 1)];
    assert_eq!(results(&readings(&values).max_by(|r| r.1)), greatest);
}

#[test]
fn min_by_last_and_max_by_last_take_the_later_of_two_equal_ones() {
    let values = [5, 7, 5, 7, 1, 1];
    let least = [(5, 0), (5, 0), (5, 2), (5, 2), (1, 4), (1, 5)];
    assert_eq!(results(&readings(&values).min_by_last(|r| r.1)), least);
    let greatest = [(5, 0), (7, 1), (7, 1), (7, 3), (7, 3), (7, 3)];
    assert_eq!(results(&readings(&values).max_by_last(|r| r.1)), greatest);
}

#[test]
fn keys_do_not_see_each_other() {
    let records = [("a", 1), ("b", 10), ("a", 2), ("b", 20)].map(|(key, n)| (key.to_owned(), n));
    let sums = env(2).from_elements(records).key_by_ref(|(key, _)| key).sum(|(_, n)| n);
    let want = [("a", 1), ("a", 3), ("b", 10), ("b", 30)].map(|(key, n)| (key.to_owned(), n));
    assert_eq!(sorted(sums.execute_and_collect().unwrap()), want);
}

#[test]
fn a_key_by_value_and_by_reference_are_the_same_key() {
    let sums = |by_reference: bool| {
        let records = env(3).from_sequence(0, 999).map(|n| (n % 10, 1));
        let keyed = if by_reference { records.key_by_ref(|(key, _)| key) } else { records.key_by(|r| r.0) };
        sorted(keyed.sum(|(_, n)| n).execute_and_collect().unwrap())
    };
    assert_eq!(sums(true), sums(false));
}

#[test]
fn a_keyed_stream_can_be_keyed_anew() {
    let sums = env(2).from_sequence(1, 100).key_by(|n| n % 10).key_by(|_| 0).sum(|n| n);
    assert_eq!(sums.execute_and_collect().unwrap().into_iter().max(), Some(5050));
}
