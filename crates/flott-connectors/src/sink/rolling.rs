//! When a part is closed and the next one begun.

use std::time::Duration;

/// When a part is closed, beside checkpoints and the end of the input (Flink: `DefaultRollingPolicy`). Times are
/// looked at about once a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollingPolicy {
    /// When it holds this many bytes. Default: 128 MiB. A part may be larger by one batch of records.
    pub max_part_bytes: u64,
    /// When it was begun this long ago. Default: 60 s.
    pub rollover_interval: Duration,
    /// When nothing was written to it for this long. Default: 60 s.
    pub inactivity_interval: Duration,
}

impl Default for RollingPolicy {
    fn default() -> Self {
        Self {
            max_part_bytes: 128 << 20,
            rollover_interval: Duration::from_secs(60),
            inactivity_interval: Duration::from_secs(60),
        }
    }
}
