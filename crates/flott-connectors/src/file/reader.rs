//! Reads one split after the other and asks for the next.

use std::collections::VecDeque;

use flott_runtime::error::FnResult;
use flott_runtime::source::{InputStatus, ReaderContext, SourceOutput, SourceReader, SourceSplit};

use super::{BadRecords, FileSplit, Format, Progress, RecordReader, Records};

pub(super) struct FileReader<F: Format> {
    context: ReaderContext,
    format: F,
    bad: BadRecords,
    /// Assigned and not yet opened.
    waiting: VecDeque<FileSplit>,
    current: Option<Current<F::Reader>>,
    /// A request is under way, so that a restored reader doesn't hoard splits.
    requested: bool,
    no_more_splits: bool,
    checked: bool,
}

struct Current<R> {
    split: FileSplit,
    id: String,
    reader: R,
}

impl<F: Format> FileReader<F> {
    pub(super) fn new(context: ReaderContext, format: F, bad: BadRecords) -> Self {
        Self {
            context,
            format,
            bad,
            waiting: VecDeque::new(),
            current: None,
            requested: false,
            no_more_splits: false,
            checked: false,
        }
    }

    fn request_if_idle(&mut self) {
        if self.waiting.is_empty() && !self.requested && !self.no_more_splits {
            self.requested = true;
            self.context.request_split();
        }
    }

    fn open_next(&mut self) -> FnResult<Option<&mut Current<F::Reader>>> {
        if self.current.is_none() {
            let Some(split) = self.waiting.front() else { return Ok(None) };
            let reader = self.format.open(split)?;
            self.current =
                self.waiting.pop_front().map(|split| Current { id: split.split_id(), split, reader });
        }
        Ok(self.current.as_mut())
    }
}

impl<F: Format> SourceReader<F::Record, FileSplit> for FileReader<F> {
    fn start(&mut self) -> FnResult {
        self.request_if_idle();
        Ok(())
    }

    fn add_splits(&mut self, splits: Vec<FileSplit>) -> FnResult {
        self.requested = false;
        self.waiting.extend(splits);
        Ok(())
    }

    fn notify_no_more_splits(&mut self) {
        self.requested = false;
        self.no_more_splits = true;
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, F::Record>) -> FnResult<InputStatus> {
        if !self.checked {
            self.bad.expect_reader(out)?;
            self.checked = true;
        }
        if self.open_next()?.is_none() {
            self.request_if_idle();
            return Ok(match self.no_more_splits {
                true => InputStatus::EndOfInput,
                false => InputStatus::NothingAvailable { retry_after: None },
            });
        }
        let Self { current: Some(current), bad, context, .. } = self else {
            return Ok(InputStatus::MoreAvailable);
        };
        out.set_split(&current.id);
        let progress = current.reader.read(&mut Records { out, bad, metrics: context.metrics() })?;
        if progress == Progress::SplitFinished {
            out.finish_split(&current.id);
            self.current = None;
            self.request_if_idle();
        }
        Ok(InputStatus::MoreAvailable)
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<FileSplit>> {
        let current = self
            .current
            .iter()
            .map(|current| FileSplit { position: Some(current.reader.position()), ..current.split.clone() });
        Ok(current.chain(self.waiting.iter().cloned()).collect())
    }

    fn close(&mut self) -> FnResult {
        self.current = None;
        self.waiting.clear();
        Ok(())
    }
}
