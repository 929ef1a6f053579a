//! The seam's real side: the machine's clock, threads, and how a thread waits.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flott_core::seam::Clock;
use flott_core::time::Timestamp;

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

/// Starts a named thread.
///
/// # Errors
/// When the operating system gives no thread.
pub fn spawn<F, T>(name: String, body: F) -> std::io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // The standard library refuses names with zero bytes by a panic, and names come from users.
    std::thread::Builder::new().name(name.replace('\0', " ")).spawn(body)
}

/// What a task sleeps on: one wake-up is remembered, further ones are free.
///
/// One thread, that which called [`Signal::adopt`], waits; any thread wakes it.
#[derive(Debug, Default)]
pub struct Signal {
    raised: AtomicBool,
    thread: OnceLock<Thread>,
}

impl Signal {
    /// A signal that nobody has raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the current thread the one that waits. Only the first call counts.
    pub fn adopt(&self) {
        self.thread.get_or_init(std::thread::current);
    }

    /// Whether the next wait returns at once.
    #[cfg(test)]
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Wakes the waiting thread, or lets its next wait return at once.
    pub fn wake(&self) {
        if !self.raised.swap(true, Ordering::AcqRel)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    /// Waits until somebody wakes, at most for `timeout` (`None`: without limit). May return early.
    pub fn wait(&self, timeout: Option<Duration>) {
        if self.raised.swap(false, Ordering::AcqRel) {
            return;
        }
        match timeout {
            Some(timeout) => std::thread::park_timeout(timeout),
            None => std::thread::park(),
        }
        // A swap, not a store: it orders this thread's next look at its queues behind every wake-up it takes back.
        self.raised.swap(false, Ordering::AcqRel);
    }
}
