//! Which sources are ahead of the others, as a pure decision: watermarks in, limits out.

use std::collections::{BTreeMap, BTreeSet};

use flott_core::time::Timestamp;
use flott_core::watermark::WatermarkAlignment;

use super::coordinator::TaskId;

/// The last watermarks of all readers of a job that are aligned with others, by group.
#[derive(Debug, Default)]
pub(super) struct AlignmentGroups(BTreeMap<String, BTreeMap<TaskId, Timestamp>>);

impl AlignmentGroups {
    /// A reader is at `watermark`: [`MAX_WATERMARK`](flott_core::time::MAX_WATERMARK) if it is idle or has finished and
    /// is not to be waited for. Returns the greatest watermark with which it may go on reading.
    pub(super) fn report(
        &mut self,
        alignment: &WatermarkAlignment,
        reader: TaskId,
        watermark: Timestamp,
    ) -> Timestamp {
        let group = self.0.entry(alignment.group().to_owned()).or_default();
        group.insert(reader, watermark);
        let least = group.values().copied().min().unwrap_or(watermark);
        alignment.limit(least)
    }

    /// These readers start again, and are not waited for until they report.
    pub(super) fn forget(&mut self, readers: &BTreeSet<TaskId>) {
        self.0.values_mut().for_each(|group| group.retain(|reader, _| !readers.contains(reader)));
    }
}

#[cfg(test)]
mod tests;
