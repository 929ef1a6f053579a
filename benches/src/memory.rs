//! What state costs in memory: peaks of processes that hold much of it, above that of one that holds none.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use flott::prelude::*;

use crate::Options;
use crate::measure::peak_rss;

/// What a child process keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Kept {
    /// Nothing: the records only pass.
    Nothing,
    /// A `ValueState` of `u64` → `i64` for each record.
    Values,
    /// An event-time timer for each record, all at distinct times.
    Timers,
}

const RECORDS: u64 = 10_000_000;

/// Prints the bytes an entry of state and a timer take.
pub(crate) fn run(options: &Options) -> Result<()> {
    let records = options.records.unwrap_or(RECORDS);
    let empty = peak_of_child(Kept::Nothing, records)?;
    let per_record = |kept| -> Result<f64> {
        Ok(peak_of_child(kept, records)?.saturating_sub(empty) as f64 / records as f64)
    };
    let (value, timer) = (per_record(Kept::Values)?, per_record(Kept::Timers)?);
    if options.json {
        println!(
            r#"{{"workload":"memory","records":{records},"empty_rss_bytes":{empty},"bytes_per_value":{value:.1},"bytes_per_timer":{timer:.1}}}"#
        );
    } else {
        println!(
            "memory: peak resident memory above a job without state, by the number of records ({records})"
        );
        println!("  {value:>14.1} bytes a ValueState entry of u64 -> i64");
        println!("  {timer:>14.1} bytes an event-time timer of a u64 key, set and fired");
    }
    Ok(())
}

fn peak_of_child(kept: Kept, records: u64) -> Result<u64> {
    let kept = clap::ValueEnum::to_possible_value(&kept).context("every kind has a name")?;
    let out = Command::new(std::env::current_exe()?)
        .args(["child_memory", "--kept", kept.get_name(), "--records", &records.to_string()])
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(out.status.success(), "the child that keeps {} failed", kept.get_name());
    String::from_utf8(out.stdout)?.trim().parse().context("the child told no number of bytes")
}

/// In the child: runs the job and prints the peak of its memory.
pub(crate) fn child(options: &Options) -> Result<()> {
    let records = options.records.unwrap_or(RECORDS);
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(1).set_quiet(true);
    env.from_source(
        GeneratorSource::new(records, |index| index),
        WatermarkStrategy::no_watermarks(),
        "generator",
    )
    .key_by(|index| *index)
    .process(Keep { kept: options.kept, value: ValueState::default() })
    .discard();
    env.execute()?;
    println!("{}", peak_rss()?);
    Ok(())
}

#[derive(Clone)]
struct Keep {
    kept: Kept,
    value: ValueState<i64>,
}

impl KeyedProcessFunction<u64, u64, u64> for Keep {
    fn open(&mut self, context: &mut OpenContext<'_, u64>) -> FnResult {
        self.value = context.value_state(ValueStateDescriptor::new("value"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        index: u64,
        context: &mut KeyedContext<'_, u64>,
        _out: &mut Collector<'_, u64>,
    ) -> FnResult {
        match self.kept {
            Kept::Nothing => {}
            Kept::Values => self.value.update(context, index as i64)?,
            Kept::Timers => context.register_event_time_timer(index as i64 * 10),
        }
        Ok(())
    }
}
