//! The operator: starts calls, waits for room, emits what they return.

use std::collections::VecDeque;
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::watermark::{MergeOutput, StreamStatus};
use flott_core::{Batch, Data};
use flott_runtime::error::FnResult;
use flott_runtime::operator::{Operator, OperatorSetup, Output};
use flott_runtime::task::TaskShared;
use flott_state::{
    ListStateDescriptor, OperatorListState, OperatorSnapshot, OperatorState, OperatorStateStore,
    SnapshotRequest, StateError,
};

use super::calls::{Calls, Due};
use super::completion::{Completion, Completions};
use super::emission::{Emission, EmissionQueue, OutputMode, Results};
use super::error::{AsyncError, shown};
use super::executor;
use super::{AsyncFunction, AsyncRetryStrategy};
use crate::function::RuntimeContext;

/// The name of the state of records under way.
const STATE: &str = "_async_wait_operator_state_";

/// How calls are made.
pub(super) struct AsyncSettings<O> {
    pub(super) mode: OutputMode,
    /// For a record with all its retries; zero: for ever.
    pub(super) timeout: Duration,
    /// Most records under way.
    pub(super) capacity: usize,
    pub(super) retry: Option<Arc<dyn AsyncRetryStrategy<O>>>,
}

impl<O> Clone for AsyncSettings<O> {
    fn clone(&self) -> Self {
        Self { retry: self.retry.clone(), ..*self }
    }
}

/// Calls a function for each record, up to its capacity at a time (Flink: `AsyncWaitOperator`).
pub(super) struct AsyncWaitOperator<F, I, O> {
    function: Arc<F>,
    context: RuntimeContext,
    task: Rc<TaskShared>,
    settings: AsyncSettings<O>,
    calls: Calls<I>,
    emissions: EmissionQueue<O>,
    completions: Arc<Completions<O>>,
    state: OperatorState,
    /// Filled for snapshots only.
    under_way: OperatorListState<(I, Timestamp)>,
    /// Records of an earlier run whose calls have not started yet; they go before all others.
    restored: VecDeque<(I, Timestamp)>,
    /// The input has ended, so nothing is tried again.
    finishing: bool,
}

impl<F: AsyncFunction<I, O>, I: Data + Debug, O: Data> AsyncWaitOperator<F, I, O> {
    pub(super) fn new(
        function: F,
        settings: AsyncSettings<O>,
        setup: &OperatorSetup,
    ) -> Result<Self, StateError> {
        let restored = setup.restored.as_ref().map(|restored| restored.operator.clone());
        let mut state = OperatorState::new(restored);
        let under_way = state.list_state(ListStateDescriptor::new(STATE))?;
        let restored = under_way.get(&state)?.to_vec().into();
        under_way.clear(&mut state)?;
        Ok(Self {
            function: Arc::new(function),
            context: RuntimeContext::of(setup),
            task: Rc::clone(&setup.task),
            calls: Calls::new(),
            emissions: EmissionQueue::new(settings.mode),
            completions: Arc::new(Completions::new(Arc::clone(setup.task.signal()))),
            state,
            under_way,
            restored,
            settings,
            finishing: false,
        })
    }

    fn has_room(&self) -> bool {
        self.calls.len() < self.settings.capacity
    }

    fn add(&mut self, record: I, timestamp: Timestamp) -> FnResult {
        let timeout = Some(self.settings.timeout).filter(|timeout| !timeout.is_zero());
        let deadline = timeout.map(|timeout| self.after(timeout));
        let segment = self.emissions.enter();
        let id = self.calls.add(record, timestamp, segment, deadline);
        self.attempt(id)
    }

    fn after(&self, delay: Duration) -> Timestamp {
        let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
        self.task.processing_time().saturating_add(delay)
    }

    /// Starts the next attempt for a record.
    fn attempt(&mut self, id: u64) -> FnResult {
        let Some(call) = self.calls.begin(id) else { return Ok(()) };
        let (function, record, attempt) = (Arc::clone(&self.function), call.record.clone(), call.attempt);
        let completions = Arc::clone(&self.completions);
        let running = async move { function.async_invoke(record).await };
        let report = move |outcome| completions.push(Completion { id, attempt, outcome });
        call.runs(executor::start(running, report)?);
        Ok(())
    }

    /// Takes in what has ended or is due, and emits what may leave.
    fn collect(&mut self, out: &mut Output<O>) -> FnResult {
        for completion in self.completions.take() {
            self.complete(completion)?;
        }
        while let Some(due) = self.calls.due(self.task.processing_time()) {
            match due {
                Due::Retry(id) => self.attempt(id)?,
                Due::TimeOut(id) => self.time_out(id)?,
            }
        }
        while let Some(emission) = self.emissions.next() {
            match emission {
                Emission::Results(Results { id, timestamp, results }) => {
                    self.calls.remove(id);
                    results.into_iter().for_each(|result| out.emit(result, timestamp));
                }
                Emission::Progress(progress) => out.advance_now(progress),
            }
        }
        Ok(())
    }

    fn complete(&mut self, Completion { id, attempt, outcome }: Completion<O>) -> FnResult {
        // A call that has timed out may still have ended.
        let Some(call) = self.calls.running(id, attempt) else { return Ok(()) };
        let outcome = outcome.map_err(|panic| AsyncError::Panicked { record: shown(&call.record), panic })?;
        if let Some(backoff) = self.backoff(attempt, &outcome) {
            self.calls.wait(id, self.after(backoff));
            return Ok(());
        }
        self.settle(id, outcome)
    }

    /// How long to wait before another attempt, if there is to be one.
    fn backoff(&self, attempt: u32, outcome: &FnResult<Vec<O>>) -> Option<Duration> {
        let strategy = self.settings.retry.as_ref().filter(|_| !self.finishing)?;
        let wanted = match outcome {
            Ok(results) => strategy.retry_on_result(results),
            Err(error) => strategy.retry_on_error(error),
        };
        (wanted && strategy.can_retry(attempt)).then(|| strategy.backoff(attempt))
    }

    fn time_out(&mut self, id: u64) -> FnResult {
        let Some(call) = self.calls.finish(id) else { return Ok(()) };
        let outcome = self.function.timeout(call.record.clone());
        self.settle(id, outcome)
    }

    /// This is what becomes of a record.
    fn settle(&mut self, id: u64, outcome: FnResult<Vec<O>>) -> FnResult {
        let Some(call) = self.calls.finish(id) else { return Ok(()) };
        let failed = |source| AsyncError::Failed { record: shown(&call.record), source };
        let results = Results { id, timestamp: call.timestamp, results: outcome.map_err(failed)? };
        self.emissions.complete(call.segment, results);
        Ok(())
    }

    /// Waits until `done`, emitting what calls return meanwhile.
    fn wait_until(&mut self, done: impl Fn(&Self) -> bool, out: &mut Output<O>) -> FnResult {
        if done(self) {
            return Ok(());
        }
        self.collect(out)?;
        while !done(self) {
            out.flush()?;
            self.task.wait_for_work(self.next_timer())?;
            self.collect(out)?;
        }
        self.task.look_again();
        Ok(())
    }

    /// Starts the calls of all restored records, as soon as there is room.
    fn start_restored(&mut self, out: &mut Output<O>) -> FnResult {
        while !self.restored.is_empty() {
            self.wait_until(Self::has_room, out)?;
            self.start_restored_with_room()?;
        }
        Ok(())
    }

    fn start_restored_with_room(&mut self) -> FnResult {
        while self.has_room()
            && let Some((record, timestamp)) = self.restored.pop_front()
        {
            self.add(record, timestamp)?;
        }
        Ok(())
    }

    fn advance(&mut self, progress: MergeOutput, out: &mut Output<O>) -> FnResult {
        self.start_restored(out)?;
        self.emissions.advance(progress);
        self.collect(out)
    }
}

impl<F: AsyncFunction<I, O>, I: Data + Debug, O: Data> Operator for AsyncWaitOperator<F, I, O> {
    type In = I;
    type Out = O;

    fn open(&mut self) -> FnResult {
        let function =
            Arc::get_mut(&mut self.function).ok_or("calls have started before the function was opened")?;
        function.open(&self.context)?;
        if self.task.is_rehearsal() { Ok(()) } else { self.start_restored_with_room() }
    }

    fn process(&mut self, batch: &mut Batch<I>, out: &mut Output<O>) -> FnResult {
        self.start_restored(out)?;
        let timestamps = &batch.timestamps;
        for (index, record) in batch.records.drain(..).enumerate() {
            self.wait_until(Self::has_room, out)?;
            self.add(record, timestamps.get(index).copied().unwrap_or(NO_TIMESTAMP))?;
        }
        Ok(())
    }

    fn on_watermark(&mut self, watermark: Timestamp, out: &mut Output<O>) -> FnResult {
        self.advance(MergeOutput { watermark: Some(watermark), status: None }, out)
    }

    fn on_status(&mut self, status: StreamStatus, out: &mut Output<O>) -> FnResult {
        self.advance(MergeOutput { watermark: None, status: Some(status) }, out)
    }

    fn forwards_watermarks(&self) -> bool {
        false
    }

    fn on_processing_time(&mut self, _now: Timestamp, out: &mut Output<O>) -> FnResult {
        self.collect(out)?;
        self.start_restored_with_room()
    }

    fn next_timer(&self) -> Option<Timestamp> {
        let at_once = self.completions.any() || (self.has_room() && !self.restored.is_empty());
        if at_once { Some(Timestamp::MIN) } else { self.calls.next_due() }
    }

    fn snapshot(&mut self, _request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        let under_way = self.calls.iter().map(|call| (call.record.clone(), call.timestamp));
        let elements = under_way.chain(self.restored.iter().cloned()).collect();
        self.under_way.update(&mut self.state, elements)?;
        let operator = self.state.snapshot()?;
        self.under_way.clear(&mut self.state)?;
        Ok(OperatorSnapshot { keyed: Vec::new(), operator, ..OperatorSnapshot::default() })
    }

    fn finish(&mut self, out: &mut Output<O>) -> FnResult {
        self.start_restored(out)?;
        self.finishing = true;
        // One last attempt each, now.
        for id in self.calls.waiting() {
            self.attempt(id)?;
        }
        self.wait_until(|operator| operator.calls.is_empty(), out)
    }

    fn close(&mut self) -> FnResult {
        self.calls.abort();
        self.function.close()
    }
}
