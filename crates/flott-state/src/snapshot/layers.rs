//! A snapshot of everything with snapshots of changes on top of it.

use super::{KeyedStateSnapshot, OperatorSnapshot};

impl OperatorSnapshot {
    /// What an operator subtask restores from a snapshot and those of changes that followed it, oldest first. The result is what
    /// [`KeyedState::new`](crate::KeyedState::new) takes: of one state the parts in order, of which each changes what those before it hold.
    ///
    /// A state that a later snapshot holds as a whole replaces what it was; one that a later snapshot doesn't have is gone. Operator
    /// states are those of the last, which has them all.
    #[must_use]
    pub fn layered(layers: impl IntoIterator<Item = Self>) -> Self {
        layers.into_iter().reduce(Self::covered_by).unwrap_or_default()
    }

    fn covered_by(self, later: Self) -> Self {
        let is_changed = |part: &KeyedStateSnapshot| {
            let mut of_state = later.keyed.iter().filter(|of| of.meta.name == part.meta.name);
            of_state.next().is_some_and(|first| first.removed.is_some())
        };
        let mut keyed: Vec<_> = self.keyed.into_iter().filter(is_changed).collect();
        keyed.extend(later.keyed);
        Self { keyed, operator: later.operator, stores: later.stores }
    }
}

#[cfg(test)]
mod tests;
