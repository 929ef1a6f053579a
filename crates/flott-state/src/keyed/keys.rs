//! Visiting every key that has something in a state.

use flott_core::{Key, hash::key_hash};

use super::{CurrentKey, KeyedState};
use crate::error::{StateError, StateErrorKind};

/// A handle of any kind of keyed state.
pub trait StateHandle<K, N>: Copy {
    /// The keys of one key group that have something in this state and namespace, in no particular order.
    ///
    /// # Errors
    /// When the handle is unbound or foreign.
    fn keys_of_group(
        self,
        state: &mut KeyedState<K>,
        group: u32,
        namespace: &N,
    ) -> Result<Vec<K>, StateError>;
}

impl<K: Key> KeyedState<K> {
    /// Calls `visit` for each key of this subtask that has something in the state of `handle` (Flink:
    /// `applyToKeyedState`). It may change and clear any state of the key that it is called with.
    ///
    /// # Errors
    /// When the handle is unbound or foreign, or `visit` fails.
    pub fn for_each_key<H, E>(
        &mut self,
        handle: H,
        mut visit: impl FnMut(CurrentKey<'_, K>) -> Result<(), E>,
    ) -> Result<(), E>
    where
        H: StateHandle<K, ()>,
        E: From<StateError>,
    {
        for group in self.key_groups.start..self.key_groups.end {
            for key in handle.keys_of_group(self, group, &())? {
                let hash = key_hash(&key).map_err(|error| {
                    StateError::from(StateErrorKind::CannotHash { reason: error.to_string() })
                })?;
                visit(CurrentKey::new(self, &key, hash))?;
            }
        }
        Ok(())
    }
}
