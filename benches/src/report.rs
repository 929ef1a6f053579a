//! What a workload has shown, for people and for programs.

use serde::Serialize;

use crate::measure::Cost;

/// The result of a workload.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) workload: &'static str,
    pub(crate) parallelism: u32,
    pub(crate) records: u64,
    pub(crate) keys: u64,
    pub(crate) seconds: f64,
    pub(crate) records_per_second: f64,
    pub(crate) cpu_ns_per_record: f64,
    pub(crate) peak_rss_bytes: u64,
    pub(crate) checksum: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<Limit>,
    /// The loop's CPU time by flott's: 1 means as fast as the loop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio: Option<f64>,
    /// CPU nanoseconds a record of the same keyed function without a broadcast side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) without_broadcast_cpu_ns: Option<f64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub(crate) latency: Option<Latency>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit_latency: Option<Latency>,
}

/// What the hand-written loop has cost.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Limit {
    pub(crate) seconds: f64,
    pub(crate) cpu_ns_per_record: f64,
}

/// From when a record was due to when it reached the sink, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
}

/// CPU nanoseconds a record.
pub(crate) fn cpu_ns(cost: &Cost, records: u64) -> f64 {
    cost.cpu_seconds * 1e9 / records as f64
}

impl Report {
    /// Prints the report.
    pub(crate) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        let Self { workload, parallelism, records, keys, .. } = self;
        println!("{workload}: {records} records, {keys} keys, parallelism {parallelism}");
        println!("  {:>14.0} records/s in {:.3} s", self.records_per_second, self.seconds);
        println!("  {:>14.1} CPU ns a record", self.cpu_ns_per_record);
        println!("  {:>14.1} MiB peak memory", self.peak_rss_bytes as f64 / 1_048_576.0);
        if let (Some(limit), Some(ratio)) = (&self.limit, self.ratio) {
            println!("  {:>14.1} CPU ns a record in the hand-written loop", limit.cpu_ns_per_record);
            println!("  {ratio:>14.2} of the loop's speed");
        }
        if let Some(without) = self.without_broadcast_cpu_ns {
            let added = (self.cpu_ns_per_record / without - 1.0) * 100.0;
            println!("  {without:>14.1} CPU ns a record without a broadcast side, which adds {added:.0} %");
        }
        for (whose, latency) in [("flott", &self.latency), ("the hand-written loop", &self.limit_latency)] {
            let Some(Latency { p50_us, p99_us, p999_us, max_us }) = latency else { continue };
            println!(
                "  latency of {whose}: p50 {p50_us:.1} µs, p99 {p99_us:.1} µs, p99.9 {p999_us:.1} µs, max {max_us:.1} µs"
            );
        }
        Ok(())
    }
}
