//! Log lines about a running job, where there is no terminal.

use flott_core::seam::Clock;
use flott_runtime::error::JobError;
use flott_runtime::job::{JobHandle, JobResult};
use flott_runtime::seam::SystemClock;

use super::rates::RateMeter;
use super::text;

/// Writes a line for each vertex now and then.
pub(super) struct Log {
    meters: Vec<RateMeter>,
    clock: SystemClock,
    last_ns: u64,
}

impl Log {
    pub(super) fn new(handle: &JobHandle) -> Self {
        tracing::info!("job '{}' runs with {} vertices", handle.name(), handle.vertices().len());
        let clock = SystemClock::new();
        let meters = handle.vertices().iter().map(|_| RateMeter::default()).collect();
        Self { meters, last_ns: clock.monotonic_ns(), clock }
    }

    pub(super) fn write(&mut self, handle: &JobHandle) {
        let now_ns = self.clock.monotonic_ns();
        let seconds = (now_ns - self.last_ns).max(1) as f64 / 1e9;
        self.last_ns = now_ns;
        for (meter, vertex) in self.meters.iter_mut().zip(handle.vertices()) {
            let rates = meter.look(vertex, seconds);
            tracing::info!(
                "{}: in {}/s, out {}/s, busy {:.0} %, back-pressure {:.0} %, watermark {}",
                vertex.name,
                text::count(rates.in_per_second),
                text::count(rates.out_per_second),
                rates.busy * 100.0,
                rates.back_pressure * 100.0,
                text::watermark(rates.now.watermark),
            );
        }
        Self::write_checkpoints(handle);
    }

    /// Writes a line about the checkpoints, if there are any.
    fn write_checkpoints(handle: &JobHandle) {
        if let Some(line) = text::checkpoints(&handle.checkpoints()) {
            tracing::info!("{line}");
        }
    }

    pub(super) fn end(handle: &JobHandle, result: &Result<JobResult, JobError>) {
        // A failure is the caller's to tell.
        if let Ok(result) = result {
            tracing::info!(
                "job '{}' finished after {:.2} s",
                handle.name(),
                result.net_runtime.as_secs_f64()
            );
        }
    }
}
