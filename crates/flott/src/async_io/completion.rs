//! The way back from a call to its task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flott_runtime::error::FnResult;
use flott_runtime::seam::Signal;
use flott_runtime::task::Panic;

/// What an attempt has come to.
pub(super) struct Completion<O> {
    /// The record's place in the input.
    pub(super) id: u64,
    /// Which attempt this was, from 1.
    pub(super) attempt: u32,
    pub(super) outcome: Result<FnResult<Vec<O>>, Panic>,
}

/// The attempts that have ended and that the task has not seen yet. There are never more than the operator has started, so
/// its capacity bounds them.
pub(super) struct Completions<O> {
    ended: Mutex<Vec<Completion<O>>>,
    // Whether there are any, readable without the lock: the task looks before each batch.
    any: AtomicBool,
    signal: Arc<Signal>,
}

impl<O> Completions<O> {
    /// For the task that sleeps on `signal`.
    pub(super) fn new(signal: Arc<Signal>) -> Self {
        Self { ended: Mutex::default(), any: AtomicBool::new(false), signal }
    }

    /// Tells the task of an attempt's end, from any thread.
    pub(super) fn push(&self, completion: Completion<O>) {
        let mut ended = self.lock();
        ended.push(completion);
        self.any.store(true, Ordering::Release);
        drop(ended);
        self.signal.wake();
    }

    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// All that have ended, in the order of their ends.
    pub(super) fn take(&self) -> Vec<Completion<O>> {
        if !self.any() {
            return Vec::new();
        }
        let mut ended = self.lock();
        self.any.store(false, Ordering::Release);
        std::mem::take(&mut ended)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Completion<O>>> {
        // No user code runs under it.
        self.ended.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
