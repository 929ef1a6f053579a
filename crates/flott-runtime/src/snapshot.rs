//! The state of a task at one instant: that of each of its operators.

use std::collections::BTreeMap;

use flott_state::OperatorSnapshot;

use crate::graph::OperatorId;

/// What a chain collects while a snapshot passes through it, head first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskSnapshot {
    /// The checkpoint that the snapshot is for.
    pub checkpoint_id: u64,
    /// The state of each operator that has any.
    pub operators: BTreeMap<OperatorId, OperatorSnapshot>,
}
