//! A state that is in the store, restored with its files, and that nobody has registered: its entries go into snapshots as they are.

use crate::{
    disk::{ByteScan, split_group},
    error::StateError,
    snapshot::{GroupEntries, SnapshotBudget, SnapshotSink},
    state_store::PIECE_BYTES,
};

/// Reading such a state as it was when a snapshot began.
pub(super) struct RestoredColumn {
    scan: Box<dyn ByteScan>,
    /// The key group that is being read, and what the sink has not got of it yet.
    group: u32,
    piece: GroupEntries,
}

impl RestoredColumn {
    pub(super) fn new(scan: Box<dyn ByteScan>) -> Self {
        Self { scan, group: 0, piece: GroupEntries::default() }
    }

    /// Goes on until the budget is spent; `true` when nothing is left.
    pub(super) fn write(
        &mut self,
        number: u32,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let Self { scan, group, piece } = self;
        let mut hand_on = |group: u32, piece: &mut GroupEntries| match std::mem::take(piece) {
            GroupEntries { count: 0, .. } => Ok(()),
            GroupEntries { count, bytes } => sink.entries(number, group, count, &bytes),
        };
        while !budget.is_spent() {
            let Some((key, value)) = scan.next()? else {
                hand_on(*group, piece)?;
                return Ok(true);
            };
            let (of_group, key) = split_group(key).unwrap_or_default();
            if of_group != *group || piece.bytes.len() >= PIECE_BYTES {
                hand_on(*group, piece)?;
                *group = of_group;
            }
            piece.bytes.extend_from_slice(key);
            piece.bytes.extend_from_slice(value);
            piece.count += 1;
            budget.spend(1, key.len() + value.len());
        }
        Ok(false)
    }
}
