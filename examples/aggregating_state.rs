//! State that adds up: a running count in `AggregatingState`, emitted and cleared every so many records.
//!
//!     aggregating_state --records 3500
//!
//! The state of a key is one accumulator, never the records. `seen` beside it is a plain field: it counts what the
//! subtask has had, whatever the key, and a restart forgets it.

use std::process::ExitCode;

use clap::Parser;
use flott::function::KeyedFlatMapFunction;
use flott::prelude::*;

/// Counts records in aggregating state, and emits the count with every thousandth record
#[derive(Parser)]
struct Options {
    /// How many records to make
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    records: u64,

    #[command(flatten)]
    job: JobOptions,
}

/// Adds 1 for each record, whatever its value.
#[derive(Clone)]
struct Count;

impl AggregateFunction<i64> for Count {
    type Accumulator = u64;
    type Output = u64;

    fn create_accumulator(&self) -> u64 {
        0
    }

    fn add(&self, _record: i64, count: &mut u64) {
        *count += 1;
    }

    fn get_result(&self, count: &u64) -> u64 {
        *count
    }

    fn merge(&self, count: &mut u64, other: u64) {
        *count += other;
    }
}

/// Emits what has been counted with every thousandth record, which is not counted itself.
#[derive(Clone, Default)]
struct EveryThousandth {
    count: AggregatingState<i64, Count>,
    seen: u64,
}

impl KeyedFlatMapFunction<String, (String, i64), u64> for EveryThousandth {
    fn open(&mut self, context: &mut OpenContext<'_, String>) -> FnResult {
        self.count = context.aggregating_state(AggregatingStateDescriptor::new("count", Count))?;
        Ok(())
    }

    fn flat_map(
        &mut self,
        (_, value): (String, i64),
        context: &mut KeyedStateContext<'_, '_, String>,
        out: &mut Collector<'_, u64>,
    ) -> FnResult {
        self.seen += 1;
        if !self.seen.is_multiple_of(1000) {
            return Ok(self.count.add(context, value)?);
        }
        if let Some(count) = self.count.get(context)? {
            out.collect(count);
        }
        Ok(self.count.clear(context)?)
    }
}

fn main() -> ExitCode {
    flott::exit_code(run(&Options::parse()))
}

fn run(options: &Options) -> anyhow::Result<()> {
    let env = StreamExecutionEnvironment::from_options(&options.job)?;
    env.set_name("aggregating state");

    let records = GeneratorSource::new(options.records, |index| ("the only key".to_owned(), index as i64));
    env.from_source(records, WatermarkStrategy::no_watermarks(), "numbers")
        .key_by_ref(|(key, _)| key)
        .flat_map_with(EveryThousandth::default())
        .name("every thousandth")
        .uid("every thousandth")
        .print();

    env.execute()?;
    Ok(())
}
