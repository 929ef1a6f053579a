//! Where functions register their states.

use std::hash::Hash;

use flott_core::{Data, Key};

use super::KeyedState;
use crate::{
    aggregate::AggregateFunction,
    aggregating_state::{AggregatingState, AggregatingStateDescriptor},
    error::StateError,
    list_state::{ListState, ListStateDescriptor},
    map_state::{MapState, MapStateDescriptor},
    namespace::Namespace,
    reducing_state::{ReducingState, ReducingStateDescriptor},
    value_state::{ValueState, ValueStateDescriptor},
};

/// Where states are registered, each under a name that is unique within the operator (Flink: `KeyedStateStore`): the
/// context of `open()`, and its parts that stand for one window each.
///
/// The same name and type always give the same handle; a name that stands for a state of another type or kind is an
/// error.
pub trait KeyedStateStore {
    /// The type of the keys.
    type Key: Key;
    /// What divides the state of a key further: the type of the windows, or `()`.
    type Namespace: Namespace;

    /// All states of the operator.
    fn keyed_state(&mut self) -> &mut KeyedState<Self::Key>;

    /// A value for each key.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn value_state<V: Data>(
        &mut self,
        descriptor: ValueStateDescriptor<V>,
    ) -> Result<ValueState<V>, StateError> {
        self.keyed_state().register_value_state::<Self::Namespace, V>(descriptor)
    }

    /// A list for each key.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn list_state<T: Data>(
        &mut self,
        descriptor: ListStateDescriptor<T>,
    ) -> Result<ListState<T>, StateError> {
        self.keyed_state().register_list_state::<Self::Namespace, T>(descriptor)
    }

    /// A map for each key.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn map_state<UK: Data + Eq + Hash, UV: Data>(
        &mut self,
        descriptor: MapStateDescriptor<UK, UV>,
    ) -> Result<MapState<UK, UV>, StateError> {
        self.keyed_state().register_map_state::<Self::Namespace, UK, UV>(descriptor)
    }

    /// The combination of all values added, for each key. Of a name that is registered again, the first function stays.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn reducing_state<T: Data>(
        &mut self,
        descriptor: ReducingStateDescriptor<T>,
    ) -> Result<ReducingState<T>, StateError> {
        self.keyed_state().register_reducing_state::<Self::Namespace, T>(descriptor)
    }

    /// The accumulator of all values added, for each key. Of a name that is registered again, the first function stays.
    ///
    /// # Errors
    /// When the name is taken by a state of another kind or type.
    fn aggregating_state<T: 'static, A: AggregateFunction<T>>(
        &mut self,
        descriptor: AggregatingStateDescriptor<T, A>,
    ) -> Result<AggregatingState<T, A>, StateError> {
        self.keyed_state().register_aggregating_state::<Self::Namespace, T, A>(descriptor)
    }
}

impl<K: Key> KeyedStateStore for KeyedState<K> {
    type Key = K;
    type Namespace = ();

    fn keyed_state(&mut self) -> &mut Self {
        self
    }
}

/// Registers states for the namespace `N`: `()` for those of a key as a whole, the type of the windows for those of
/// each window.
pub struct StateRegistry<'a, K, N = ()> {
    state: &'a mut KeyedState<K>,
    of_namespace: std::marker::PhantomData<fn() -> N>,
}

impl<'a, K, N> StateRegistry<'a, K, N> {
    /// A registry into `state`.
    pub const fn new(state: &'a mut KeyedState<K>) -> Self {
        Self { state, of_namespace: std::marker::PhantomData }
    }
}

impl<K: Key, N: Namespace> KeyedStateStore for StateRegistry<'_, K, N> {
    type Key = K;
    type Namespace = N;

    fn keyed_state(&mut self) -> &mut KeyedState<K> {
        self.state
    }
}
