//! The machine's clock.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use flott_core::seam::Clock;
use flott_core::time::Timestamp;

use super::parker::current_parker;

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    #[allow(clippy::disallowed_methods, reason = "this is the seam")]
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the seam")]
    fn wall_ms(&self) -> Timestamp {
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        }
    }

    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// The clock of the present thread: the machine's, or that of a simulation in which the thread runs.
pub fn clock() -> Arc<dyn Clock> {
    let simulated = current_parker().and_then(|parker| parker.clock());
    simulated.unwrap_or_else(|| Arc::new(SystemClock::new()))
}
