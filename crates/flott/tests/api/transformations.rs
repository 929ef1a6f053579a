//! One record in; one, some or none out. And unions.

use std::sync::{Arc, Barrier};

use flott::prelude::*;

use crate::support::{At, Step, Untimed, Watermark, env, process, script, sorted, stamped};

#[test]
fn map_turns_each_record_into_another() {
    assert_eq!(env(1).from_elements([1, 2]).map(|n| n * 10).execute_and_collect().unwrap(), [10, 20]);
}

#[test]
fn try_map_goes_on_while_the_function_does() {
    let parsed = env(1).from_elements(["1".to_owned(), "2".to_owned()]).try_map(|text| text.parse::<i32>());
    assert_eq!(parsed.execute_and_collect().unwrap(), [1, 2]);
}

#[test]
fn flat_map_emits_none_one_or_many() {
    let repeated = env(1)
        .from_elements([0, 1, 3])
        .flat_map(|n, out: &mut Collector<'_, i32>| (0..n).for_each(|_| out.collect(n)));
    assert_eq!(repeated.execute_and_collect().unwrap(), [1, 3, 3, 3]);
}

#[test]
fn filter_keeps_what_the_function_says() {
    let even = env(1).from_elements(0..6).filter(|n| n % 2 == 0);
    assert_eq!(even.execute_and_collect().unwrap(), [0, 2, 4]);
}

/// Records with and without timestamps, of which every operator must keep each.
fn timed() -> Vec<Step<i64>> {
    vec![At(1, 100), Untimed(2), At(3, -5), Watermark(0), At(4, 7)]
}

#[test]
fn every_transformation_keeps_the_timestamps() {
    let want = vec![(1, Some(100)), (2, None), (3, Some(-5)), (4, Some(7))];
    let through = |transform: fn(&DataStream<i64>) -> DataStream<i64>| {
        stamped(&transform(&script(&env(1), timed()))).execute_and_collect().unwrap()
    };
    assert_eq!(through(|s| s.map(|n| n)), want);
    assert_eq!(through(|s| s.try_map(Ok::<_, std::io::Error>)), want);
    assert_eq!(through(|s| s.flat_map(|n, out: &mut Collector<'_, i64>| out.collect(n))), want);
    assert_eq!(through(|s| s.filter(|_| true)), want);
    assert_eq!(through(|s| s.filter(|n| *n != 1)), want[1..]);
    assert_eq!(through(|s| s.key_by(|_| 0).sum(|n| n).map(|n| n)).len(), 4);
    assert_eq!(through(|s| s.key_by(|n| *n).reduce(|a, b| a + b)), want);
    assert_eq!(through(|s| s.rebalance().map(|n| n)), want);
    assert_eq!(through(|s| s.map(|n| n).disable_chaining()), want);
}

#[test]
fn a_filter_keeps_the_timestamps_of_a_whole_batch() {
    let strategy = WatermarkStrategy::no_watermarks().with_timestamp_assigner(|n: &u64, _| *n as i64 * 10);
    let env = env(1);
    let numbers = env.from_source(GeneratorSource::new(2000, |n| n), strategy, "numbers");
    let kept = stamped(&numbers.filter(|n| n % 7 == 3)).execute_and_collect().unwrap();
    assert_eq!(kept.len(), 286);
    assert!(kept.iter().all(|(n, timestamp)| n % 7 == 3 && *timestamp == Some(*n as i64 * 10)));
}

#[test]
fn process_sees_the_watermark_that_came_before_a_record() {
    let steps =
        vec![Untimed(1), Watermark(5), Untimed(2), Watermark(3), Untimed(3), Watermark(9), Untimed(4)];
    let seen = script(&env(1), steps).process(process(|n: i64, context, out: &mut Collector<'_, _>| {
        out.collect((n, context.current_watermark()));
        Ok(())
    }));
    assert_eq!(seen.execute_and_collect().unwrap(), [(1, MIN_WATERMARK), (2, 5), (3, 5), (4, 9)]);
}

#[test]
fn a_union_has_the_records_of_all_its_streams() {
    let env = env(1);
    let (a, b, c) = (env.from_elements([1, 2]), env.from_elements([3]), env.from_elements([4]));
    let all = a.union(&b).union(&c).map(|n| n * 10);
    assert_eq!(sorted(all.execute_and_collect().unwrap()), [10, 20, 30, 40]);
}

#[test]
fn a_stream_merged_with_itself_comes_twice() {
    let numbers = env(1).from_elements([1, 2]);
    assert_eq!(sorted(numbers.union(&numbers).execute_and_collect().unwrap()), [1, 1, 2, 2]);
}

#[test]
fn the_watermark_of_a_union_is_the_least_of_its_streams() {
    let env = env(1);
    let (fast, slow) = (
        script(&env, vec![Untimed("a".to_owned()), Watermark(100), Untimed("b".to_owned())]),
        script(&env, vec![Untimed("c".to_owned()), Watermark(10), Untimed("d".to_owned())]),
    );
    // The slow stream stands still until all of the fast one has come through the union.
    let here = Arc::new(Barrier::new(2));
    let there = Arc::clone(&here);
    let slow = slow.map(move |name| {
        if name == "c" {
            there.wait();
        }
        name
    });
    let seen =
        fast.union(&slow).process(process(move |name: String, context, out: &mut Collector<'_, _>| {
            if name == "b" {
                here.wait();
            }
            out.collect((name, context.current_watermark()));
            Ok(())
        }));
    let seen = seen.execute_and_collect().unwrap();
    assert_eq!(
        seen[..3],
        [("a".to_owned(), MIN_WATERMARK), ("b".to_owned(), MIN_WATERMARK), ("c".to_owned(), MIN_WATERMARK)]
    );
    assert_eq!(seen[3], ("d".to_owned(), 10));
}

#[test]
fn results_do_not_depend_on_parallelism_or_chaining() {
    let run = |parallelism, chaining: bool| {
        let env = env(parallelism);
        if !chaining {
            env.disable_operator_chaining();
        }
        let sums = env
            .from_sequence(1, 3000)
            .filter(|n| n % 3 != 0)
            .map(|n| (n % 17, n))
            .key_by(|(key, _)| *key)
            .sum(|(_, n)| n);
        // Of each key the last, which is the greatest.
        let mut last = std::collections::BTreeMap::new();
        for (key, sum) in sums.execute_and_collect().unwrap() {
            last.entry(key).and_modify(|most: &mut i64| *most = sum.max(*most)).or_insert(sum);
        }
        last
    };
    let want = run(1, true);
    assert_eq!(want.values().sum::<i64>(), (1..=3000).filter(|n| n % 3 != 0).sum());
    for (parallelism, chaining) in [(1, false), (2, true), (2, false), (4, true), (4, false)] {
        assert_eq!(run(parallelism, chaining), want, "parallelism {parallelism}, chaining {chaining}");
    }
}
