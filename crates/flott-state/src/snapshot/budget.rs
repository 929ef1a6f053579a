//! How much of a snapshot is written in one go.

/// What a call that goes on with a snapshot may still do.
///
/// It is counted in work instead of time, so that no clock is read between entries and every run does the same. A call stops soon after
/// the budget is spent: at most 128 slots and some 16 KiB later, or one entry that is larger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotBudget {
    slots: usize,
    bytes: usize,
}

impl Default for SnapshotBudget {
    /// About a tenth of a millisecond of small entries: 8,192 slots of tables, or 128 KiB written.
    fn default() -> Self {
        Self::new(8 * 1024, 128 * 1024)
    }
}

impl SnapshotBudget {
    /// A budget for looking at `slots` places where an entry can be, vacant ones included, and writing `bytes`.
    pub const fn new(slots: usize, bytes: usize) -> Self {
        Self { slots, bytes }
    }

    /// No limit: the snapshot is finished in one go.
    pub const fn unlimited() -> Self {
        Self::new(usize::MAX, usize::MAX)
    }

    /// Whether nothing is left.
    pub const fn is_spent(&self) -> bool {
        self.slots == 0 || self.bytes == 0
    }

    /// Takes off what was done.
    pub const fn spend(&mut self, slots: usize, bytes: usize) {
        self.slots = self.slots.saturating_sub(slots);
        self.bytes = self.bytes.saturating_sub(bytes);
    }
}
