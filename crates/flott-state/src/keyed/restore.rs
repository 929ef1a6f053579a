//! What is restored of the states of a subtask.

use std::sync::Arc;

use flott_core::{Key, time::TimeDomain};

use super::KeyedState;
use crate::{
    error::StateError,
    namespace::Namespace,
    snapshot::KeyedStateSnapshot,
    timers::{TimerQueue, timers_name},
};

impl<K: Key> KeyedState<K> {
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
    pub(super) fn take_restored(&mut self, name: &str) -> Vec<Arc<KeyedStateSnapshot>> {
        self.restored.extract_if(.., |part| part.meta.name == name).collect()
    }
}

#[cfg(test)]
mod tests;
