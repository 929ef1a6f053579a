//! The workloads.

mod back_pressure;
mod broadcast;
mod checkpoint;
mod keyed_sum;
mod larger_than_memory;
mod latency;
mod map_state;
#[cfg(feature = "rocksdb")]
mod rocksdb_loop;
mod session_sum;
mod sliding_sum;
mod stateless;
mod sum;
mod timers;
mod window_sum;
mod word_count;

use anyhow::{Result, ensure};
use flott::prelude::{StreamExecutionEnvironment, WatermarkStrategy};
use flott_core::config::{MemorySize, keys};

use crate::event::Event;
use crate::measure::{Cost, measure, median, peak_rss, reset_peak_rss};
use crate::report::{Limit, Report, cpu_ns};
use crate::{Options, Workload, child, memory};

/// Runs the chosen workload and prints what it has shown.
pub(crate) fn run(options: &Options) -> Result<()> {
    let report = match options.workload {
        Workload::Stateless => stateless::run(options)?,
        Workload::WordCount => word_count::run(options)?,
        Workload::KeyedSum => keyed_sum::run(options)?,
        Workload::WindowSum => window_sum::run(options)?,
        Workload::SlidingSum => sliding_sum::run(options)?,
        Workload::MapState => map_state::run(options)?,
        Workload::Broadcast => broadcast::run(options)?,
        Workload::SessionSum => session_sum::run(options)?,
        Workload::Timers => timers::run(options)?,
        Workload::Latency => latency::run(options)?,
        Workload::Checkpoint => return checkpoint::run(options),
        Workload::BackPressure => return back_pressure::run(options),
        Workload::Startup => return child::startup(options),
        Workload::Idle => return child::idle(options),
        Workload::Memory => return memory::run(options),
        Workload::LargerThanMemory => return larger_than_memory::run(options),
        Workload::ChildMemory => return memory::child(options),
        Workload::ChildFirstRecord => return child::first_record(),
        Workload::ChildIdle => return child::idle_job(),
    };
    report.print(options.json)
}

/// An environment of the wanted parallelism that shows nothing.
fn environment(options: &Options) -> StreamExecutionEnvironment {
    let env = StreamExecutionEnvironment::new();
    env.set_parallelism(options.parallelism).set_quiet(true);
    env.set_state_backend(options.backend.clone());
    env.set(&keys::MANAGED_MEMORY, MemorySize::of_mebibytes(options.memory_mib));
    env
}

/// Timestamps of the events, which never decrease.
fn event_time() -> WatermarkStrategy<Event> {
    WatermarkStrategy::for_monotonous_timestamps()
        .with_timestamp_assigner(|event: &Event, _| event.timestamp())
}

/// Runs flott and the loop in turn and compares their medians.
fn compare(
    workload: &'static str,
    options: &Options,
    records: u64,
    flott: impl Fn() -> Result<u64>,
    limit: impl Fn() -> u64,
) -> Result<Report> {
    compare_with(workload, options, records, flott, || Ok(limit()))
}

/// As [`compare`], with a loop that may fail.
fn compare_with(
    workload: &'static str,
    options: &Options,
    records: u64,
    flott: impl Fn() -> Result<u64>,
    limit: impl Fn() -> Result<u64>,
) -> Result<Report> {
    let (mut flott_costs, mut limit_costs): (Vec<Cost>, Vec<Cost>) = (Vec::new(), Vec::new());
    reset_peak_rss();
    flott_costs.push(measure(&flott)?);
    let peak_rss_bytes = peak_rss()?;
    for run in 0..options.runs.max(1) {
        if run > 0 {
            flott_costs.push(measure(&flott)?);
        }
        if !options.no_limit {
            limit_costs.push(measure(&limit)?);
        }
    }
    summarize(workload, options, records, &flott_costs, &limit_costs, peak_rss_bytes)
}

/// What the runs of flott and of the loop have shown. They must all have come to the same checksum.
fn summarize(
    workload: &'static str,
    options: &Options,
    records: u64,
    flott_costs: &[Cost],
    limit_costs: &[Cost],
    peak_rss_bytes: u64,
) -> Result<Report> {
    let cost = median(flott_costs).unwrap_or(flott_costs[0]);
    let limit = median(limit_costs);
    for other in flott_costs.iter().chain(limit_costs) {
        ensure!(
            other.checksum == cost.checksum,
            "{workload} is wrong: checksums {:016x} and {:016x} differ",
            cost.checksum,
            other.checksum
        );
    }
    Ok(Report {
        workload,
        parallelism: options.parallelism,
        records,
        keys: options.keys,
        seconds: cost.seconds,
        records_per_second: records as f64 / cost.seconds,
        cpu_ns_per_record: cpu_ns(&cost, records),
        peak_rss_bytes,
        checksum: cost.checksum,
        limit: limit.map(|l| Limit { seconds: l.seconds, cpu_ns_per_record: cpu_ns(&l, records) }),
        ratio: limit.map(|limit| limit.cpu_seconds / cost.cpu_seconds),
        without_broadcast_cpu_ns: None,
        latency: None,
        limit_latency: None,
    })
}
