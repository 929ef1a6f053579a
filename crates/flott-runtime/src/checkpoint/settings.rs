//! The settings of checkpointing, and which of them go together.

use std::time::Duration;

use flott_core::config::{CheckpointRetention, CheckpointingMode, ConfigError, Configuration, keys};
use serde::{Deserialize, Serialize};

/// Longer pauses than a year are shortened to one, so that no sum of times overflows.
const LONGEST_PAUSE_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

/// How a job takes checkpoints (Flink: `CheckpointConfig`). Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointSettings {
    /// Time between two periodic checkpoints; `None`: only savepoints and checkpoints that are asked for.
    pub interval_ms: Option<u64>,
    /// Exactly once or at least once.
    pub mode: CheckpointingMode,
    /// Time after which a checkpoint that is not complete is given up.
    pub timeout_ms: u64,
    /// Shortest time between the end of one checkpoint and the start of the next.
    pub min_pause_ms: u64,
    /// How many checkpoints may be under way at once.
    pub max_concurrent: u32,
    /// How many checkpoints in a row may fail before the job does.
    pub tolerable_failures: u32,
    /// Whether a checkpoint may store only what has changed since an earlier one.
    pub incremental: bool,
    /// Whether barriers overtake records.
    pub unaligned: bool,
    /// Whether they do so even where a custom partitioner spreads records.
    pub unaligned_forced: bool,
    /// How long an unaligned checkpoint tries to be an aligned one.
    pub aligned_timeout_ms: u64,
    /// Which checkpoints stay when the job ends.
    pub retention: CheckpointRetention,
    /// How many completed checkpoints are kept.
    pub num_retained: u32,
    /// Whether there are checkpoints while some tasks have finished, and a last one when all have.
    pub after_tasks_finish: bool,
}

/// Settings that don't go together. Each message is one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// A value is missing or invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),

    /// Unaligned checkpoints can't overlap.
    #[error(
        "execution.checkpointing.max-concurrent-checkpoints is {max_concurrent}, but unaligned checkpoints can't overlap: \
         set it to 1, or execution.checkpointing.unaligned.enabled to false"
    )]
    UnalignedConcurrent {
        /// What was set.
        max_concurrent: u32,
    },

    /// The longest delay between restarts is shorter than the first.
    #[error(
        "restart-strategy.exponential-delay.max-backoff is {max_ms} ms, less than \
         restart-strategy.exponential-delay.initial-backoff, which is {initial_ms} ms: raise the one or lower the other"
    )]
    MaxBackoffBelowInitial {
        /// The first delay.
        initial_ms: u64,
        /// The longest delay.
        max_ms: u64,
    },
}

impl CheckpointSettings {
    /// The settings of a configuration. Unaligned checkpoints are switched off where the mode is at-least-once, for
    /// nothing is ever aligned there; a log line says so.
    ///
    /// # Errors
    /// When a value is invalid, or values don't go together.
    pub fn from_config(config: &Configuration) -> Result<Self, SettingsError> {
        let ms = |option| -> Result<u64, ConfigError> { Ok(millis(config.get::<Duration>(option)?)) };
        let mut settings = Self {
            interval_ms: config.get_optional(&keys::CHECKPOINTING_INTERVAL)?.map(millis),
            mode: config.get(&keys::CHECKPOINTING_MODE)?,
            timeout_ms: ms(&keys::CHECKPOINTING_TIMEOUT)?,
            min_pause_ms: ms(&keys::CHECKPOINTING_MIN_PAUSE)?.min(LONGEST_PAUSE_MS),
            max_concurrent: config.get(&keys::MAX_CONCURRENT_CHECKPOINTS)?,
            tolerable_failures: config.get(&keys::TOLERABLE_FAILED_CHECKPOINTS)?,
            incremental: config.get(&keys::INCREMENTAL_CHECKPOINTS)?,
            unaligned: config.get(&keys::UNALIGNED_CHECKPOINTS)?,
            unaligned_forced: config.get(&keys::UNALIGNED_FORCED)?,
            aligned_timeout_ms: ms(&keys::ALIGNED_CHECKPOINT_TIMEOUT)?,
            retention: config.get(&keys::CHECKPOINT_RETENTION)?,
            num_retained: config.get(&keys::RETAINED_CHECKPOINTS)?,
            after_tasks_finish: config.get(&keys::CHECKPOINTS_AFTER_TASKS_FINISH)?,
        };
        if settings.unaligned && settings.mode == CheckpointingMode::AtLeastOnce {
            tracing::warn!("unaligned checkpoints need the mode EXACTLY_ONCE; they are switched off");
            settings.unaligned = false;
        }
        if settings.unaligned && settings.max_concurrent > 1 {
            return Err(SettingsError::UnalignedConcurrent { max_concurrent: settings.max_concurrent });
        }
        Ok(settings)
    }

    /// Time between two periodic checkpoints: never shorter than the pause after one.
    pub fn period_ms(&self) -> Option<u64> {
        self.interval_ms.map(|interval_ms| interval_ms.max(self.min_pause_ms))
    }
}

/// Whole milliseconds; as many as fit.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
