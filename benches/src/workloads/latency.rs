//! How long a record takes through a keyed exchange at a moderate rate.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::Result;
use flott::prelude::*;
use flott_core::Batch;
use flott_runtime::sink::{NoCommittable, Sink, SinkContext, SinkWriter, WriteContext};

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
    let latencies: Arc<Mutex<Vec<u64>>> = Arc::default();
    reset_peak_rss();
    let cost = measure(|| {
        let env = environment(options);
        let start = Arc::new(OnceLock::new());
        // A record's latency counts from when it was due, so that a source that lags behind is not forgiven.
        let source = GeneratorSource::new(records, move |index| {
            let start = *start.get_or_init(|| monotonic_ns() - (1e9 / RATE) as u64);
            let due = start + (index as f64 / RATE * 1e9) as u64;
            (splitmix64(index) % keys, due, index)
        });
        env.from_source(source.with_rate(RATE), WatermarkStrategy::no_watermarks(), "generator")
            .set_parallelism(1)
            .key_by(|(key, _, _)| *key)
            .reduce(|_, record| record)
            .sink_to(LatencySink { latencies: Arc::clone(&latencies) });
        env.execute()?;
        Ok(0)
    })?;
    let mut latencies = std::mem::take(&mut *latencies.lock().unwrap_or_else(PoisonError::into_inner));
    latencies.sort_unstable();
    let at = |quantile: f64| {
        let index = ((latencies.len() as f64 * quantile) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(index).map_or(f64::NAN, |ns| *ns as f64 / 1e3)
    };
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
        latency: Some(Latency { p50_us: at(0.5), p99_us: at(0.99), p999_us: at(0.999), max_us: at(1.0) }),
    })
}

type Timed = (u64, u64, u64);

/// Notes the age of each record.
struct LatencySink {
    latencies: Arc<Mutex<Vec<u64>>>,
}

impl Sink<Timed> for LatencySink {
    type Committable = NoCommittable;

    fn create_writer(
        &self,
        _context: &SinkContext,
    ) -> FnResult<Box<dyn SinkWriter<Timed, Committable = NoCommittable>>> {
        Ok(Box::new(LatencyWriter { latencies: Arc::clone(&self.latencies), own: Vec::new() }))
    }
}

struct LatencyWriter {
    latencies: Arc<Mutex<Vec<u64>>>,
    own: Vec<u64>,
}

impl SinkWriter<Timed> for LatencyWriter {
    type Committable = NoCommittable;

    fn write(&mut self, batch: &mut Batch<Timed>, _context: WriteContext) -> FnResult {
        let now = monotonic_ns();
        let counted = batch.records.drain(..).filter(|(_, _, index)| *index >= WARM_UP);
        self.own.extend(counted.map(|(_, due, _)| now.saturating_sub(due)));
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
