//! When a call is tried again.

use std::sync::Arc;
use std::time::Duration;

use flott_runtime::error::BoxError;

#[cfg(test)]
mod tests;

/// Decides whether and when a call is tried again (Flink: `AsyncRetryStrategy`). Called on the task's thread.
pub trait AsyncRetryStrategy<O>: Send + Sync + 'static {
    /// Whether another attempt may follow the present one, which is the `attempts`-th.
    fn can_retry(&self, attempts: u32) -> bool;

    /// How long to wait before the next attempt; milliseconds count.
    fn backoff(&self, attempts: u32) -> Duration;

    /// Whether this result calls for another attempt. When no more may follow it is emitted.
    fn retry_on_result(&self, results: &[O]) -> bool;

    /// Whether this error calls for another attempt. When no more may follow it fails the job.
    fn retry_on_error(&self, error: &BoxError) -> bool;
}

type OnResult<O> = Arc<dyn Fn(&[O]) -> bool + Send + Sync>;
type OnError = Arc<dyn Fn(&BoxError) -> bool + Send + Sync>;

/// What calls for another attempt; nothing unless it is said.
struct Conditions<O> {
    result: Option<OnResult<O>>,
    error: Option<OnError>,
}

impl<O> Conditions<O> {
    const NONE: Self = Self { result: None, error: None };

    fn result(&self, results: &[O]) -> bool {
        self.result.as_ref().is_some_and(|wants| wants(results))
    }

    fn error(&self, error: &BoxError) -> bool {
        self.error.as_ref().is_some_and(|wants| wants(error))
    }
}

/// The methods that all strategies with conditions share.
macro_rules! conditions {
    () => {
        /// Tries again when the results are such.
        #[must_use]
        pub fn if_result(mut self, wants: impl Fn(&[O]) -> bool + Send + Sync + 'static) -> Self {
            self.conditions.result = Some(Arc::new(wants));
            self
        }

        /// Tries again when the error is such. A panic is never tried again.
        #[must_use]
        pub fn if_error(mut self, wants: impl Fn(&BoxError) -> bool + Send + Sync + 'static) -> Self {
            self.conditions.error = Some(Arc::new(wants));
            self
        }
    };
}

/// The same delay before each further attempt (Flink: `FixedDelayRetryStrategy`).
pub struct FixedDelayRetryStrategy<O> {
    max_retries: u32,
    delay: Duration,
    conditions: Conditions<O>,
}

impl<O: 'static> FixedDelayRetryStrategy<O> {
    /// At most `max_retries` further attempts. Say with [`Self::if_result`] and [`Self::if_error`] what calls for one.
    pub const fn new(max_retries: u32, delay: Duration) -> Self {
        Self { max_retries, delay, conditions: Conditions::NONE }
    }

    conditions!();
}

impl<O: 'static> AsyncRetryStrategy<O> for FixedDelayRetryStrategy<O> {
    fn can_retry(&self, attempts: u32) -> bool {
        attempts <= self.max_retries
    }

    fn backoff(&self, _attempts: u32) -> Duration {
        self.delay
    }

    fn retry_on_result(&self, results: &[O]) -> bool {
        self.conditions.result(results)
    }

    fn retry_on_error(&self, error: &BoxError) -> bool {
        self.conditions.error(error)
    }
}

/// A delay that grows by a factor from attempt to attempt (Flink: `ExponentialBackoffDelayRetryStrategy`).
pub struct ExponentialBackoffDelayRetryStrategy<O> {
    max_retries: u32,
    initial: Duration,
    longest: Duration,
    multiplier: f64,
    conditions: Conditions<O>,
}

impl<O: 'static> ExponentialBackoffDelayRetryStrategy<O> {
    /// At most `max_retries` further attempts: the first after `initial`, each further one after `multiplier` times the delay
    /// before, but never after more than `longest`. A multiplier below 1 counts as 1.
    pub const fn new(max_retries: u32, initial: Duration, longest: Duration, multiplier: f64) -> Self {
        Self { max_retries, initial, longest, multiplier, conditions: Conditions::NONE }
    }

    conditions!();
}

impl<O: 'static> AsyncRetryStrategy<O> for ExponentialBackoffDelayRetryStrategy<O> {
    fn can_retry(&self, attempts: u32) -> bool {
        attempts <= self.max_retries
    }

    fn backoff(&self, attempts: u32) -> Duration {
        let growth = self.multiplier.max(1.0).powf(f64::from(attempts.saturating_sub(1)));
        let seconds = self.initial.as_secs_f64() * growth;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX).min(self.longest)
    }

    fn retry_on_result(&self, results: &[O]) -> bool {
        self.conditions.result(results)
    }

    fn retry_on_error(&self, error: &BoxError) -> bool {
        self.conditions.error(error)
    }
}
