//! All states of a subtask as plain data, and what is restored of them.

use flott_core::{Key, time::TimeDomain};

use super::KeyedState;
use crate::{
    error::StateError,
    namespace::Namespace,
    snapshot::KeyedStateSnapshot,
    timers::{TimerQueue, timers_name},
};

impl<K: Key> KeyedState<K> {
    /// All states as they are now, without the timers, which are the operator's ([`TimerQueue::snapshot`]).
    ///
    /// What was restored and has not been registered is part of it: the state of a function that is gone for a while
    /// is not lost (Flink keeps it likewise).
    ///
    /// # Errors
    /// When a key or value can't be encoded.
    pub fn snapshot(&mut self) -> Result<Vec<KeyedStateSnapshot>, StateError> {
        let mut snapshots = Vec::with_capacity(self.stores.len() + self.restored.len());
        for (store, registration) in self.stores.iter().zip(&self.registrations) {
            snapshots.push(store.any().snapshot(&registration.name, self.now)?);
        }
        snapshots.extend(self.restored.iter().cloned());
        Ok(snapshots)
    }

    /// The timers called `name` of one time domain, as they were in the snapshot; none if there was none.
    ///
    /// # Errors
    /// When they can't be read as timers with keys and namespaces of these types.
    pub fn restore_timers<N: Namespace>(
        &mut self,
        name: &str,
        domain: TimeDomain,
    ) -> Result<TimerQueue<K, N>, StateError> {
        let mut timers = TimerQueue::default();
        for part in self.take_restored(&timers_name(name, domain)) {
            timers.restore(&part, domain, self.max_parallelism)?;
        }
        Ok(timers)
    }

    /// Takes out the parts of the state called `name`.
    pub(super) fn take_restored(&mut self, name: &str) -> Vec<KeyedStateSnapshot> {
        self.restored.extract_if(.., |part| part.meta.name == name).collect()
    }
}

#[cfg(test)]
mod tests;
