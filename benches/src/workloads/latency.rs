//! How long a record takes through a keyed exchange at a moderate rate.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use flott::prelude::*;
use flott_core::Batch;
use flott_runtime::sink::{
    BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext,
};

use super::environment;
use crate::Options;
use crate::event::splitmix64;
use crate::measure::{measure, monotonic_ns, peak_rss, reset_peak_rss};
use crate::report::{Latency, Report, cpu_ns};

const RATE: f64 = 100_000.0;

/// Records of the first half second are not counted: threads start, memory is touched for the first time.
const WARM_UP: u64 = 50_000;

pub(super) fn run(options: &Options) -> Result<Report> {
    let records = options.records.unwrap_or(500_000).max(2 * WARM_UP);
    let keys = options.keys;
    let latencies: Arc<Mutex<Vec<Arrival>>> = Arc::default();
    reset_peak_rss();
    let cost = measure(|| {
        let env = environment(options);
        let source =
            GeneratorSource::new(records, move |index| (splitmix64(index) % keys, monotonic_ns(), index));
        env.from_source(source.with_rate(RATE), WatermarkStrategy::no_watermarks(), "generator")
            .set_parallelism(1)
            .key_by(|(key, _, _)| *key)
            .reduce(|_, record| record)
            .sink_to(LatencySink { latencies: Arc::clone(&latencies) });
        env.execute()?;
        Ok(0)
    })?;
    let limit = since_due(&parked_thread(records)?);
    let arrivals = std::mem::take(&mut *latencies.lock().unwrap_or_else(PoisonError::into_inner));
    let latencies = since_due(&arrivals);
    Ok(Report {
        workload: "latency",
        parallelism: options.parallelism,
        records,
        keys,
        seconds: cost.seconds,
        records_per_second: records as f64 / cost.seconds,
        cpu_ns_per_record: cpu_ns(&cost, records),
        peak_rss_bytes: peak_rss()?,
        checksum: latencies.len() as u64,
        limit: None,
        ratio: None,
        without_broadcast_cpu_ns: None,
        latency: Some(quantiles(&latencies)),
        limit_latency: Some(quantiles(&limit)),
    })
}

fn quantiles(sorted_ns: &[u64]) -> Latency {
    let at = |quantile: f64| {
        let index = ((sorted_ns.len() as f64 * quantile) as usize).min(sorted_ns.len().saturating_sub(1));
        sorted_ns.get(index).map_or(f64::NAN, |ns| *ns as f64 / 1e3)
    };
    Latency { p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999), max_us: at(1.0) }
}

/// The limit: one thread that sleeps until records are due and sends them to another through a channel. How late it is
/// woken is the machine's share of the latency.
#[allow(clippy::disallowed_methods, reason = "the hand-written loop has no seam")]
fn parked_thread(records: u64) -> Result<Vec<Arrival>> {
    let (sender, receiver) = std::sync::mpsc::sync_channel::<Vec<(u64, u64)>>(64);
    let source = std::thread::spawn(move || {
        let (start, mut next) = (monotonic_ns(), 0);
        while next < records {
            let now = monotonic_ns();
            let due = (((now - start) as f64 * RATE / 1e9) as u64).min(records);
            if due > next {
                let batch = (next..due).map(|index| (index, monotonic_ns())).collect();
                next = due;
                if sender.send(batch).is_err() {
                    return;
                }
            } else {
                let until = start + ((next + 1) as f64 / RATE * 1e9) as u64;
                std::thread::park_timeout(Duration::from_nanos(until.saturating_sub(now).max(1)));
            }
        }
    });
    let mut arrivals = Vec::new();
    for batch in receiver {
        let arrived_ns = monotonic_ns();
        let arrival = |(index, created_ns)| Arrival { index, created_ns, arrived_ns };
        arrivals.extend(batch.into_iter().map(arrival));
    }
    source.join().map_err(|_| anyhow::anyhow!("the source of the hand-written loop panicked"))?;
    Ok(arrivals)
}

/// Key, time of creation, index.
type Timed = (u64, u64, u64);

/// When a record arrived at the sink.
#[derive(Clone, Copy)]
struct Arrival {
    index: u64,
    created_ns: u64,
    arrived_ns: u64,
}

/// Sorted latencies. Each counts from when the record was due, not from when it was made, so that a source that lags
/// behind is not forgiven. The source never makes a record early, so the earliest schedule that fits all records is its
/// schedule.
fn since_due(arrivals: &[Arrival]) -> Vec<u64> {
    let offset_ns = |index: u64| (index as f64 / RATE * 1e9) as u64;
    let start = arrivals.iter().map(|a| a.created_ns.saturating_sub(offset_ns(a.index))).min().unwrap_or(0);
    let counted = arrivals.iter().filter(|a| a.index >= WARM_UP);
    let mut latencies: Vec<u64> =
        counted.map(|a| a.arrived_ns.saturating_sub(start + offset_ns(a.index))).collect();
    latencies.sort_unstable();
    latencies
}

/// Notes the age of each record.
struct LatencySink {
    latencies: Arc<Mutex<Vec<Arrival>>>,
}

impl Sink<Timed> for LatencySink {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<Timed, Self>> {
        Ok(Box::new(LatencyWriter { latencies: Arc::clone(&self.latencies), own: Vec::new() }))
    }
}

struct LatencyWriter {
    latencies: Arc<Mutex<Vec<Arrival>>>,
    own: Vec<Arrival>,
}

impl SinkWriter<Timed> for LatencyWriter {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<Timed>, _context: WriteContext) -> FnResult {
        let arrived_ns = monotonic_ns();
        let records = batch.records.drain(..);
        self.own.extend(records.map(|(_, created_ns, index)| Arrival { index, created_ns, arrived_ns }));
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, end_of_input: bool) -> FnResult {
        if end_of_input {
            self.latencies.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.own);
        }
        Ok(())
    }
}
