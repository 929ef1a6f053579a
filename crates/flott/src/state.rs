//! The keyed state of an operator, opened on the job's backend.

use flott_core::Key;
use flott_runtime::operator::OperatorSetup;
use flott_state::{BackendScope, KeyedState, StateError};

/// Opens the keyed state of a subtask, with nothing registered yet.
pub(crate) fn keyed_state<K: Key>(setup: &OperatorSetup) -> Result<KeyedState<K>, StateError> {
    let scope = BackendScope {
        operator: setup.operator_id.to_string(),
        subtask: setup.subtask,
        key_groups: setup.key_groups(),
        max_parallelism: setup.max_parallelism,
    };
    let restored = setup.restored.as_ref().map(|restored| restored.keyed.clone()).unwrap_or_default();
    let mut state = KeyedState::new(&scope, setup.backend.as_ref(), restored)?;
    state.set_processing_time(setup.task.processing_time());
    Ok(state)
}
