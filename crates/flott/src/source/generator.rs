//! Records made from their index.

use std::sync::Arc;
use std::time::Duration;

use flott_core::Data;
use flott_core::seam::Clock;
use flott_runtime::error::FnResult;
use flott_runtime::source::{
    Boundedness, EnumeratorOutput, InputStatus, ReaderContext, Source, SourceOutput, SourceReader,
    SourceSplit, SplitEnumerator,
};
use serde::{Deserialize, Serialize};

/// Makes record `i` of `count` by calling a function with `i` (Flink: `DataGeneratorSource`).
///
/// The range of indexes is cut into one part for each subtask. Replayable: after a restart each subtask goes on behind
/// the last index of the checkpoint.
pub struct GeneratorSource<F> {
    count: u64,
    generate: F,
    records_per_second: Option<f64>,
}

impl<T, F: Fn(u64) -> T + Clone + Send + Sync + 'static> GeneratorSource<F> {
    /// Makes records `0..count`. `u64::MAX` stands for no end.
    pub fn new(count: u64, generate: F) -> Self {
        Self { count, generate, records_per_second: None }
    }

    /// Limits the rate of the whole job to this many records a second. Each subtask gets an equal share; a rate that is
    /// not positive stands for no limit.
    #[must_use]
    pub fn with_rate(mut self, records_per_second: f64) -> Self {
        self.records_per_second = (records_per_second > 0.0).then_some(records_per_second);
        self
    }
}

/// A range of indexes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeneratorSplit {
    /// Which part of the whole it is.
    pub part: u32,
    /// The next index to make.
    pub next: u64,
    /// One past the last index.
    pub end: u64,
}

impl SourceSplit for GeneratorSplit {
    fn split_id(&self) -> String {
        self.part.to_string()
    }
}

impl<T: Data, F: Fn(u64) -> T + Clone + Send + Sync + 'static> Source for GeneratorSource<F> {
    type Out = T;
    type Split = GeneratorSplit;
    type EnumeratorState = Option<Vec<GeneratorSplit>>;

    fn boundedness(&self) -> Boundedness {
        if self.count == u64::MAX { Boundedness::ContinuousUnbounded } else { Boundedness::Bounded }
    }

    fn create_enumerator(
        &self,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = GeneratorSplit, State = Self::EnumeratorState>>> {
        Ok(Box::new(GeneratorEnumerator { count: self.count, waiting: None }))
    }

    fn restore_enumerator(
        &self,
        state: Self::EnumeratorState,
    ) -> FnResult<Box<dyn SplitEnumerator<Split = GeneratorSplit, State = Self::EnumeratorState>>> {
        Ok(Box::new(GeneratorEnumerator { count: self.count, waiting: state }))
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<T, GeneratorSplit>>> {
        let parallelism = f64::from(context.parallelism());
        let rate = self.records_per_second.map(|rate| Rate::new(rate / parallelism, context.clock()));
        let (splits, no_more_splits) = (Vec::new(), false);
        Ok(Box::new(GeneratorReader {
            generate: self.generate.clone(),
            splits,
            no_more_splits,
            rate,
            context,
        }))
    }
}

/// Cuts the range into parts at the first start, then hands out whatever is not assigned.
struct GeneratorEnumerator {
    count: u64,
    waiting: Option<Vec<GeneratorSplit>>,
}

impl SplitEnumerator for GeneratorEnumerator {
    type Split = GeneratorSplit;
    type State = Option<Vec<GeneratorSplit>>;

    fn start(&mut self, out: &mut EnumeratorOutput<'_, GeneratorSplit>) -> FnResult {
        if self.waiting.is_none() {
            let parts = u64::from(out.parallelism());
            let bound = |part: u64| (u128::from(self.count) * u128::from(part) / u128::from(parts)) as u64;
            let split =
                |part: u64| GeneratorSplit { part: part as u32, next: bound(part), end: bound(part + 1) };
            // Popped from the end, so that part i goes to the reader that asks i-th.
            self.waiting = Some((0..parts).rev().map(split).collect());
        }
        Ok(())
    }

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, GeneratorSplit>) -> FnResult {
        match self.waiting.as_mut().and_then(Vec::pop) {
            Some(split) => out.assign(subtask, &split)?,
            None => out.no_more_splits(subtask),
        }
        Ok(())
    }

    fn add_splits_back(&mut self, splits: Vec<GeneratorSplit>, _subtask: u32) -> FnResult {
        self.waiting.get_or_insert_default().extend(splits);
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Option<Vec<GeneratorSplit>>> {
        Ok(self.waiting.clone())
    }
}

/// How many records may have been made by now.
struct Rate {
    records_per_second: f64,
    start_ns: u64,
    made: u64,
}

impl Rate {
    fn new(records_per_second: f64, clock: &Arc<dyn Clock>) -> Self {
        Self { records_per_second, start_ns: clock.monotonic_ns(), made: 0 }
    }

    fn allowance(&self, now_ns: u64) -> u64 {
        let seconds = now_ns.saturating_sub(self.start_ns) as f64 / 1e9;
        ((seconds * self.records_per_second) as u64).saturating_sub(self.made)
    }

    fn until_next(&self, now_ns: u64) -> Duration {
        let due_ns = (self.made + 1) as f64 / self.records_per_second * 1e9;
        let elapsed_ns = now_ns.saturating_sub(self.start_ns) as f64;
        Duration::from_nanos((due_ns - elapsed_ns).max(1.0) as u64)
    }
}

struct GeneratorReader<F> {
    generate: F,
    splits: Vec<GeneratorSplit>,
    no_more_splits: bool,
    rate: Option<Rate>,
    context: ReaderContext,
}

impl<T, F: Fn(u64) -> T> SourceReader<T, GeneratorSplit> for GeneratorReader<F> {
    /// A restored reader asks for more when it has read what it has, so that the others get something, too.
    fn start(&mut self) -> FnResult {
        if self.splits.is_empty() {
            self.context.request_split();
        }
        Ok(())
    }

    fn add_splits(&mut self, splits: Vec<GeneratorSplit>) -> FnResult {
        self.splits.extend(splits);
        Ok(())
    }

    fn notify_no_more_splits(&mut self) {
        self.no_more_splits = true;
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, T>) -> FnResult<InputStatus> {
        let Some(split) = self.splits.first_mut() else {
            return Ok(match self.no_more_splits {
                true => InputStatus::EndOfInput,
                false => InputStatus::NothingAvailable { retry_after: None },
            });
        };
        let mut count = (out.remaining() as u64).min(split.end - split.next);
        if let Some(rate) = &mut self.rate {
            let now_ns = self.context.clock().monotonic_ns();
            count = count.min(rate.allowance(now_ns));
            rate.made += count;
            if count == 0 && split.next < split.end {
                return Ok(InputStatus::NothingAvailable { retry_after: Some(rate.until_next(now_ns)) });
            }
        }
        let id = split.split_id();
        out.set_split(&id);
        out.extend((split.next..split.next + count).map(&self.generate));
        split.next += count;
        if split.next == split.end {
            out.finish_split(&id);
            self.splits.remove(0);
            if self.splits.is_empty() {
                self.context.request_split();
            }
        }
        Ok(InputStatus::MoreAvailable)
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<GeneratorSplit>> {
        Ok(self.splits.clone())
    }
}

#[cfg(test)]
mod tests;
