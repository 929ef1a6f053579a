//! The sources that need nothing from outside, and collecting.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flott::prelude::*;
use flott_core::seam::Clock;

use crate::support::{env, sorted};

#[test]
fn a_sequence_includes_both_its_bounds() {
    assert_eq!(env(1).from_sequence(3, 6).execute_and_collect().unwrap(), [3, 4, 5, 6]);
    assert_eq!(env(1).from_sequence(3, 3).execute_and_collect().unwrap(), [3]);
    assert_eq!(sorted(env(4).from_sequence(-2, 1).execute_and_collect().unwrap()), [-2, -1, 0, 1]);
    let most = env(2).from_sequence(i64::MAX - 1, i64::MAX);
    assert_eq!(sorted(most.execute_and_collect().unwrap()), [i64::MAX - 1, i64::MAX]);
}

#[test]
fn a_sequence_whose_end_is_before_its_start_is_empty() {
    assert!(env(2).from_sequence(1, 0).execute_and_collect().unwrap().is_empty());
    assert!(env(2).from_sequence(i64::MAX, i64::MIN).execute_and_collect().unwrap().is_empty());
}

#[test]
fn a_sequence_read_in_parallel_has_each_number_once() {
    let numbers = env(3).from_sequence(1, 10_000).execute_and_collect().unwrap();
    assert_eq!(sorted(numbers), (1..=10_000).collect::<Vec<_>>());
}

#[test]
fn an_iterator_is_read_in_order_by_one_subtask() {
    for count in [0, 1, 1023, 1024, 1025, 5000] {
        let numbers = env(1).from_iterator(move || 0..count);
        assert_eq!(numbers.execute_and_collect().unwrap(), (0..count).collect::<Vec<i32>>());
    }
    let env = env(4);
    env.from_iterator(|| 0..10).discard();
    assert_eq!(env.execute().unwrap().vertices[0].subtasks.len(), 1);
}

#[test]
fn no_elements_are_an_empty_stream() {
    assert!(env(1).from_elements(Vec::<i32>::new()).execute_and_collect().unwrap().is_empty());
}

fn endless(env: &StreamExecutionEnvironment) -> DataStream<u64> {
    env.from_source(GeneratorSource::new(u64::MAX, |n| n), WatermarkStrategy::no_watermarks(), "endless")
}

#[test]
fn a_limited_collect_of_an_endless_stream_ends() {
    assert_eq!(endless(&env(1)).execute_and_collect_limited(5).unwrap(), [0, 1, 2, 3, 4]);
    assert_eq!(endless(&env(2)).execute_and_collect_limited(3000).unwrap().len(), 3000);
    assert!(endless(&env(1)).execute_and_collect_limited(0).unwrap().is_empty());
}

#[test]
fn a_limited_collect_of_a_short_stream_has_less() {
    assert_eq!(env(1).from_elements([1, 2]).execute_and_collect_limited(5).unwrap(), [1, 2]);
}

#[test]
fn a_limited_collect_tells_a_failure() {
    let failing = env(1).from_elements([1]).try_map(|_| Err::<i32, _>("no"));
    let error = failing.execute_and_collect_limited(5).unwrap_err();
    assert_eq!(error.to_string(), "operator 'Map' (subtask 1/1) failed: no");
}

/// A clock that goes on by 10 ms whenever somebody looks at it.
#[derive(Default)]
struct HastyClock(AtomicU64);

impl Clock for HastyClock {
    fn wall_ms(&self) -> Timestamp {
        (self.0.load(Ordering::SeqCst) / 1_000_000) as i64
    }

    fn monotonic_ns(&self) -> u64 {
        self.0.fetch_add(10_000_000, Ordering::SeqCst)
    }
}

#[test]
fn the_rate_of_a_generator_holds_for_the_whole_job() {
    for parallelism in [1, 2] {
        let (env, clock) = (env(parallelism), Arc::new(HastyClock::default()));
        env.set_clock(Arc::clone(&clock) as Arc<_>);
        let source = GeneratorSource::new(5000, |n| n).with_rate(1000.0);
        let numbers = env.from_source(source, WatermarkStrategy::no_watermarks(), "numbers");
        assert_eq!(numbers.execute_and_collect().unwrap().len(), 5000);
        let seconds = clock.0.load(Ordering::SeqCst) as f64 / 1e9;
        // Everybody moves the clock, so it runs on a little after the last record.
        assert!((4.9..50.0).contains(&seconds), "5000 records at 1000/s took {seconds} s");
    }
}
