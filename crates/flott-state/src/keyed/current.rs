//! The key that is current, for which state handles are used.

use flott_core::Key;

use super::KeyedState;
use crate::namespace::Namespace;

/// The keyed state of a subtask together with the key and namespace of the record or timer at hand.
pub struct CurrentKey<'a, K, N = ()> {
    /// The states of the subtask.
    pub state: &'a mut KeyedState<K>,
    /// The current key.
    pub key: &'a K,
    /// The routing hash of `key`.
    pub hash: u64,
    /// What divides the key's state further: the window, or `()`.
    pub namespace: &'a N,
}

impl<'a, K> CurrentKey<'a, K> {
    /// The state of `key` that belongs to no window.
    #[inline]
    pub const fn new(state: &'a mut KeyedState<K>, key: &'a K, hash: u64) -> Self {
        Self { state, key, hash, namespace: &() }
    }
}

/// A context in which a key is current, so that state handles can be used: that of a record, a timer or a window.
/// There is none in `open()`.
pub trait HasKeyedState {
    /// The type of the keys.
    type Key: Key;
    /// What divides the state of a key further: the type of the windows, or `()`.
    type Namespace: Namespace;

    /// The current key and namespace, and the state that they select from.
    fn current(&mut self) -> CurrentKey<'_, Self::Key, Self::Namespace>;
}

impl<K: Key, N: Namespace> HasKeyedState for CurrentKey<'_, K, N> {
    type Key = K;
    type Namespace = N;

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, K, N> {
        CurrentKey { state: self.state, key: self.key, hash: self.hash, namespace: self.namespace }
    }
}
