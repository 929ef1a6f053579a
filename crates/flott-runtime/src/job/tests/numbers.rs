//! A source of numbers that fails on demand.

use std::sync::Arc;

use super::support::{Hook, Log, Phase};
use crate::error::FnResult;
use crate::source::{
    Boundedness, EnumeratorOutput, InputStatus, ReaderContext, Source, SourceOutput, SourceReader,
    SourceSplit, SplitEnumerator,
};

/// Each reader gets one split: the numbers `subtask × 1,000,000 ..`, so many, or without end.
pub(super) struct Numbers {
    pub(super) each: Option<u64>,
    /// Whether the enumerator never answers a request.
    pub(super) is_silent: bool,
    pub(super) log: Log,
    /// What the readers do beside reading; `Process` is a poll.
    pub(super) reader: Hook,
    /// What the enumerator does beside, as if in subtask 1: `Build`, `Open`, and `Process` for each split request.
    pub(super) enumerator: Hook,
}

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Range {
    next: u64,
    end: Option<u64>,
}

impl SourceSplit for Range {
    fn split_id(&self) -> String {
        "range".to_owned()
    }
}

impl Source for Numbers {
    type Out = u64;
    type Split = Range;
    type EnumeratorState = ();

    fn boundedness(&self) -> Boundedness {
        if self.each.is_some() { Boundedness::Bounded } else { Boundedness::ContinuousUnbounded }
    }

    fn create_enumerator(&self) -> FnResult<Box<dyn SplitEnumerator<Split = Range, State = ()>>> {
        (self.enumerator)(Phase::Build, 1)?;
        let hook = Arc::clone(&self.enumerator);
        Ok(Box::new(Ranges { each: self.each, is_silent: self.is_silent, hook, assigned: Vec::new() }))
    }

    fn restore_enumerator(&self, (): ()) -> FnResult<Box<dyn SplitEnumerator<Split = Range, State = ()>>> {
        self.create_enumerator()
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<u64, Range>>> {
        (self.reader)(Phase::Build, context.subtask())?;
        let (hook, log) = (Arc::clone(&self.reader), self.log.clone());
        Ok(Box::new(Reader { context, hook, log, range: None, is_last: false }))
    }
}

struct Ranges {
    each: Option<u64>,
    is_silent: bool,
    hook: Hook,
    assigned: Vec<u32>,
}

impl SplitEnumerator for Ranges {
    type Split = Range;
    type State = ();

    fn start(&mut self, _out: &mut EnumeratorOutput<'_, Range>) -> FnResult {
        (self.hook)(Phase::Open, 1)
    }

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, Range>) -> FnResult {
        (self.hook)(Phase::Process, subtask)?;
        if self.is_silent {
            return Ok(());
        }
        if self.assigned.contains(&subtask) {
            out.no_more_splits(subtask);
            return Ok(());
        }
        self.assigned.push(subtask);
        let next = u64::from(subtask) * 1_000_000;
        out.assign(subtask, &Range { next, end: self.each.map(|each| next + each) })
    }

    fn add_splits_back(&mut self, _splits: Vec<Range>, _subtask: u32) -> FnResult {
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult {
        Ok(())
    }
}

struct Reader {
    context: ReaderContext,
    hook: Hook,
    log: Log,
    range: Option<Range>,
    is_last: bool,
}

impl Reader {
    fn at(&self, phase: Phase) -> FnResult {
        self.log.note("numbers", self.context.subtask(), phase);
        (self.hook)(phase, self.context.subtask())
    }
}

impl SourceReader<u64, Range> for Reader {
    fn start(&mut self) -> FnResult {
        self.context.request_split();
        self.at(Phase::Open)
    }

    fn add_splits(&mut self, mut splits: Vec<Range>) -> FnResult {
        self.range = splits.pop();
        Ok(())
    }

    fn notify_no_more_splits(&mut self) {
        self.is_last = true;
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, u64>) -> FnResult<InputStatus> {
        self.at(Phase::Process)?;
        let Some(range) = &mut self.range else {
            let waits = InputStatus::NothingAvailable { retry_after: None };
            return Ok(if self.is_last { InputStatus::EndOfInput } else { waits });
        };
        let until = range.end.unwrap_or(u64::MAX).min(range.next + 300);
        while range.next < until {
            out.collect_with_timestamp(range.next, range.next as i64);
            range.next += 1;
        }
        if range.end == Some(range.next) {
            self.range = None;
            out.finish_split("range");
            self.context.request_split();
        }
        Ok(InputStatus::MoreAvailable)
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Range>> {
        Ok(self.range.iter().cloned().collect())
    }

    fn close(&mut self) -> FnResult {
        self.at(Phase::Close)
    }
}
