//! Whole jobs in virtual time.

use flott::prelude::*;
use flott::sink::CollectSink;
use flott::testing::VirtualTime;

use crate::support::{env, keyed, line, sorted};

const HOUR_MS: i64 = 3_600_000;

/// When records came, which is one each ten seconds for eighty minutes, and the full hours at which timers told of them.
fn eighty_minutes(seed: u64) -> (Vec<(i64, i64)>, JobResult) {
    let env = env(3);
    let source = GeneratorSource::new(500, |n| n as i64).with_rate(0.1);
    let numbers = env.from_source(source, WatermarkStrategy::no_watermarks(), "Slow numbers");
    let hours = numbers.key_by(|n| n % 7).process(keyed(
        |_: i64, context: &mut KeyedContext<'_, i64>, _: &mut Collector<'_, (i64, i64)>| {
            let now = context.current_processing_time();
            context.register_processing_time_timer((now / HOUR_MS + 1) * HOUR_MS);
            Ok(())
        },
        |time, context: &mut OnTimerContext<'_, i64>, out: &mut Collector<'_, (i64, i64)>| {
            assert!(context.current_processing_time() - time < 10, "late by a few turns at most");
            out.collect((time / HOUR_MS, *context.current_key()));
        },
    ));
    let sink = CollectSink::new(None);
    let collected = sink.collected();
    hours.sink_to(sink);
    let result = VirtualTime::with_seed(seed).run(|| env.execute()).unwrap().unwrap();
    (collected.take(), result)
}

#[test]
fn a_job_of_eighty_minutes_ends_at_once_and_its_timers_fire_on_time() {
    let (hours, result) = eighty_minutes(1);
    let seconds = result.net_runtime.as_secs();
    assert!((4_950..=5_050).contains(&seconds), "{seconds}");
    // The timers of the second hour are still waiting when the input ends.
    assert_eq!(sorted(hours), (0..7).map(|key| (1, key)).collect::<Vec<_>>());
}

#[test]
fn the_same_seed_gives_the_same_output_in_the_same_order_at_the_same_time() {
    let runs: Vec<_> = [1, 1, 2, 3].map(eighty_minutes).into_iter().collect();
    assert_eq!(runs[0].0, runs[1].0);
    assert_eq!(runs[0].1.net_runtime, runs[1].1.net_runtime);
    assert!(runs[2..].iter().any(|run| run.0 != runs[0].0), "another seed interleaves in another way");
}

#[test]
fn results_are_the_same_with_every_seed() {
    for seed in 0..20 {
        let run = || {
            let env = env(3);
            let strategy = WatermarkStrategy::for_bounded_out_of_orderness(Duration::from_secs(5))
                .with_timestamp_assigner(|n: &i64, _| *n * 100);
            let numbers = env.from_source(GeneratorSource::new(3_000, |n| n as i64), strategy, "Numbers");
            let sums = numbers
                .key_by(|n| n % 10)
                .window(TumblingEventTimeWindows::of(Duration::from_secs(60)))
                .reduce(|a, b| a + b);
            sums.rebalance().map(|sum| sum).execute_and_collect()
        };
        let sums = VirtualTime::with_seed(seed).run(run).unwrap().unwrap();
        assert_eq!((sums.len(), sums.iter().sum::<i64>()), (50, 3_000 * 2_999 / 2), "seed {seed}");
    }
}

#[test]
fn a_failure_ends_the_job_as_it_does_in_real_time() {
    let run = || {
        let numbers = env(2).from_sequence(0, 100_000).key_by(|n| *n);
        numbers
            .try_map(|n| if n == 77_777 { Err("too much") } else { Ok(n) })
            .name("Check")
            .execute_and_collect()
    };
    let told = line(VirtualTime::with_seed(5).run(run).unwrap());
    assert!(told.starts_with("operator 'Check' (subtask ") && told.ends_with(" failed: too much"), "{told}");
}

#[test]
fn a_cancelled_job_ends() {
    let run = || {
        let env = env(2);
        let slow = GeneratorSource::new(u64::MAX, |n| n as i64).with_rate(1.0);
        let numbers = env.from_source(slow, WatermarkStrategy::no_watermarks(), "Slow numbers");
        numbers.execute_and_collect_limited(5)
    };
    assert_eq!(VirtualTime::with_seed(5).run(run).unwrap().unwrap().len(), 5);
}
