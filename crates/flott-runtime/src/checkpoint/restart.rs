//! Whether and when a failed job starts again.

use std::collections::VecDeque;
use std::time::Duration;

use flott_core::config::{ConfigError, Configuration, RestartStrategyKind, keys};
use serde::{Deserialize, Serialize};

use super::settings::{SettingsError, millis};

/// When a failed job starts again (Flink: `RestartBackoffTimeStrategy`). Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RestartStrategy {
    /// Never: the first failure ends the job.
    None,
    /// Some times in the life of the job, each after the same delay.
    FixedDelay {
        /// How many times.
        attempts: u32,
        /// The delay.
        delay_ms: u64,
    },
    /// As long as there are not more than so many failures within an interval.
    FailureRate {
        /// How many failures are allowed.
        max_failures: u32,
        /// The interval.
        interval_ms: u64,
        /// How long each restart waits.
        delay_ms: u64,
    },
    /// After a delay that grows with each failure, and begins anew when the job has run for long enough.
    ExponentialDelay(ExponentialDelay),
}

/// The numbers of [`RestartStrategy::ExponentialDelay`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExponentialDelay {
    /// The first delay.
    pub initial_ms: u64,
    /// The longest delay.
    pub max_ms: u64,
    /// What a delay is multiplied by for the next; above 1.
    pub multiplier: f64,
    /// How long a job must have run for the delay to begin anew.
    pub reset_threshold_ms: u64,
    /// The part of a delay that chance adds or takes away, from 0 to 1.
    pub jitter_factor: f64,
    /// How many restarts there may be until the delay begins anew; `None`: any number.
    pub attempts: Option<u32>,
}

impl RestartStrategy {
    /// The strategy of a configuration. Where none is set, it is the exponential delay for a job with checkpoints,
    /// and none for one without.
    ///
    /// # Errors
    /// When the longest delay is shorter than the first.
    pub fn from_config(config: &Configuration, checkpointing: bool) -> Result<Self, SettingsError> {
        let unset =
            if checkpointing { RestartStrategyKind::ExponentialDelay } else { RestartStrategyKind::None };
        let ms = |option| -> Result<u64, ConfigError> { Ok(millis(config.get::<Duration>(option)?)) };
        Ok(match config.get_optional(&keys::RESTART_STRATEGY)?.unwrap_or(unset) {
            RestartStrategyKind::None => Self::None,
            RestartStrategyKind::FixedDelay => Self::FixedDelay {
                attempts: config.get(&keys::FIXED_DELAY_ATTEMPTS)?,
                delay_ms: ms(&keys::FIXED_DELAY_DELAY)?,
            },
            RestartStrategyKind::FailureRate => Self::FailureRate {
                max_failures: config.get(&keys::FAILURE_RATE_MAX_FAILURES)?,
                interval_ms: ms(&keys::FAILURE_RATE_INTERVAL)?,
                delay_ms: ms(&keys::FAILURE_RATE_DELAY)?,
            },
            RestartStrategyKind::ExponentialDelay => Self::ExponentialDelay(exponential_delay(config)?),
        })
    }
}

fn exponential_delay(config: &Configuration) -> Result<ExponentialDelay, SettingsError> {
    let initial_ms = millis(config.get(&keys::EXPONENTIAL_DELAY_INITIAL_BACKOFF)?);
    let max_ms = millis(config.get(&keys::EXPONENTIAL_DELAY_MAX_BACKOFF)?);
    if max_ms < initial_ms {
        return Err(SettingsError::MaxBackoffBelowInitial { initial_ms, max_ms });
    }
    let attempts = config.get(&keys::EXPONENTIAL_DELAY_ATTEMPTS)?;
    Ok(ExponentialDelay {
        initial_ms,
        max_ms,
        multiplier: config.get(&keys::EXPONENTIAL_DELAY_MULTIPLIER)?,
        reset_threshold_ms: millis(config.get(&keys::EXPONENTIAL_DELAY_RESET_THRESHOLD)?),
        jitter_factor: config.get(&keys::EXPONENTIAL_DELAY_JITTER)?,
        // Flink's way to say "without end".
        attempts: (attempts < i32::MAX as u32).then_some(attempts),
    })
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestartDecision {
    /// Start again after so many milliseconds.
    After {
        /// How long to wait.
        delay_ms: u64,
    },
    /// The job has failed for good.
    GiveUp,
}

/// Counts the failures of one job by its strategy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Restarts {
    strategy: RestartStrategy,
    attempts: u32,
    /// The failures that the failure rate still counts, oldest first.
    failures_ms: VecDeque<u64>,
    backoff: Option<Backoff>,
}

/// The last delay of an exponential delay.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Backoff {
    delay_ms: u64,
    restart_at_ms: u64,
}

impl Restarts {
    /// A job that has not failed yet.
    pub fn new(strategy: RestartStrategy) -> Self {
        Self { strategy, attempts: 0, failures_ms: VecDeque::new(), backoff: None }
    }

    /// The job has failed at `now_ms`; `chance` is any random number, for the jitter. A failure that can't be
    /// recovered from is never to be reported here: it ends the job under every strategy.
    pub fn failed(&mut self, now_ms: u64, chance: u64) -> RestartDecision {
        match self.strategy.clone() {
            RestartStrategy::None => RestartDecision::GiveUp,
            RestartStrategy::FixedDelay { attempts, delay_ms } => {
                self.attempts = self.attempts.saturating_add(1);
                decide(self.attempts <= attempts, delay_ms)
            }
            RestartStrategy::FailureRate { max_failures, interval_ms, delay_ms } => {
                self.failures_ms.push_back(now_ms);
                self.failures_ms.retain(|failed_ms| now_ms.saturating_sub(*failed_ms) <= interval_ms);
                decide(self.failures_ms.len() <= max_failures as usize, delay_ms)
            }
            RestartStrategy::ExponentialDelay(strategy) => self.back_off(&strategy, now_ms, chance),
        }
    }

    fn back_off(&mut self, strategy: &ExponentialDelay, now_ms: u64, chance: u64) -> RestartDecision {
        let delay_ms = match self.backoff {
            // What fails before the restart has happened belongs to the failure that asked for it.
            Some(last) if now_ms < last.restart_at_ms => {
                let rest_ms = (last.restart_at_ms - now_ms).min(strategy.max_ms);
                return decide(self.may_go_on(strategy), rest_ms);
            }
            Some(last) if now_ms - last.restart_at_ms < strategy.reset_threshold_ms => {
                ((last.delay_ms as f64 * strategy.multiplier) as u64).min(strategy.max_ms)
            }
            _ => {
                self.attempts = 0;
                strategy.initial_ms
            }
        };
        self.attempts = self.attempts.saturating_add(1);
        let jittered_ms = jittered(delay_ms, strategy.jitter_factor, chance).min(strategy.max_ms);
        self.backoff = Some(Backoff { delay_ms, restart_at_ms: now_ms.saturating_add(jittered_ms) });
        decide(self.may_go_on(strategy), jittered_ms)
    }

    fn may_go_on(&self, strategy: &ExponentialDelay) -> bool {
        strategy.attempts.is_none_or(|most| self.attempts <= most)
    }
}

fn decide(again: bool, delay_ms: u64) -> RestartDecision {
    if again { RestartDecision::After { delay_ms } } else { RestartDecision::GiveUp }
}

/// The delay with up to `factor` of it added or taken away, each whole number of milliseconds as likely.
fn jittered(delay_ms: u64, factor: f64, chance: u64) -> u64 {
    let most_ms = ((delay_ms as f64 * factor) as u64).min(delay_ms);
    let offset_ms = chance % most_ms.saturating_mul(2).saturating_add(1);
    (delay_ms - most_ms).saturating_add(offset_ms)
}

#[cfg(test)]
mod tests;
