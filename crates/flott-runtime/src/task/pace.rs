//! How much a task does before it looks for barriers again.

use std::rc::Rc;

use super::TaskShared;

#[cfg(test)]
mod tests;

/// How long a batch may keep a barrier waiting.
const LONG_NS: u64 = 100_000_000;

/// How many records are processed at once before it is known how long they take.
const FIRST_RECORDS: usize = 16;

/// How many records are processed at once, in jobs whose barriers may overtake records: as many as take a moment, and no more as soon as
/// they fill the outputs.
pub(crate) struct Pace {
    task: Rc<TaskShared>,
    most: usize,
}

impl Pace {
    pub(crate) const fn new(task: Rc<TaskShared>) -> Self {
        Self { task, most: FIRST_RECORDS }
    }

    /// How many records may be processed at once.
    pub(crate) const fn most(&self) -> usize {
        self.most
    }

    pub(crate) fn now_ns(&self) -> u64 {
        self.task.clock().monotonic_ns()
    }

    /// So many records have been processed since then.
    pub(crate) fn note(&mut self, records: usize, since_ns: u64) {
        let took_ns = self.now_ns().saturating_sub(since_ns);
        if took_ns > LONG_NS {
            let share = u128::from(LONG_NS / 2) * records as u128 / u128::from(took_ns);
            self.most = usize::try_from(share).unwrap_or(usize::MAX).max(1);
        } else if records >= self.most && took_ns < LONG_NS / 4 && !self.task.outputs_are_full() {
            self.most = self.most.saturating_mul(2);
        }
    }
}
