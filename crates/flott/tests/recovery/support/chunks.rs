//! A source of many small splits, each of which takes a while to read.

use std::collections::BTreeMap;

use flott::prelude::*;
use flott::source::{
    Boundedness, EnumeratorOutput, InputStatus, ReaderContext, Source, SourceOutput, SourceReader,
    SourceSplit, SplitEnumerator,
};
use serde::{Deserialize, Serialize};

/// Numbers in a chunk.
const LENGTH: i64 = 10;

/// How long a reader waits between two numbers.
const PAUSE: Duration = Duration::from_millis(5);

/// The numbers from 0, in chunks of ten, which readers ask for or are sent at the start.
#[derive(Clone, Copy)]
pub(crate) struct Chunks {
    pub(crate) count: i64,
    pub(crate) pushed: bool,
}

/// What is left of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Chunk {
    next: i64,
    end: i64,
}

impl SourceSplit for Chunk {
    fn split_id(&self) -> String {
        format!("until {}", self.end)
    }
}

type Enumerator = Box<dyn SplitEnumerator<Split = Chunk, State = Vec<Chunk>>>;

impl Source for Chunks {
    type Out = i64;
    type Split = Chunk;
    type EnumeratorState = Vec<Chunk>;

    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn create_enumerator(&self) -> FnResult<Enumerator> {
        let chunk = |index| Chunk { next: index * LENGTH, end: (index + 1) * LENGTH };
        self.restore_enumerator((0..self.count).map(chunk).collect())
    }

    fn restore_enumerator(&self, waiting: Vec<Chunk>) -> FnResult<Enumerator> {
        Ok(match self.pushed {
            true => Box::new(Pushing { back: BTreeMap::from([(None, waiting)]) }),
            false => Box::new(Waiting(waiting)),
        })
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<i64, Chunk>>> {
        let request = (!self.pushed).then_some(context);
        Ok(Box::new(Reader { chunks: Vec::new(), no_more: false, request }))
    }
}

/// Hands out chunks on request.
struct Waiting(Vec<Chunk>);

impl SplitEnumerator for Waiting {
    type Split = Chunk;
    type State = Vec<Chunk>;

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, Chunk>) -> FnResult {
        match self.0.pop() {
            Some(chunk) => out.assign(subtask, &chunk)?,
            None => out.no_more_splits(subtask),
        }
        Ok(())
    }

    fn add_splits_back(&mut self, splits: Vec<Chunk>, _subtask: u32) -> FnResult {
        self.0.extend(splits);
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Chunk>> {
        Ok(self.0.clone())
    }
}

/// Sends all chunks at the start, and to a reader that starts again what it gave back.
struct Pushing {
    /// What is not assigned, with the reader that gave it back.
    back: BTreeMap<Option<u32>, Vec<Chunk>>,
}

impl SplitEnumerator for Pushing {
    type Split = Chunk;
    type State = Vec<Chunk>;

    fn start(&mut self, out: &mut EnumeratorOutput<'_, Chunk>) -> FnResult {
        let readers = (0..out.parallelism()).cycle();
        for (chunk, reader) in self.back.remove(&None).unwrap_or_default().iter().zip(readers) {
            out.assign(reader, chunk)?;
        }
        (0..out.parallelism()).for_each(|reader| out.no_more_splits(reader));
        Ok(())
    }

    fn on_split_request(&mut self, _: u32, _: &mut EnumeratorOutput<'_, Chunk>) -> FnResult {
        Err("nobody asks".into())
    }

    fn add_splits_back(&mut self, splits: Vec<Chunk>, subtask: u32) -> FnResult {
        self.back.insert(Some(subtask), splits);
        Ok(())
    }

    fn on_reader_restart(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, Chunk>) -> FnResult {
        for chunk in self.back.remove(&Some(subtask)).unwrap_or_default() {
            out.assign(subtask, &chunk)?;
        }
        out.no_more_splits(subtask);
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Chunk>> {
        Ok(self.back.values().flatten().cloned().collect())
    }
}

struct Reader {
    chunks: Vec<Chunk>,
    no_more: bool,
    /// Where to ask for more; nowhere if chunks are sent.
    request: Option<ReaderContext>,
}

impl Reader {
    fn request_if_empty(&self) {
        if self.chunks.is_empty() {
            self.request.iter().for_each(ReaderContext::request_split);
        }
    }
}

impl SourceReader<i64, Chunk> for Reader {
    fn start(&mut self) -> FnResult {
        self.request_if_empty();
        Ok(())
    }

    fn add_splits(&mut self, splits: Vec<Chunk>) -> FnResult {
        self.chunks.extend(splits);
        Ok(())
    }

    fn notify_no_more_splits(&mut self) {
        self.no_more = true;
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, i64>) -> FnResult<InputStatus> {
        let Some(chunk) = self.chunks.last_mut() else {
            return Ok(match self.no_more {
                true => InputStatus::EndOfInput,
                false => InputStatus::NothingAvailable { retry_after: None },
            });
        };
        out.set_split(&chunk.split_id());
        out.collect(chunk.next);
        chunk.next += 1;
        if chunk.next == chunk.end {
            out.finish_split(&chunk.split_id());
            self.chunks.pop();
            self.request_if_empty();
        }
        Ok(InputStatus::NothingAvailable { retry_after: Some(PAUSE) })
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Chunk>> {
        Ok(self.chunks.clone())
    }
}

impl Chunks {
    /// The stream of the numbers.
    pub(crate) fn read(self, env: &StreamExecutionEnvironment) -> DataStream<i64> {
        env.from_source(self, WatermarkStrategy::no_watermarks(), "Chunks")
    }
}
