//! Time, CPU time and memory of a piece of work.

use anyhow::{Context, Result};
use rustix::time::{ClockId, clock_gettime};

/// What a run has cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) checksum: u64,
}

fn now(clock: ClockId) -> f64 {
    let time = clock_gettime(clock);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Runs `work`, which returns its checksum.
pub(crate) fn measure(work: impl FnOnce() -> Result<u64>) -> Result<Cost> {
    let (wall, cpu) = (now(ClockId::Monotonic), now(ClockId::ProcessCPUTime));
    let checksum = work()?;
    let (seconds, cpu_seconds) = (now(ClockId::Monotonic) - wall, now(ClockId::ProcessCPUTime) - cpu);
    Ok(Cost { seconds, cpu_seconds, checksum })
}

/// Monotonic nanoseconds.
pub(crate) fn monotonic_ns() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Nanoseconds of CPU time of all threads of the process.
pub(crate) fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Forgets the peak of memory so far.
pub(crate) fn reset_peak_rss() {
    // Where the kernel doesn't allow it, the peak is that of the whole process.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// The peak of resident memory since the last reset, in bytes.
pub(crate) fn peak_rss() -> Result<u64> {
    status_bytes("self", "VmHWM")
}

/// A size in bytes from a process's status.
pub(crate) fn status_bytes(process: &str, field: &str) -> Result<u64> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("can't read {path}"))?;
    let line = status.lines().find(|line| line.starts_with(field));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024).with_context(|| format!("{path} has no {field}"))
}

/// The middle one of the costs by CPU time.
pub(crate) fn median(costs: &[Cost]) -> Option<Cost> {
    let mut sorted = costs.to_vec();
    sorted.sort_by(|a, b| a.cpu_seconds.total_cmp(&b.cpu_seconds));
    let middle = sorted.get(sorted.len() / 2)?;
    let mut seconds: Vec<f64> = costs.iter().map(|cost| cost.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    Some(Cost { seconds: seconds[seconds.len() / 2], ..*middle })
}
