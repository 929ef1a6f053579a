//! What checkpoints cost: the running sums of `keyed_sum` with one every second, beside the same job without any.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use flott::prelude::*;
use flott::sink::{BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext};
use flott_core::Batch;
use flott_core::config::{CheckpointRetention, keys};

use super::{environment, keyed_sum::RunningSum};
use crate::Options;
use crate::event::Event;
use crate::measure::{monotonic_ns, peak_rss, reset_peak_rss};

/// Time between two checkpoints.
const INTERVAL: Duration = Duration::from_secs(1);

/// Counts records, and notes how long each batch took.
#[derive(Clone, Default)]
struct Gaps {
    records: Arc<AtomicU64>,
    /// When so many records had come, the clock starts.
    from: u64,
    started_ns: Arc<AtomicU64>,
    first_ns: Arc<AtomicU64>,
    gaps_ns: Arc<Mutex<Vec<u64>>>,
}

struct GapWriter {
    shared: Gaps,
    last_ns: u64,
    gaps_ns: Vec<u64>,
}

impl Sink<(u64, i64)> for Gaps {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<(u64, i64), Self>> {
        Ok(Box::new(GapWriter { shared: self.clone(), last_ns: 0, gaps_ns: Vec::new() }))
    }
}

impl SinkWriter<(u64, i64)> for GapWriter {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<(u64, i64)>, _context: WriteContext) -> FnResult {
        let now_ns = monotonic_ns();
        let records = self.shared.records.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if records == 0 {
            self.shared.first_ns.store(now_ns, Ordering::Relaxed);
        }
        if records >= self.shared.from {
            let _ = self.shared.started_ns.compare_exchange(0, now_ns, Ordering::Relaxed, Ordering::Relaxed);
            if self.last_ns > 0 {
                self.gaps_ns.push(now_ns - self.last_ns);
            }
            self.last_ns = now_ns;
        }
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        let mut all = self.shared.gaps_ns.lock().unwrap_or_else(PoisonError::into_inner);
        all.append(&mut self.gaps_ns);
        Ok(())
    }
}

/// What one run has shown.
struct Run {
    records_per_second: f64,
    peak_rss_bytes: u64,
    gap_p999_ms: f64,
    gap_max_ms: f64,
    /// Of the checkpoints, in milliseconds.
    durations_ms: Vec<u64>,
    syncs_ms: f64,
    state_bytes: u64,
    failed: u64,
}

pub(super) fn run(options: &Options) -> Result<()> {
    let keys = options.keys;
    let records = options.records.unwrap_or(8 * keys.max(10_000_000));
    println!(
        "checkpoint: {records} records, {keys} keys, parallelism {}, {} run(s) in turn",
        options.parallelism, options.runs
    );
    let mut without = Vec::new();
    let mut with = Vec::new();
    for _ in 0..options.runs.max(1) {
        without.push(one(options, records, false)?);
        with.push(one(options, records, true)?);
    }
    let plain = show("without checkpoints", &without, None);
    show("with checkpoints", &with, Some(plain));
    restore(options, records)
}

fn job(options: &Options, records: u64, gaps: &Gaps) -> StreamExecutionEnvironment {
    let (env, keys) = (environment(options), options.keys);
    let source = GeneratorSource::new(records, move |index| Event::at(index, keys));
    let events = env.from_source(source, WatermarkStrategy::no_watermarks(), "generator").uid("generator");
    events.key_by(|event| event.key).process(RunningSum::default()).uid("sum").sink_to(gaps.clone());
    env
}

fn one(options: &Options, records: u64, checkpoints: bool) -> Result<Run> {
    // Each key has come once by then, most of them more often.
    let gaps = Gaps { from: 3 * options.keys.min(records / 4), ..Gaps::default() };
    let directory = tempfile::tempdir()?;
    reset_peak_rss();
    let env = job(options, records, &gaps);
    if checkpoints {
        env.enable_checkpointing(INTERVAL)
            .set(&keys::CHECKPOINT_DIRECTORY, directory.path().display().to_string())
            .set(&keys::CHECKPOINTS_AFTER_TASKS_FINISH, false);
    }
    let handle = env.execute_async()?;
    let (mut seen, mut durations_ms, mut syncs_ms, mut state_bytes) = (0, Vec::new(), 0.0_f64, 0);
    let result = loop {
        if let Some(result) = handle.wait_for(Duration::from_millis(100)) {
            break result;
        }
        let latest = handle.checkpoints().latest;
        let last = seen;
        for figures in latest.into_iter().filter(|figures| figures.checkpoint > last) {
            seen = figures.checkpoint;
            durations_ms.push(figures.duration_ms);
            state_bytes = figures.state_bytes();
            let syncs = figures.subtasks.values().map(|subtask| subtask.sync_ns as f64 / 1e6);
            syncs_ms = syncs.fold(syncs_ms, f64::max);
        }
    };
    result?;
    let seconds = (monotonic_ns() - gaps.started_ns.load(Ordering::Relaxed)) as f64 / 1e9;
    let counted = records.saturating_sub(gaps.from);
    let mut all = std::mem::take(&mut *gaps.gaps_ns.lock().unwrap_or_else(PoisonError::into_inner));
    ensure!(!all.is_empty(), "too few records for a figure");
    all.sort_unstable();
    let at = |part: f64| all[((all.len() - 1) as f64 * part) as usize] as f64 / 1e6;
    Ok(Run {
        records_per_second: counted as f64 / seconds,
        peak_rss_bytes: peak_rss()?,
        gap_p999_ms: at(0.999),
        gap_max_ms: at(1.0),
        durations_ms,
        syncs_ms,
        state_bytes,
        failed: handle.checkpoints().failed,
    })
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Prints the medians of some runs; returns throughput and memory.
fn show(name: &str, runs: &[Run], plain: Option<(f64, f64)>) -> (f64, f64) {
    let of = |figure: fn(&Run) -> f64| median(runs.iter().map(figure).collect());
    let (speed, memory) = (of(|run| run.records_per_second), of(|run| run.peak_rss_bytes as f64));
    println!("{name}:");
    println!("  {speed:>14.0} records/s, {:.1} MiB peak memory", memory / 1_048_576.0);
    println!(
        "  {:>14.2} ms p99.9 of the time from batch to batch, {:.2} ms at most",
        of(|run| run.gap_p999_ms),
        of(|run| run.gap_max_ms)
    );
    if let Some((plain_speed, plain_memory)) = plain {
        let durations =
            runs.iter().flat_map(|run| &run.durations_ms).map(|ms| *ms as f64).collect::<Vec<_>>();
        let failed: u64 = runs.iter().map(|run| run.failed).sum();
        println!("  {:>14.1} % of the speed without", 100.0 * speed / plain_speed);
        println!("  {:>14.1} % more memory", 100.0 * (memory / plain_memory - 1.0));
        println!(
            "  {:>14} checkpoints, {failed} failed, median {:.0} ms, longest stop of a task {:.2} ms, state {:.1} MiB",
            durations.len(),
            median(durations),
            of(|run| run.syncs_ms),
            of(|run| run.state_bytes as f64) / 1_048_576.0,
        );
    }
    (speed, memory)
}

/// How long it takes from the start of a job until its first record, from a checkpoint of all keys, at the same parallelism and
/// at another one.
fn restore(options: &Options, records: u64) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let settings = |env: &StreamExecutionEnvironment| {
        env.enable_checkpointing(Duration::from_secs(3_600))
            .set(&keys::CHECKPOINT_DIRECTORY, directory.path().display().to_string())
            .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation);
    };
    let gaps = Gaps { from: 3 * options.keys, ..Gaps::default() };
    let env = job(options, records, &gaps);
    settings(&env);
    let handle = env.execute_async()?;
    while gaps.records.load(Ordering::Relaxed) < gaps.from {
        ensure!(handle.wait_for(Duration::from_millis(10)).is_none(), "the job ended too early");
    }
    let checkpoint = handle.trigger_checkpoint()?;
    handle.cancel();
    // It was cancelled, which is what it says.
    drop(handle.wait());
    for parallelism in [options.parallelism, options.parallelism + 1] {
        let gaps = Gaps::default();
        let env = job(&Options { parallelism, ..options.clone() }, records, &gaps);
        settings(&env);
        env.set(&keys::RESTORE_PATH, checkpoint.clone());
        let started_ns = monotonic_ns();
        let handle = env.execute_async()?;
        while gaps.records.load(Ordering::Relaxed) == 0 {
            ensure!(handle.wait_for(Duration::from_millis(1)).is_none(), "the job ended too early");
        }
        handle.cancel();
        drop(handle.wait());
        let first_ns = gaps.first_ns.load(Ordering::Relaxed);
        let seconds = first_ns.checked_sub(started_ns).context("time went back")? as f64 / 1e9;
        println!("restored at parallelism {parallelism}: the first record came after {seconds:.2} s");
    }
    Ok(())
}
