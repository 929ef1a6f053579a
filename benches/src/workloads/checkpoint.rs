//! What checkpoints cost: the running sums of `keyed_sum` with one every second, and without, by turns in one job whose state has
//! all its keys.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flott::prelude::*;
use flott_core::config::{CheckpointRetention, keys};
use flott_runtime::job::{CheckpointFigures, JobHandle};

use super::{environment, keyed_sum::RunningSum};
use crate::Options;
use crate::event::{Event, splitmix64};
use crate::measure::{cpu_ns, monotonic_ns, peak_rss, reset_peak_rss};
use gaps::Gaps;

mod gaps;

/// So long is a phase with checkpoints, or without.
const PHASE: Duration = Duration::from_secs(5);

/// Time between two checkpoints.
const INTERVAL: Duration = Duration::from_secs(1);

/// More than any run gets through.
const RECORDS: u64 = 1 << 40;

/// What one phase has shown.
struct Phase {
    records_per_second: f64,
    cpu_ns_per_record: f64,
    peak_rss_bytes: u64,
    gap_p999_ms: f64,
    gap_max_ms: f64,
    checkpoints: Vec<CheckpointFigures>,
}

pub(super) fn run(options: &Options) -> Result<()> {
    println!(
        "checkpoint: {} keys, of which {} % come between two checkpoints, parallelism {}, {} checkpoints; {} times {} s without and with",
        options.keys,
        options.changing,
        options.parallelism,
        if options.incremental { "incremental" } else { "full" },
        options.runs.max(1),
        PHASE.as_secs(),
    );
    let directory = tempfile::tempdir()?;
    let (gaps, hot) = (Gaps::default(), Arc::new(AtomicU64::new(0)));
    let env = job(options, &gaps, &hot, directory.path());
    let handle = env.execute_async()?;
    // All keys but for a few in a hundred have come by then, and tables have grown for the last time.
    while gaps.records() < 4 * options.keys {
        ensure!(handle.wait_for(Duration::from_millis(10)).is_none(), "the job ended too early");
    }
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for _ in 0..options.runs.max(1) {
        without.push(phase(&handle, &gaps, &hot, false)?);
        if options.incremental && with.is_empty() {
            // What changes are on top of is there when it is measured.
            handle.trigger_checkpoint()?;
        }
        with.push(phase(&handle, &gaps, &hot, true)?);
    }
    show(&without, &with);
    let checkpoint = handle.trigger_checkpoint()?;
    handle.cancel();
    // It was cancelled, which is what it says.
    drop(handle.wait());
    for parallelism in [options.parallelism, options.parallelism + 1] {
        restore(&Options { parallelism, ..options.clone() }, directory.path(), &checkpoint)?;
    }
    Ok(())
}

/// Records of all keys, or from the time that `hot` is a number, of a part of them that is another for each number.
fn job(
    options: &Options,
    gaps: &Gaps,
    hot: &Arc<AtomicU64>,
    directory: &std::path::Path,
) -> StreamExecutionEnvironment {
    let (env, keys, hot) = (environment(options), options.keys, Arc::clone(hot));
    env.enable_checkpointing(Duration::from_secs(3_600))
        .set(&keys::CHECKPOINT_DIRECTORY, directory.display().to_string())
        .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation)
        .set(&keys::INCREMENTAL_CHECKPOINTS, options.incremental);
    let parts = (100.0 / options.changing.clamp(0.01, 100.0)).round() as u64;
    let event = move |index| match hot.load(Ordering::Relaxed) {
        number if number > 0 && parts > 1 => {
            let key = splitmix64(index) % (keys / parts) * parts + number % parts;
            Event { key, value: index as i64 }
        }
        _ => Event::at(index, keys),
    };
    let events = GeneratorSource::new(RECORDS, event);
    let events = env.from_source(events, WatermarkStrategy::no_watermarks(), "generator").uid("generator");
    events.key_by(|event| event.key).process(RunningSum::default()).uid("sum").sink_to(gaps.clone());
    env
}

fn phase(handle: &JobHandle, gaps: &Gaps, hot: &AtomicU64, takes_checkpoints: bool) -> Result<Phase> {
    reset_peak_rss();
    gaps.set_phase(1);
    let (from, started_ns, cpu_from_ns) = (gaps.records(), monotonic_ns(), cpu_ns());
    let mut checkpoints = Vec::new();
    for second in 1..=PHASE.as_secs() / INTERVAL.as_secs() {
        hot.fetch_add(1, Ordering::Relaxed);
        if takes_checkpoints {
            handle.trigger_checkpoint()?;
            checkpoints.extend(handle.checkpoints().latest.back().cloned());
        }
        let until_ns = started_ns + second * INTERVAL.as_nanos() as u64;
        let rest = Duration::from_nanos(until_ns.saturating_sub(monotonic_ns()));
        ensure!(handle.wait_for(rest).is_none(), "the job ended too early");
    }
    let (records, ns) = (gaps.records() - from, monotonic_ns() - started_ns);
    let cpu_ns = cpu_ns() - cpu_from_ns;
    gaps.set_phase(0);
    handle.wait_for(Duration::from_millis(200));
    let all = gaps.take_ns();
    ensure!(!all.is_empty(), "too few records for a figure");
    let at = |part: f64| all[((all.len() - 1) as f64 * part) as usize] as f64 / 1e6;
    Ok(Phase {
        records_per_second: records as f64 * 1e9 / ns as f64,
        cpu_ns_per_record: cpu_ns as f64 / records as f64,
        peak_rss_bytes: peak_rss()?,
        gap_p999_ms: at(0.999),
        gap_max_ms: at(1.0),
        checkpoints,
    })
}

fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints the medians of the phases.
fn show(without: &[Phase], with: &[Phase]) {
    const MIB: f64 = 1_048_576.0;
    for (name, phases) in [("without checkpoints", without), ("with checkpoints", with)] {
        let of = |figure: fn(&Phase) -> f64| median(phases.iter().map(figure));
        println!("{name}:");
        println!(
            "  {:>14.0} records/s, {:.1} ns of CPU time a record, {:.1} MiB peak memory",
            of(|phase| phase.records_per_second),
            of(|phase| phase.cpu_ns_per_record),
            of(|phase| phase.peak_rss_bytes as f64) / MIB
        );
        println!(
            "  {:>14.2} ms p99.9 of the time from batch to batch, {:.2} ms at most",
            of(|phase| phase.gap_p999_ms),
            of(|phase| phase.gap_max_ms)
        );
    }
    // Neighbours in time, as the machine may have other work.
    let pairs = || without.iter().zip(with);
    let speed = median(pairs().map(|(plain, with)| with.records_per_second / plain.records_per_second));
    let cpu = median(pairs().map(|(plain, with)| plain.cpu_ns_per_record / with.cpu_ns_per_record));
    // Of the first, as what a checkpoint has taken is not given back at once.
    let memory = with.iter().map(|phase| phase.peak_rss_bytes).max().unwrap_or_default() as f64
        / without.first().map_or(f64::NAN, |phase| phase.peak_rss_bytes as f64);
    println!("  {:>14.1} % of the speed without, {:.1} % by CPU time", 100.0 * speed, 100.0 * cpu);
    println!("  {:>14.1} % more memory", 100.0 * (memory - 1.0));
    let checkpoints = || with.iter().flat_map(|phase| &phase.checkpoints);
    let syncs = checkpoints().flat_map(|of| of.subtasks.values()).map(|subtask| subtask.sync_ns as f64 / 1e6);
    println!(
        "  {:>14} checkpoints, median {:.0} ms, longest stop of a task {:.2} ms, {:.1} MiB written, state {:.1} MiB",
        checkpoints().count(),
        median(checkpoints().map(|of| of.duration_ms as f64)),
        syncs.fold(0.0, f64::max),
        median(checkpoints().map(|of| of.checkpointed_bytes() as f64)) / MIB,
        median(checkpoints().map(|of| of.state_bytes() as f64)) / MIB,
    );
}

/// How long it takes from the start of a job until all subtasks have their first record, from a checkpoint of all keys.
fn restore(options: &Options, directory: &std::path::Path, checkpoint: &str) -> Result<()> {
    let gaps = Gaps::default();
    let env = job(options, &gaps, &Arc::default(), directory);
    env.set(&keys::RESTORE_PATH, checkpoint.to_owned());
    let started_ns = monotonic_ns();
    let handle = env.execute_async()?;
    let first_ns = loop {
        if let Some(first_ns) = gaps.started_ns(options.parallelism) {
            break first_ns;
        }
        ensure!(handle.wait_for(Duration::from_millis(1)).is_none(), "the job ended too early");
    };
    handle.cancel();
    drop(handle.wait());
    let seconds = first_ns.checked_sub(started_ns).context("time went back")? as f64 / 1e9;
    println!("restored at parallelism {}: all subtasks run after {seconds:.2} s", options.parallelism);
    Ok(())
}
