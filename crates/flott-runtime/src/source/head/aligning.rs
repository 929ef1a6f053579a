//! The alignment of a source with others: its part on the task's thread.

use flott_core::Data;
use flott_core::time::MAX_WATERMARK;
use flott_core::watermark::StreamStatus;

use super::{SourceHead, UNNAMED_SPLIT};
use crate::error::ChainResult;
use crate::source::{CannotPauseSplits, SourceSplit};

impl<T: Data, S: SourceSplit> SourceHead<T, S> {
    /// Whether the reader must wait for others.
    pub(super) fn is_ahead(&self) -> bool {
        let watermark = self.watermarks.watermark();
        self.alignment.as_ref().is_some_and(|alignment| alignment.is_ahead(watermark))
    }

    /// A split that is not read, as it waits for others, is not idle.
    pub(super) fn excuse_paused_splits(&mut self) {
        let all = self.is_ahead();
        if let Some(alignment) = &self.alignment {
            self.watermarks.excuse(|split| all || alignment.is_paused(split));
        }
    }

    /// Tells the alignment group not to wait for this reader any more.
    pub(super) fn report_end(&self) {
        if self.alignment.is_some() {
            (self.setup.task.link.report_watermark)(MAX_WATERMARK);
        }
    }

    /// Tells the others of the alignment group how far this reader is, if it is time to.
    pub(super) fn report_watermark(&mut self, now_ns: u64) {
        if self.alignment.as_mut().is_some_and(|alignment| alignment.take_due_report(now_ns)) {
            let is_idle = self.watermarks.status() == StreamStatus::Idle;
            let watermark = if is_idle { MAX_WATERMARK } else { self.watermarks.watermark() };
            (self.setup.task.link.report_watermark)(watermark);
        }
    }

    /// Pauses the splits that are too far ahead, and resumes those that no longer are.
    pub(super) fn align_splits(&mut self) -> ChainResult {
        let Some(alignment) = &self.alignment else { return Ok(()) };
        let named = self.watermarks.splits().filter(|(split, _)| *split != UNNAMED_SPLIT);
        let changes = alignment.split_changes(self.splits.len(), named);
        if changes.pause.is_empty() && changes.resume.is_empty() {
            return Ok(());
        }
        let may_refuse = self.setup.task.link.allow_unaligned_source_splits;
        let can =
            self.read(|head| match head.reader.pause_or_resume_splits(&changes.pause, &changes.resume) {
                Err(error) if may_refuse && error.is::<CannotPauseSplits>() => Ok(false),
                other => other.map(|()| true),
            })?;
        match &mut self.alignment {
            Some(alignment) if can => alignment.note(changes),
            Some(alignment) => alignment.give_up_splits(),
            None => {}
        }
        Ok(())
    }
}
