//! A reader's position in a checkpoint: its splits, each at the place where reading goes on.

use flott_core::encoding::{self, EncodeError};
use flott_state::{
    ListStateDescriptor, OperatorSnapshot, OperatorState, OperatorStateSnapshot, OperatorStateStore,
    RedistributionMode, StateType,
};

use crate::error::FnResult;
use crate::source::SourceSplit;

/// The name of the state (Flink: `SourceReaderState`).
const SPLITS: &str = "SourceReaderState";

/// The state of a reader with these splits; none if it has none.
pub(in crate::source) fn snapshot<S: SourceSplit>(
    splits: &[S],
) -> Result<Option<OperatorSnapshot>, EncodeError> {
    if splits.is_empty() {
        return Ok(None);
    }
    let elements: Result<Vec<_>, _> = splits.iter().map(encoding::to_vec).collect();
    let splits = OperatorStateSnapshot {
        name: SPLITS.to_owned(),
        mode: RedistributionMode::SplitDistribute,
        element_type: StateType::of::<S>(),
        elements: elements?,
    };
    Ok(Some(OperatorSnapshot { keyed: Vec::new(), operator: vec![splits], ..OperatorSnapshot::default() }))
}

/// The splits that a reader gets back, migrated like any other state if their type has changed.
pub(in crate::source) fn restore<S: SourceSplit>(restored: &OperatorSnapshot) -> FnResult<Vec<S>> {
    let mut state = OperatorState::new(Some(restored.operator.clone()));
    let splits = state.list_state(ListStateDescriptor::new(SPLITS))?;
    Ok(splits.get(&state)?.to_vec())
}
