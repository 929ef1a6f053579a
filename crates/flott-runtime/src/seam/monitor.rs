//! A value that threads wait on to change.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::clock::clock;
use super::parker::{Parked, Parker, current_parker};

/// A value under a lock; threads change it, and wait until it is as they want it.
pub(crate) struct Monitor<T> {
    what: &'static str,
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    value: T,
    /// Threads of a simulation that wait for a change.
    parked: Vec<Arc<dyn Parker>>,
}

impl<T: std::fmt::Debug> std::fmt::Debug for Monitor<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Monitor").field(&self.lock().value).finish()
    }
}

impl<T> Monitor<T> {
    /// A monitor of a value; `what` says to people what those wait for who wait.
    pub(crate) const fn new(what: &'static str, value: T) -> Self {
        let state = Mutex::new(State { value, parked: Vec::new() });
        Self { what, state, changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the value.
    pub(crate) fn look<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        look(&self.lock().value)
    }

    /// Changes the value, and wakes those who wait.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state.value);
        let parked = std::mem::take(&mut state.parked);
        drop(state);
        self.changed.notify_all();
        parked.iter().for_each(|parker| parker.unpark());
        result
    }

    /// Waits until `take` finds what it wants, at most for `limit`; `None` if that has passed.
    pub(crate) fn wait<R>(
        &self,
        limit: Option<Duration>,
        mut take: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        match current_parker() {
            Some(parker) => self.wait_simulated(&parker, limit, take),
            None => {
                let mut found = None;
                let mut waits = |state: &mut State<T>| {
                    found = take(&mut state.value);
                    found.is_none()
                };
                let state = self.lock();
                match limit {
                    Some(limit) => drop(self.changed.wait_timeout_while(state, limit, &mut waits)),
                    None => drop(self.changed.wait_while(state, &mut waits)),
                }
                found
            }
        }
    }

    fn wait_simulated<R>(
        &self,
        parker: &Arc<dyn Parker>,
        limit: Option<Duration>,
        mut take: impl FnMut(&mut T) -> Option<R>,
    ) -> Option<R> {
        let clock = clock();
        // Whoever is woken for a change that is not the one does not begin to wait anew.
        let deadline_ns = limit.map(|limit| {
            clock.monotonic_ns().saturating_add(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX))
        });
        let mut parked = Parked::Woken;
        loop {
            let mut state = self.lock();
            let found = take(&mut state.value);
            if found.is_some() || parked == Parked::TimedOut {
                return found;
            }
            state.parked.push(Arc::clone(parker));
            drop(state);
            let rest = deadline_ns.map(|at| Duration::from_nanos(at.saturating_sub(clock.monotonic_ns())));
            parked = parker.park(self.what, rest);
        }
    }
}
