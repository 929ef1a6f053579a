//! Inputs that end: the last checkpoint, and failures after some of the tasks have finished.

use std::collections::BTreeMap;

use flott::prelude::*;

use crate::support::{Bomb, Log, Table, env, in_virtual_time, numbers};

/// Ten numbers that end after a tenth of a second, beside a thousand that end after ten.
fn with_a_short_source(env: &StreamExecutionEnvironment, bomb: Bomb) -> (Log<i64>, DataStream<i64>) {
    let read = Log::default();
    let short = GeneratorSource::new(10, |n| -1 - n as i64).with_rate(100.0);
    let short = env.from_source(short, WatermarkStrategy::no_watermarks(), "Short").uid("short");
    short.sink_to(read.clone());
    let long = numbers(env).map(move |n| {
        bomb.tick();
        n
    });
    (read, short.union(&long))
}

#[test]
fn what_a_finished_source_has_read_before_the_checkpoint_is_not_read_again() {
    for (seed, parallelism) in [(1, 1), (2, 2), (3, 3)] {
        let (env, sums) = (env(parallelism), Table::default());
        let (read, all) = with_a_short_source(&env, Bomb::at([500, 800]));
        all.map(|n| (format!("{}", n.signum()), 1))
            .key_by_ref(|(sign, _)| sign)
            .reduce(|sum, next| (next.0, sum.1 + next.1))
            .sink_to(sums.clone());
        let restarts = in_virtual_time(seed, || {
            let handle = env.execute_async().unwrap();
            handle.wait().unwrap();
            handle.restarts()
        });
        assert_eq!(restarts, 2);
        assert_eq!(read.records().len(), 10, "parallelism {parallelism}");
        let counts = [("-1", 10), ("0", 1), ("1", 999)].map(|(sign, count)| (sign.to_owned(), count));
        assert_eq!(sums.rows(), BTreeMap::from(counts), "parallelism {parallelism}");
    }
}

/// Says at the end of its input how many records it has seen.
#[derive(Clone, Default)]
struct Farewell {
    count: OperatorListState<i64>,
    seen: i64,
}

impl FlatMapFunction<i64, i64> for Farewell {
    fn initialize_state(&mut self, context: &mut FunctionInitializationContext<'_>) -> FnResult {
        self.count = context.list_state(ListStateDescriptor::new("count"))?;
        self.seen = self.count.get(context)?.iter().sum();
        Ok(())
    }

    fn flat_map(&mut self, _: i64, _: &mut Collector<'_, i64>) -> FnResult {
        self.seen += 1;
        Ok(())
    }

    fn snapshot_state(&mut self, context: &mut FunctionSnapshotContext<'_>) -> FnResult {
        Ok(self.count.update(context, vec![self.seen])?)
    }

    fn finish(&mut self, out: &mut Collector<'_, i64>) -> FnResult {
        out.collect(self.seen);
        Ok(())
    }
}

#[test]
fn what_a_function_has_said_at_its_end_is_not_said_again_after_a_failure_of_others() {
    let (env, said) = (env(1), Log::default());
    let (_, all) = with_a_short_source(&env, Bomb::at([500, 800]));
    all.sink_to(Log::default());
    let short = GeneratorSource::new(10, |n| n as i64).with_rate(100.0);
    let short = env.from_source(short, WatermarkStrategy::no_watermarks(), "Another");
    short.flat_map_with(Farewell::default()).sink_to(said.clone());
    in_virtual_time(1, || env.execute()).unwrap();
    assert_eq!(said.records(), [10]);
}
