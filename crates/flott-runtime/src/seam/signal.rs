//! What a task sleeps on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use flott_core::seam::Clock;

use super::clock::SystemClock;
use super::parker::{Parker, current_parker};

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
    /// How many outputs of the task have asked it to wait before it takes more input.
    full_outputs: AtomicUsize,
    /// Whether a barrier that may overtake records has entered an input of the task.
    announced: AtomicBool,
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
        self.waiter.get_or_init(|| match current_parker() {
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

    /// One more output of the task is full.
    pub(crate) fn output_is_full(&self) {
        self.full_outputs.fetch_add(1, Ordering::AcqRel);
    }

    /// A full output of the task has room again, or leads nowhere now.
    pub(crate) fn output_has_room(&self) {
        self.full_outputs.fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether an output of the task is full.
    pub(crate) fn outputs_are_full(&self) -> bool {
        self.full_outputs.load(Ordering::Acquire) > 0
    }

    /// Says that a barrier that may overtake records has entered an input, and wakes the task.
    pub(crate) fn announce(&self) {
        self.announced.store(true, Ordering::Release);
        self.wake();
    }

    /// Whether there was an announcement since the last call.
    pub(crate) fn take_announcement(&self) -> bool {
        self.announced.load(Ordering::Acquire) && self.announced.swap(false, Ordering::AcqRel)
    }

    /// Waits until somebody wakes, at most for `timeout` (`None`: without limit). May return early.
    pub fn wait(&self, timeout: Option<Duration>) {
        self.wait_for("a signal", timeout);
    }

    /// As [`Signal::wait`]; `what` says to people what is waited for.
    pub(crate) fn wait_for(&self, what: &'static str, timeout: Option<Duration>) {
        if self.raised.swap(false, Ordering::AcqRel) {
            return;
        }
        match self.waiter.get() {
            Some(Waiter::Parker(parker)) => {
                let _ = parker.park(what, timeout);
            }
            Some(Waiter::Thread(_)) | None => really_park(timeout),
        }
        // A swap, not a store: it orders this thread's next look at its queues behind every wake-up it takes back.
        self.raised.swap(false, Ordering::AcqRel);
    }

    /// As [`Signal::wait`], for what a thread does that was not started through the seam.
    pub(crate) fn wait_for_outside(&self, timeout: Option<Duration>) {
        if self.raised.swap(false, Ordering::AcqRel) {
            return;
        }
        match self.waiter.get() {
            Some(Waiter::Parker(parker)) => parker.park_for_outside(timeout),
            Some(Waiter::Thread(_)) | None => really_park(timeout),
        }
        self.raised.swap(false, Ordering::AcqRel);
    }

    /// Lets the other threads of a simulation have their turn. Real threads need no such call.
    pub(crate) fn yield_now(&self) {
        if let Some(Waiter::Parker(parker)) = self.waiter.get() {
            parker.yield_now();
        }
    }
}

/// As [`really_park`]; returns whether all of `timeout` has passed.
pub(crate) fn really_park_for_all_of(timeout: Duration) -> bool {
    let since_start = SystemClock::new();
    std::thread::park_timeout(timeout);
    u128::from(since_start.monotonic_ns()) >= timeout.as_nanos()
}

/// Sleeps until somebody unparks the present thread, at most for `timeout`.
pub(crate) fn really_park(timeout: Option<Duration>) {
    match timeout {
        Some(timeout) => std::thread::park_timeout(timeout),
        None => std::thread::park(),
    }
}
