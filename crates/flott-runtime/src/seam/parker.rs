//! What tests put in the place of the machine's threads and clock.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use flott_core::seam::Clock;

/// Why [`Parker::park`] has returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parked {
    /// Somebody may have woken the thread.
    Woken,
    /// The time is up.
    TimedOut,
}

/// Where a thread sleeps that must not really sleep.
pub(crate) trait Parker: Send + Sync {
    /// Returns after [`Parker::unpark`], or when `timeout` has passed; it may return early. `what` says to people what
    /// the thread waits for.
    fn park(&self, what: &'static str, timeout: Option<Duration>) -> Parked;

    /// Ends the present or the next [`Parker::park`]. Any thread may call it.
    fn unpark(&self);

    /// As [`Parker::park`], but for what a thread does that this parker knows nothing of: really sleeps.
    fn park_for_outside(&self, timeout: Option<Duration>);

    /// Lets other threads run.
    fn yield_now(&self) {}

    /// For a thread that the one of this parker starts: its own parker, if it shall have one.
    fn child(&self, _name: &str) -> Option<Arc<dyn Parker>> {
        None
    }

    /// The thread of this parker has started.
    fn begin(&self) {}

    /// The thread of this parker ends, or could not be started.
    fn end(&self) {}

    /// A random number to be used in the place of the machine's.
    fn random(&self) -> Option<u64> {
        None
    }

    /// How often a message arrives that may get lost on its way.
    fn arrivals(&self) -> u32 {
        1
    }

    /// The clock to be used in the place of the machine's.
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        None
    }
}

thread_local! {
    static PARKER: RefCell<Option<Arc<dyn Parker>>> = const { RefCell::new(None) };
}

/// The parker of the present thread; real threads have none.
pub(crate) fn current_parker() -> Option<Arc<dyn Parker>> {
    PARKER.with_borrow(Clone::clone)
}

/// How often a message that the present thread sends arrives, if it may get lost or be doubled on its way: once; in a
/// simulation, as its faults have it.
pub(crate) fn arrivals() -> u32 {
    current_parker().map_or(1, |parker| parker.arrivals())
}

/// Whether the present thread runs in a simulation, where nothing may wait but through this module.
pub fn is_simulated() -> bool {
    PARKER.with_borrow(Option::is_some)
}

/// Gives the present thread a parker during `body`.
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
