//! For tests of sources: drives an enumerator and readers by hand, call by call, without a job around them; or a whole source
//! through checkpoints and failures ([`Replay`]).

mod replay;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use flott_core::seam::Clock;
use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;
use flott_core::{Batch, Data, encoding};
use serde::{Serialize, de::DeserializeOwned};

use super::output::PollBuffer;
use super::{
    EnumeratorActions, EnumeratorOutput, InputStatus, ReaderContext, Source, SourceOutput, SourceReader,
    SourceSplit, SplitEnumerator,
};
use crate::error::{ChainResult, FnResult};
use crate::metrics::OperatorMetrics;
use crate::operator::{AnyOutput, Input, Output, OutputTag, SideOutputs};
use crate::seam::Signal;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};

pub use replay::{Replay, ReplayStep};

/// What an enumerator decided during a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided<S> {
    /// Splits given to subtasks, in order.
    pub assigned: Vec<(u32, S)>,
    /// Subtasks that will get no further splits.
    pub no_more_splits: Vec<u32>,
    /// When it wants [`EnumeratorHarness::tick`].
    pub tick_after: Option<Duration>,
}

/// Drives a [`SplitEnumerator`].
pub struct EnumeratorHarness<S, E> {
    enumerator: Box<dyn SplitEnumerator<Split = S, State = E>>,
    parallelism: u32,
}

impl<S: SourceSplit, E: Serialize + DeserializeOwned + Send + 'static> EnumeratorHarness<S, E> {
    /// Drives `enumerator` for this many readers.
    pub fn new(enumerator: Box<dyn SplitEnumerator<Split = S, State = E>>, parallelism: u32) -> Self {
        Self { enumerator, parallelism }
    }

    /// Calls [`SplitEnumerator::start`].
    ///
    /// # Errors
    /// Those of the enumerator, here and below.
    pub fn start(&mut self) -> FnResult<Decided<S>> {
        self.call(|enumerator, out| enumerator.start(out))
    }

    /// Calls [`SplitEnumerator::on_split_request`].
    ///
    /// # Errors
    /// Those of the enumerator.
    pub fn request_split(&mut self, subtask: u32) -> FnResult<Decided<S>> {
        self.call(|enumerator, out| enumerator.on_split_request(subtask, out))
    }

    /// Calls [`SplitEnumerator::on_tick`].
    ///
    /// # Errors
    /// Those of the enumerator.
    pub fn tick(&mut self) -> FnResult<Decided<S>> {
        self.call(|enumerator, out| enumerator.on_tick(out))
    }

    /// Calls [`SplitEnumerator::add_splits_back`].
    ///
    /// # Errors
    /// Those of the enumerator.
    pub fn add_splits_back(&mut self, splits: Vec<S>, subtask: u32) -> FnResult {
        self.enumerator.add_splits_back(splits, subtask)
    }

    /// Calls [`SplitEnumerator::on_reader_restart`].
    ///
    /// # Errors
    /// Those of the enumerator.
    pub fn restart_reader(&mut self, subtask: u32) -> FnResult<Decided<S>> {
        self.call(|enumerator, out| enumerator.on_reader_restart(subtask, out))
    }

    /// Calls [`SplitEnumerator::snapshot_state`].
    ///
    /// # Errors
    /// Those of the enumerator.
    pub fn snapshot(&mut self) -> FnResult<E> {
        self.enumerator.snapshot_state(1)
    }

    fn call(
        &mut self,
        act: impl FnOnce(&mut dyn SplitEnumerator<Split = S, State = E>, &mut EnumeratorOutput<'_, S>) -> FnResult,
    ) -> FnResult<Decided<S>> {
        let mut actions = EnumeratorActions::default();
        act(self.enumerator.as_mut(), &mut EnumeratorOutput::new(self.parallelism, &mut actions))?;
        let decode = |(subtask, bytes): &(u32, Vec<u8>)| Ok((*subtask, encoding::decode(bytes)?));
        let assigned = actions.assignments.iter().map(decode).collect::<FnResult<_>>()?;
        Ok(Decided { assigned, no_more_splits: actions.no_more_splits, tick_after: actions.tick_after })
    }
}

/// Drives a [`SourceReader`] on the present thread.
pub struct ReaderHarness<T, S> {
    reader: Box<dyn SourceReader<T, S>>,
    buffer: PollBuffer<T>,
    side: SideOutputs,
    requests: Arc<AtomicUsize>,
    context: ReaderContext,
}

impl<T: Data, S: SourceSplit> ReaderHarness<T, S> {
    /// Creates the reader of one subtask of `source`.
    ///
    /// # Errors
    /// When the source can't create it.
    pub fn new<Src: Source<Out = T, Split = S>>(
        source: &Src,
        subtask: u32,
        parallelism: u32,
        clock: Arc<dyn Clock>,
    ) -> FnResult<Self> {
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        let signal = Arc::new(Signal::new());
        signal.adopt();
        let context = ReaderContext {
            subtask,
            parallelism,
            clock,
            signal,
            request_split: Arc::new(move || {
                counter.fetch_add(1, Ordering::Relaxed);
            }),
            metrics: Arc::new(OperatorMetrics::default()),
        };
        let reader = source.create_reader(context.clone())?;
        Ok(Self { reader, buffer: PollBuffer::new(), side: SideOutputs::default(), requests, context })
    }

    /// Reads the side output of `tag`, and no other: what is emitted from now on can be found in the returned
    /// vector.
    pub fn connect<X: Data>(&mut self, tag: &OutputTag<X>) -> Rc<RefCell<Vec<X>>> {
        let collected = Rc::new(RefCell::new(Vec::new()));
        let target: Box<dyn Input<X>> = Box::new(Collect(Rc::clone(&collected)));
        let output = Output::new(vec![target], SideOutputs::default());
        self.side = SideOutputs::new(vec![(tag.id().to_owned(), Box::new(output) as Box<dyn AnyOutput>)]);
        collected
    }

    /// The reader, to call its other methods.
    pub fn reader(&mut self) -> &mut dyn SourceReader<T, S> {
        self.reader.as_mut()
    }

    /// How often the reader asked for a split since the last call of this method.
    pub fn take_requests(&mut self) -> usize {
        self.requests.swap(0, Ordering::Relaxed)
    }

    /// What the reader may use, with its counters.
    pub fn context(&self) -> &ReaderContext {
        &self.context
    }

    /// Polls once; the records that it emitted, and its answer.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn poll(&mut self) -> FnResult<(Vec<T>, InputStatus)> {
        let mut out = SourceOutput { buffer: &mut self.buffer, side: &mut self.side };
        let status = self.reader.poll_next(&mut out);
        let settled = self.side.settle();
        let records = std::mem::take(&mut self.buffer.batch.records);
        self.buffer.clear();
        settled.map_err(|error| format!("{error:?}"))?;
        Ok((records, status?))
    }

    /// Waits until the reader wakes its subtask, at most for `timeout`.
    pub fn wait(&self, timeout: Duration) {
        self.context.signal.wait(Some(timeout));
    }
}

/// An input that keeps what comes.
struct Collect<X>(Rc<RefCell<Vec<X>>>);

impl<X> Input<X> for Collect<X> {
    fn batch(&mut self, batch: &mut Batch<X>) -> ChainResult {
        self.0.borrow_mut().append(&mut batch.records);
        batch.clear();
        Ok(())
    }

    fn watermark(&mut self, _watermark: Timestamp) -> ChainResult {
        Ok(())
    }

    fn status(&mut self, _status: StreamStatus) -> ChainResult {
        Ok(())
    }

    fn flush(&mut self) -> ChainResult {
        Ok(())
    }

    fn open(&mut self) -> ChainResult {
        Ok(())
    }

    fn processing_time(&mut self, _now: Timestamp) -> ChainResult {
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    fn snapshot(&mut self, _snapshot: &mut TaskSnapshot) -> ChainResult {
        Ok(())
    }

    fn drain_snapshot(&mut self, _work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        Ok(true)
    }

    fn abort_snapshot(&mut self) {}

    fn notify(&mut self, _notice: CheckpointNotice) -> ChainResult {
        Ok(())
    }

    fn finish(&mut self) -> ChainResult {
        Ok(())
    }

    fn end(&mut self) -> ChainResult {
        Ok(())
    }

    fn close(&mut self) -> ChainResult {
        Ok(())
    }
}
