//! SIGTERM and Ctrl-C stop a job with a savepoint, where one can be kept.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott_runtime::checkpoint::options::{SavepointFormat, StopMode};
use flott_runtime::job::JobHandle;
use flott_runtime::seam::{JoinHandle, spawn};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::iterator::{Handle, Signals};

/// Waits for signals until it is dropped.
pub(crate) struct StopOnSignal {
    signals: Handle,
    thread: Option<JoinHandle<()>>,
}

impl StopOnSignal {
    /// The first signal stops the job with a savepoint in its configured directory; a second one ends the process at once.
    ///
    /// # Errors
    /// When the system does not let signals be handled, or gives no thread.
    pub(crate) fn of(handle: &JobHandle) -> io::Result<Self> {
        let again = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))?;
        }
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let closer = signals.handle();
        let job = handle.clone();
        let thread = spawn("flott-signals".to_owned(), move || {
            if signals.forever().next().is_some() {
                again.store(true, Ordering::SeqCst);
                stop(&job);
            }
        })?;
        Ok(Self { signals: closer, thread: Some(thread) })
    }
}

fn stop(job: &JobHandle) {
    tracing::info!("job '{}' stops with a savepoint; a second signal ends it at once", job.name());
    match job.stop_with_savepoint(None, SavepointFormat::Canonical, StopMode::Suspend) {
        Ok(location) => tracing::info!("job '{}' has stopped with savepoint {location}", job.name()),
        Err(error) => tracing::error!("the job goes on: {error}"),
    }
}

impl Drop for StopOnSignal {
    fn drop(&mut self) {
        self.signals.close();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
