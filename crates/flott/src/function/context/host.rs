//! What every operator keeps for its function, and the contexts around its snapshots.

use std::hash::Hash;
use std::ops::Deref;

use flott_core::Data;
use flott_runtime::error::FnResult;
use flott_runtime::operator::OperatorSetup;
use flott_state::{
    BroadcastState, HasOperatorState, HasReadOnlyOperatorState, MapStateDescriptor, OperatorSnapshot,
    OperatorState, OperatorStateStore, StateError, StateErrorKind,
};

use super::RuntimeContext;

/// A function's place and its operator state.
pub(crate) struct Host {
    pub(crate) runtime: RuntimeContext,
    pub(super) operator_state: OperatorState,
    /// The broadcast states that the function may ask for; `None`: any.
    declared: Option<Vec<String>>,
}

impl Host {
    pub(crate) fn new(setup: &OperatorSetup) -> Self {
        let restored = setup.restored.as_ref().map(|restored| restored.operator.clone());
        let operator_state = OperatorState::new(restored);
        Self { runtime: RuntimeContext::of(setup), operator_state, declared: None }
    }

    /// Restricts the broadcast states to those of a broadcast stream.
    pub(crate) fn declare(&mut self, names: Vec<String>) {
        self.declared = Some(names);
    }

    pub(crate) fn initialization(&mut self) -> FunctionInitializationContext<'_> {
        FunctionInitializationContext { host: self }
    }

    /// The operator state, after the function has had its say.
    pub(crate) fn snapshot(
        &mut self,
        checkpoint_id: u64,
        snapshot_state: impl FnOnce(&mut FunctionSnapshotContext<'_>) -> FnResult,
    ) -> FnResult<OperatorSnapshot> {
        let operator_state = &mut self.operator_state;
        snapshot_state(&mut FunctionSnapshotContext { checkpoint_id, operator_state })?;
        Ok(OperatorSnapshot {
            keyed: Vec::new(),
            operator: self.operator_state.snapshot()?,
            ..OperatorSnapshot::default()
        })
    }
}

/// Where a function obtains its operator state, and reads what was restored, before `open` (Flink:
/// `FunctionInitializationContext`). [`OperatorStateStore`] has the methods.
pub struct FunctionInitializationContext<'a> {
    host: &'a mut Host,
}

impl OperatorStateStore for FunctionInitializationContext<'_> {
    fn operator_state_store(&mut self) -> &mut OperatorState {
        &mut self.host.operator_state
    }

    fn broadcast_state<K: Data + Eq + Hash, V: Data>(
        &mut self,
        descriptor: MapStateDescriptor<K, V>,
    ) -> Result<BroadcastState<K, V>, StateError> {
        match &self.host.declared {
            Some(declared) if !declared.iter().any(|name| name == descriptor.name()) => {
                let (name, declared) = (descriptor.name().to_owned(), declared.clone());
                Err(StateErrorKind::UndeclaredBroadcastState { name, declared }.into())
            }
            _ => self.host.operator_state.broadcast_state(descriptor),
        }
    }
}

impl HasReadOnlyOperatorState for FunctionInitializationContext<'_> {
    fn operator_state(&self) -> &OperatorState {
        &self.host.operator_state
    }
}

impl HasOperatorState for FunctionInitializationContext<'_> {
    fn operator_state_mut(&mut self) -> &mut OperatorState {
        &mut self.host.operator_state
    }
}

impl Deref for FunctionInitializationContext<'_> {
    type Target = RuntimeContext;

    fn deref(&self) -> &RuntimeContext {
        &self.host.runtime
    }
}

/// What a function knows when a snapshot is taken (Flink: `FunctionSnapshotContext`).
pub struct FunctionSnapshotContext<'a> {
    checkpoint_id: u64,
    operator_state: &'a mut OperatorState,
}

impl FunctionSnapshotContext<'_> {
    /// The checkpoint that the snapshot is for. Ids grow, by more than one where checkpoints have failed.
    pub fn checkpoint_id(&self) -> u64 {
        self.checkpoint_id
    }
}

impl HasReadOnlyOperatorState for FunctionSnapshotContext<'_> {
    fn operator_state(&self) -> &OperatorState {
        self.operator_state
    }
}

impl HasOperatorState for FunctionSnapshotContext<'_> {
    fn operator_state_mut(&mut self) -> &mut OperatorState {
        self.operator_state
    }
}
