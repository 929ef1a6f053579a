//! Figures of a vertex over the time between two looks.

use flott_runtime::metrics::{VertexMetrics, VertexSnapshot};

/// What happened in a vertex since the last look.
pub(super) struct Rates {
    pub(super) in_per_second: f64,
    pub(super) out_per_second: f64,
    /// Share of the subtasks' time spent waiting for room downstream, 0 to 1.
    pub(super) back_pressure: f64,
    /// Share of the subtasks' time spent working, 0 to 1.
    pub(super) busy: f64,
    pub(super) now: VertexSnapshot,
}

/// Remembers the last look at a vertex.
#[derive(Default)]
pub(super) struct RateMeter {
    last: VertexSnapshot,
}

impl RateMeter {
    /// Looks again, `seconds` after the last time.
    pub(super) fn look(&mut self, vertex: &VertexMetrics, seconds: f64) -> Rates {
        let (now, last) = (vertex.snapshot(), self.last);
        self.last = now;
        let per_second = |now: u64, last: u64| now.saturating_sub(last) as f64 / seconds;
        let time_ns = vertex.subtasks.len() as f64 * 1e9;
        let share = |now: u64, last: u64| (per_second(now, last) / time_ns).clamp(0.0, 1.0);
        let back_pressure = share(now.back_pressured_ns, last.back_pressured_ns);
        let idle = share(now.idle_ns, last.idle_ns);
        Rates {
            in_per_second: per_second(now.records_in, last.records_in),
            out_per_second: per_second(now.records_out, last.records_out),
            back_pressure,
            busy: (1.0 - back_pressure - idle).max(0.0),
            now,
        }
    }
}
