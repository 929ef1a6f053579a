//! What a running job shows on standard error: a live line for each vertex on a terminal, log lines elsewhere.

#[cfg(feature = "terminal")]
mod live;
mod log;
mod rates;
mod text;

use std::time::Duration;

use flott_runtime::error::JobError;
use flott_runtime::job::{JobHandle, JobResult};

/// How often the live view is drawn.
#[cfg(feature = "terminal")]
const LIVE_INTERVAL: Duration = Duration::from_millis(200);

/// How often a log line is written.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// How soon the end of a limited job is noticed.
const LIMIT_INTERVAL: Duration = Duration::from_millis(5);

/// Waits for the end of a job and shows its progress meanwhile.
pub(crate) fn follow(handle: &JobHandle, quiet: bool) -> Result<JobResult, JobError> {
    if quiet {
        return handle.wait();
    }
    #[cfg(feature = "terminal")]
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        let mut view = live::LiveView::new(handle);
        return follow_every(handle, LIVE_INTERVAL, |handle| view.draw(handle));
    }
    let mut log = log::Log::new(handle);
    let result = follow_every(handle, LOG_INTERVAL, |handle| log.write(handle));
    log::Log::end(handle, &result);
    result
}

fn follow_every(
    handle: &JobHandle,
    interval: Duration,
    mut show: impl FnMut(&JobHandle),
) -> Result<JobResult, JobError> {
    loop {
        if let Some(result) = handle.wait_for(interval) {
            return result;
        }
        show(handle);
    }
}

/// Waits for the end of a job, and cancels it once `enough` holds.
pub(crate) fn follow_until(handle: &JobHandle, enough: impl Fn() -> bool) -> Result<(), JobError> {
    loop {
        if enough() {
            handle.cancel();
            return match handle.wait() {
                Ok(_) | Err(JobError::Canceled { .. }) => Ok(()),
                Err(error) => Err(error),
            };
        }
        if let Some(result) = handle.wait_for(LIMIT_INTERVAL) {
            return result.map(drop);
        }
    }
}

/// Writes logs to standard error, filtered by `RUST_LOG` (default `info`), unless the program has set up logging.
pub(crate) fn start_logging() {
    #[cfg(feature = "terminal")]
    {
        use tracing_subscriber::EnvFilter;
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        // The program's own subscriber, if there is one, stays.
        let _ = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .with_target(false)
            .try_init();
    }
}
