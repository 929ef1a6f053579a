//! The splits that readers were given and that no complete checkpoint holds yet.

use std::collections::BTreeMap;

/// A split as it was assigned: to which reader, and its encoding.
type Assignment = (u32, Vec<u8>);

/// Remembers what an enumerator has assigned until a complete checkpoint holds it, so that it can get it back when a
/// reader fails while others go on (Flink: `SplitAssignmentTracker`).
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    since_last: Vec<Assignment>,
    /// What was assigned before a checkpoint and after the one before it.
    before: BTreeMap<u64, Vec<Assignment>>,
}

impl Assigned {
    /// The enumerator has assigned these.
    pub(crate) fn note(&mut self, assignments: &[Assignment]) {
        self.since_last.extend_from_slice(assignments);
    }

    /// A checkpoint begins.
    pub(crate) fn checkpoint(&mut self, checkpoint: u64) {
        if !self.since_last.is_empty() {
            self.before.insert(checkpoint, std::mem::take(&mut self.since_last));
        }
    }

    /// A checkpoint that the job would start again from is complete.
    pub(crate) fn completed(&mut self, checkpoint: u64) {
        self.before.retain(|before, _| *before > checkpoint);
    }

    /// What a reader was given that is in no complete checkpoint, in order. It is forgotten.
    pub(crate) fn take_back(&mut self, reader: u32) -> Vec<Vec<u8>> {
        let all = self.before.values_mut().chain([&mut self.since_last]);
        all.flat_map(|assignments| assignments.extract_if(.., |(to, _)| *to == reader))
            .map(|(_, split)| split)
            .collect()
    }
}

#[cfg(test)]
mod tests;
