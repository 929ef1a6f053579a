//! Keyed and operator state: what user functions, triggers and window functions remember.
//!
//! A state is described by a descriptor with a name, obtained in `open` (operator state: in `initialize_state`), and used
//! through a handle together with the context of a call, which knows the key at hand:
//!
//! * [`ValueState`], [`ListState`], [`MapState`], [`ReducingState`], [`AggregatingState`] — state of each key;
//! * [`StateTtlConfig`] — how long it lives;
//! * [`OperatorListState`], [`BroadcastState`] — state of each subtask;
//! * [`StateRegistry`], [`Namespace`] — for those who write triggers and windows of their own;
//! * [`StateBackend`] — for those who keep state elsewhere.

use flott_core::Key;
use flott_runtime::operator::OperatorSetup;
pub use flott_state::{
    AggregatingState, AggregatingStateDescriptor, BroadcastState, CurrentKey, HasKeyedState,
    HasOperatorState, HasReadOnlyOperatorState, KeyedStateStore, ListState, ListStateDescriptor, MapState,
    MapStateDescriptor, MergingState, Namespace, OperatorListState, OperatorStateStore, ReducingState,
    ReducingStateDescriptor, StateBackend, StateError, StateHandle, StateRegistry, StateTtlConfig,
    StateVisibility, UpdateType, ValueState, ValueStateDescriptor,
};
use flott_state::{BackendScope, KeyedState};

/// Opens the keyed state of a subtask on the job's backend, with nothing registered yet.
pub(crate) fn keyed_state<K: Key>(setup: &OperatorSetup) -> Result<KeyedState<K>, StateError> {
    let scope = BackendScope {
        operator: setup.operator_id.to_string(),
        subtask: setup.subtask,
        key_groups: setup.key_groups(),
        max_parallelism: setup.max_parallelism,
    };
    let (keyed, stores) = match &setup.restored {
        None => (Vec::new(), [].as_slice()),
        Some(restored) => (restored.keyed.clone(), restored.stores.as_slice()),
    };
    let mut state = KeyedState::with_stores(&scope, setup.backend.as_ref(), keyed, stores)?;
    state.set_processing_time(setup.task.processing_time());
    Ok(state)
}
