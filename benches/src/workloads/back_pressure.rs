//! How long checkpoints take while records wait before a slow sink: aligned ones, and those that overtake the records.

use std::time::Duration;

use anyhow::Result;
use flott::prelude::*;
use flott::sink::{BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext};
use flott_core::Batch;
use flott_runtime::seam::Signal;

use super::{environment, keyed_sum::RunningSum};
use crate::Options;
use crate::event::Event;
use crate::measure::monotonic_ns;

/// Time between two checkpoints.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long each job runs.
const RUN: Duration = Duration::from_secs(60);

/// How long the sink takes for a record.
const EACH: Duration = Duration::from_millis(20);

/// Takes its time.
struct Slow;

impl Sink<(u64, i64)> for Slow {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<(u64, i64), Self>> {
        Ok(Box::new(Self))
    }
}

impl SinkWriter<(u64, i64)> for Slow {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<(u64, i64)>, _context: WriteContext) -> FnResult {
        batch.records.drain(..).for_each(|_| wait(EACH));
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }
}

/// Waits, also where the thread is woken for something else.
fn wait(time: Duration) {
    let pause = Signal::new();
    pause.adopt();
    let until_ns = monotonic_ns() + time.as_nanos() as u64;
    while let Some(left_ns) = until_ns.checked_sub(monotonic_ns()).filter(|left| *left > 0) {
        pause.wait(Some(Duration::from_nanos(left_ns)));
    }
}

pub(super) fn run(options: &Options) -> Result<()> {
    println!(
        "back_pressure: a sink that takes {} ms for each record, for {} s, a checkpoint every second, parallelism {}",
        EACH.as_millis(),
        RUN.as_secs(),
        options.parallelism
    );
    one(options, "unaligned", true)?;
    one(options, "aligned", false)
}

fn one(options: &Options, name: &str, unaligned: bool) -> Result<()> {
    let (env, keys) = (environment(options), options.keys);
    env.enable_checkpointing(INTERVAL);
    if unaligned {
        env.enable_unaligned_checkpoints();
    }
    let source = GeneratorSource::new(u64::MAX, move |index| Event::at(index, keys));
    let events = env.from_source(source, WatermarkStrategy::no_watermarks(), "generator");
    let sums = events.key_by(|event| event.key).process(RunningSum::default());
    // Not chained to the sums, whose checkpoint must not wait for the sink either.
    sums.rebalance().sink_to(Slow);
    let handle = env.execute_async()?;
    let (mut seen, mut all, mut persisted) = (0, Vec::new(), 0);
    let seconds = RUN.as_secs();
    for _ in 0..seconds {
        if let Some(result) = handle.wait_for(Duration::from_secs(1)) {
            result?;
        }
        let last = seen;
        for figures in handle.checkpoints().latest.into_iter().filter(|figures| figures.checkpoint > last) {
            seen = figures.checkpoint;
            all.push(figures.duration_ms);
            persisted = persisted.max(figures.persisted_bytes());
        }
    }
    let triggered = handle.checkpoints().triggered;
    handle.cancel();
    // It was cancelled, which is what it says.
    drop(handle.wait());
    all.sort_unstable();
    let [median, longest] = [all.get(all.len() / 2), all.last()].map(|ms| match ms {
        Some(ms) => format!("{ms} ms"),
        None => "none".to_owned(),
    });
    println!(
        "{name:>10}: {} of {triggered} checkpoints complete, median {median}, longest {longest}, up to {:.2} MiB in flight",
        all.len(),
        persisted as f64 / 1_048_576.0
    );
    Ok(())
}
