//! Savepoints that are restored with another max parallelism: all keyed state finds its new key groups.

use flott::prelude::*;
use flott_core::config::{MaxParallelism, keys};
use flott_runtime::checkpoint::options::{SavepointFormat, StopMode};

use crate::random::{Pair, program};
use crate::support::{Bomb, Ledger, Table, env, go_on, in_virtual_time, memory};

/// Keeps the numbers of each key in a list, and tells the list each half second of event time.
#[derive(Clone, Default)]
struct Lists {
    numbers: ListState<i64>,
}

impl KeyedProcessFunction<String, Pair, Pair> for Lists {
    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        self.numbers = context.list_state(ListStateDescriptor::new("numbers"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        (_, n): Pair,
        context: &mut KeyedContext<'_, String>,
        _: &mut Collector<'_, Pair>,
    ) -> FnResult {
        self.numbers.add(context, n)?;
        let at = context.timestamp().unwrap_or(0);
        context.register_event_time_timer(at / 500 * 500 + 499);
        Ok(())
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, String>,
        out: &mut Collector<'_, Pair>,
    ) -> FnResult {
        // Later ones may have come before the watermark.
        let mut numbers = self.numbers.get(context)?.to_vec();
        numbers.retain(|n| n * 10 <= time);
        numbers.sort_unstable();
        out.collect((format!("{} at {time}: {numbers:?}", context.current_key()), 0));
        Ok(())
    }
}

/// Where the output of a program goes, run after run: rows that come once, and those of which the last counts.
#[derive(Default)]
struct Outputs {
    ledger: Ledger,
    table: Table,
}

impl Outputs {
    /// Windows, sessions, timers, lists, maps and rolling sums, at this parallelism and max parallelism.
    fn of(&self, parallelism: u32, max_parallelism: u32) -> StreamExecutionEnvironment {
        let env = env(parallelism);
        env.set_auto_watermark_interval(Duration::from_millis(20))
            .set(&keys::MAX_PARALLELISM, MaxParallelism::Fixed(max_parallelism));
        program(&env, &Bomb::at([]), &self.ledger, &self.table);
        let source = GeneratorSource::new(200, |n| n as i64).with_rate(150.0);
        let times =
            WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|n: &i64, _| n * 10);
        let visits = env.from_source(source, times, "Visits").map(|n| (format!("visitor {}", n % 9), n));
        visits
            .filter(|(_, n)| n % 50 < 30)
            .key_by_ref(|(visitor, _)| visitor)
            .window(EventTimeSessionWindows::with_gap(Duration::from_millis(150)))
            .reduce(|sum, next| (next.0, sum.1 + next.1))
            .sink_to(self.ledger.clone());
        visits.key_by(|(visitor, _)| visitor.clone()).process(Lists::default()).sink_to(self.ledger.clone());
        env
    }

    fn rows(&self) -> Vec<Pair> {
        let mut rows = self.ledger.rows();
        rows.sort();
        rows
    }
}

#[test]
fn all_keyed_state_of_a_savepoint_is_put_into_any_number_of_key_groups() {
    let whole = Outputs::default();
    in_virtual_time(1, || whole.of(1, 128).execute()).unwrap();
    for (seed, before, after) in
        [(1, (1, 128), (1, 129)), (2, (2, 128), (3, 7)), (3, (3, 5), (2, 4_096)), (4, (2, 32_768), (2, 2))]
    {
        let outputs = Outputs::default();
        let (first, second) = (outputs.of(before.0, before.1), outputs.of(after.0, after.1));
        let rows_before = in_virtual_time(seed, || {
            let handle = first.execute_async().unwrap();
            go_on(&handle, 700);
            let directory = memory(&format!("max parallelism {seed}"));
            let savepoint = handle
                .stop_with_savepoint(Some(&directory), SavepointFormat::Canonical, StopMode::Suspend)
                .unwrap();
            let rows_before = outputs.rows().len();
            second.set(&keys::RESTORE_PATH, savepoint).execute().unwrap();
            rows_before
        });
        let all = whole.rows();
        assert!((1..all.len() - 20).contains(&rows_before), "{rows_before}: it was taken in the middle");
        assert_eq!(outputs.rows(), all, "from {before:?} to {after:?}");
        assert_eq!(outputs.table.rows(), whole.table.rows(), "from {before:?} to {after:?}");
    }
}
