//! When silence becomes idleness.

use std::time::Duration;

/// Measures silence by probes: the first probe that finds nothing new starts the measurement, a later one that comes
/// more than the timeout after it finds idleness. So records cost no clock reading.
pub(super) struct IdlenessTimer {
    timeout_ns: u64,
    was_active: bool,
    silent_since_ns: Option<u64>,
}

impl IdlenessTimer {
    /// A timer at the start of which nothing is known to be silent.
    pub(super) fn new(timeout: Duration) -> Self {
        let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        Self { timeout_ns, was_active: true, silent_since_ns: None }
    }

    /// Something happened since the last probe.
    pub(super) const fn note_activity(&mut self) {
        self.was_active = true;
    }

    /// Whether the silence has lasted longer than the timeout.
    pub(super) fn probe(&mut self, now_ns: u64) -> bool {
        if std::mem::replace(&mut self.was_active, false) {
            self.silent_since_ns = None;
            return false;
        }
        let since_ns = *self.silent_since_ns.get_or_insert(now_ns);
        now_ns.saturating_sub(since_ns) > self.timeout_ns
    }
}
