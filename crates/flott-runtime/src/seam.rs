//! The seam's real side: the machine's clock, threads, and how a thread waits.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
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

/// Where a thread sleeps that must not really sleep: tests put something else in the place of the machine's threads.
pub(crate) trait Parker: Send + Sync {
    /// Returns after [`Parker::unpark`], or when `timeout` has passed; it may return early.
    fn park(&self, timeout: Option<Duration>);
    /// Ends the present or the next [`Parker::park`]. Any thread may call it.
    fn unpark(&self);
}

thread_local! {
    static PARKER: RefCell<Option<Arc<dyn Parker>>> = const { RefCell::new(None) };
}

/// Lets the signals that this thread adopts during `body` sleep on `parker`.
pub(crate) fn with_parker<R>(parker: Arc<dyn Parker>, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Arc<dyn Parker>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PARKER.set(self.0.take());
        }
    }
    let _restore = Restore(PARKER.replace(Some(parker)));
    body()
}

/// Who waits on a signal.
enum Waiter {
    Thread(Thread),
    Parker(Arc<dyn Parker>),
}

/// What a task sleeps on: one wake-up is remembered, further ones are free.
///
/// One thread, that which called [`Signal::adopt`], waits; any thread wakes it.
#[derive(Default)]
pub struct Signal {
    raised: AtomicBool,
    waiter: OnceLock<Waiter>,
}

impl std::fmt::Debug for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signal").field("raised", &self.raised).finish_non_exhaustive()
    }
}

impl Signal {
    /// A signal that nobody has raised.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the current thread the one that waits. Only the first call counts.
    pub fn adopt(&self) {
        self.waiter.get_or_init(|| match PARKER.with_borrow(Clone::clone) {
            Some(parker) => Waiter::Parker(parker),
            None => Waiter::Thread(std::thread::current()),
        });
    }

    /// Whether the next wait returns at once.
    #[cfg(test)]
    pub(crate) fn is_raised(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Wakes the waiting thread, or lets its next wait return at once.
    pub fn wake(&self) {
        if !self.raised.swap(true, Ordering::AcqRel) {
            match self.waiter.get() {
                Some(Waiter::Thread(thread)) => thread.unpark(),
                Some(Waiter::Parker(parker)) => parker.unpark(),
                None => {}
            }
        }
    }

    /// Waits until somebody wakes, at most for `timeout` (`None`: without limit). May return early.
    pub fn wait(&self, timeout: Option<Duration>) {
        if self.raised.swap(false, Ordering::AcqRel) {
            return;
        }
        match (self.waiter.get(), timeout) {
            (Some(Waiter::Parker(parker)), timeout) => parker.park(timeout),
            (_, Some(timeout)) => std::thread::park_timeout(timeout),
            (_, None) => std::thread::park(),
        }
        // A swap, not a store: it orders this thread's next look at its queues behind every wake-up it takes back.
        self.raised.swap(false, Ordering::AcqRel);
    }
}
