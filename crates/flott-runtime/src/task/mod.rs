//! A task: one subtask of a chain, on a thread of its own, with a mailbox.
//!
//! Order of service: control, barriers that overtake, due timers, input, flush. The thread never awaits; when there is nothing
//! to do it sleeps on its [`Signal`](crate::seam::Signal) until a channel, the mailbox or a timer wakes it. Where barriers may
//! overtake records, it takes no input while an output is full, so that it is always there for them.

mod checkpoints;
mod layers;
mod mailbox;
mod pace;
mod panics;
mod shared;

use std::sync::Arc;
use std::time::Duration;

use flott_core::Data;
use flott_core::time::Timestamp;
use flott_state::OperatorStateSnapshot;

use crate::checkpoint::barriers::BarrierEvent;
use crate::error::{ChainError, ChainResult, FailureKind, TaskFailure};
use crate::exchange::Gate;
use crate::graph::OperatorId;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};

use checkpoints::TaskCheckpoints;
pub(crate) use checkpoints::{CheckpointResponder, TaskCheckpointing};
pub(crate) use mailbox::{Mailbox, TaskControl};
pub(crate) use pace::Pace;
pub(crate) use panics::in_any_case;
pub use panics::{Panic, catch};
pub use shared::TaskShared;
pub(crate) use shared::{TaskLink, enter_operator, leave_operator, running_operator};

/// What a step of a task's head has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It has processed something; go on at once.
    Progress,
    /// There is nothing to do, for `retry_after` at most.
    Idle { retry_after: Option<Duration> },
    /// Something that concerns checkpoints has come through a channel.
    Barrier(BarrierEvent),
    /// All records are processed: the chain may emit for the last time. Told once.
    EndOfData,
    /// All channels have ended.
    Finished,
}

/// What drives a task's chain: a source or an input gate.
pub(crate) trait Head {
    fn open(&mut self) -> ChainResult;
    fn control(&mut self, control: TaskControl) -> ChainResult;
    fn step(&mut self, now_ns: u64) -> ChainResult<Step>;
    /// How many input channels there are; none for a source.
    fn channel_count(&self) -> usize {
        0
    }
    /// Reads no more of a channel, until [`Head::unblock_all`].
    fn block(&mut self, _channel: usize) {}
    fn unblock_all(&mut self) {}
    /// Whether barriers may overtake what lies in the channels.
    fn is_overtakable(&self) -> bool {
        false
    }
    /// A barrier that may overtake records and has entered a channel since the last call.
    fn arrived(&mut self) -> Option<BarrierEvent> {
        None
    }
    /// Records what a channel brings from now on.
    fn record(&mut self, _channel: usize) {}
    /// Records what still lies in a channel before the barrier of a checkpoint, and nothing further.
    fn stop_recording(&mut self, _checkpoint: u64, _channel: usize) -> ChainResult {
        Ok(())
    }
    /// Takes what was recorded of each exchange, if it is at least so many bytes.
    fn take_recorded(&mut self, _at_least: usize) -> Vec<(OperatorId, OperatorStateSnapshot)> {
        Vec::new()
    }
    /// Forgets what was recorded, and records no more.
    fn forget_recorded(&mut self) {}
    /// How many bytes of records came through the channels so far.
    fn received_bytes(&self) -> u64 {
        0
    }
    fn flush(&mut self) -> ChainResult;
    fn processing_time(&mut self, now: Timestamp) -> ChainResult;
    fn next_timer(&self) -> Option<Timestamp>;
    /// Adds the state of the chain.
    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult;
    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool>;
    fn abort_snapshot(&mut self);
    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult;
    fn finish(&mut self) -> ChainResult;
    /// Lets those behind know that nothing follows.
    fn end(&mut self) -> ChainResult;
    fn close(&mut self) -> ChainResult;
}

/// Lets the timers fire that are due at `now`; tells whether there were any.
pub(crate) fn fire_due(head: &mut dyn Head, now: Timestamp) -> ChainResult<bool> {
    let due = head.next_timer().is_some_and(|due| due <= now);
    if due {
        head.processing_time(now)?;
    }
    Ok(due)
}

impl<T: Data> Head for Gate<T> {
    fn open(&mut self) -> ChainResult {
        self.target().open()
    }

    fn control(&mut self, _control: TaskControl) -> ChainResult {
        Ok(())
    }

    fn step(&mut self, _now_ns: u64) -> ChainResult<Step> {
        Gate::step(self)
    }

    fn channel_count(&self) -> usize {
        Gate::channel_count(self)
    }

    fn block(&mut self, channel: usize) {
        Gate::block(self, channel);
    }

    fn unblock_all(&mut self) {
        Gate::unblock_all(self);
    }

    fn is_overtakable(&self) -> bool {
        Gate::is_overtakable(self)
    }

    fn arrived(&mut self) -> Option<BarrierEvent> {
        Gate::arrived(self)
    }

    fn record(&mut self, channel: usize) {
        Gate::record(self, channel);
    }

    fn stop_recording(&mut self, checkpoint: u64, channel: usize) -> ChainResult {
        Gate::stop_recording(self, checkpoint, channel)
    }

    fn take_recorded(&mut self, at_least: usize) -> Vec<(OperatorId, OperatorStateSnapshot)> {
        Gate::take_recorded(self, at_least)
    }

    fn forget_recorded(&mut self) {
        Gate::forget_recorded(self);
    }

    fn received_bytes(&self) -> u64 {
        Gate::received_bytes(self)
    }

    fn flush(&mut self) -> ChainResult {
        self.target().flush()
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        self.target().processing_time(now)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.target_ref().next_timer()
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        self.target().snapshot(snapshot)
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        self.target().drain_snapshot(work)
    }

    fn abort_snapshot(&mut self) {
        self.target().abort_snapshot();
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        self.target().notify(notice)
    }

    fn finish(&mut self) -> ChainResult {
        self.target().finish()
    }

    fn end(&mut self) -> ChainResult {
        self.target().end()
    }

    fn close(&mut self) -> ChainResult {
        self.target().close()
    }
}

/// When partial batches are sent on although the task has more to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlushPolicy {
    /// After this many nanoseconds, and whenever there is nothing more to read. 0: after each batch.
    Timeout { ns: u64 },
    /// Only when a batch is full.
    WhenFull,
}

/// A task, built and run on its own thread.
pub(crate) struct Task {
    pub(crate) head: Box<dyn Head>,
    pub(crate) shared: std::rc::Rc<TaskShared>,
    pub(crate) mailbox: std::sync::Arc<Mailbox>,
    pub(crate) flush: FlushPolicy,
}

impl Task {
    /// Runs to the end of input, a failure or the cancellation, and closes the operators whatever happened.
    pub(crate) fn live(mut self) -> Life {
        let ran = guard(|| self.run_to_end());
        let closed = guard(|| self.head.close());
        // What user code does when it is dropped is guarded like all that it does.
        let dropped = guard(|| {
            drop(self.head);
            Ok(())
        });
        Life(ran.and(closed).and(dropped))
    }

    fn run_to_end(&mut self) -> ChainResult {
        let settings = self.shared.link.checkpointing.clone();
        let mut checkpoints =
            TaskCheckpoints::new(settings, self.head.as_ref(), Arc::clone(self.shared.clock()));
        self.head.open()?;
        checkpoints.running();
        let mut last_flush_ns = 0;
        let mut input_ended = false;
        loop {
            self.shared.check_canceled()?;
            while let Some(control) = self.mailbox.take() {
                self.control(control, &mut checkpoints)?;
            }
            input_ended |= checkpoints.stops_reading();
            if input_ended && checkpoints.let_end() {
                return self.head.end();
            }
            let now_ns = self.shared.tick();
            self.serve_barriers(&mut checkpoints)?;
            fire_due(self.head.as_mut(), self.shared.processing_time())?;
            if !input_ended && (self.shared.outputs_are_full() || checkpoints.must_write_first()) {
                checkpoints.write_some(self.head.as_mut())?;
                self.shared.wait_for_outputs(self.until_due(checkpoints.next_write(), &checkpoints));
                continue;
            }
            let step = if input_ended { Step::Idle { retry_after: None } } else { self.head.step(now_ns)? };
            checkpoints.write_some(self.head.as_mut())?;
            match step {
                Step::Progress => {
                    if let FlushPolicy::Timeout { ns } = self.flush
                        && now_ns.saturating_sub(last_flush_ns) >= ns
                    {
                        self.head.flush()?;
                        last_flush_ns = now_ns;
                    }
                }
                Step::Idle { retry_after } => {
                    if self.flush != FlushPolicy::WhenFull {
                        self.head.flush()?;
                        last_flush_ns = now_ns;
                    }
                    // A snapshot that has just been written may have been all that kept the task from its end.
                    if !(input_ended && checkpoints.let_end()) {
                        let retry_after = checkpoints.next_write().or(retry_after);
                        self.shared.wait_for_input(self.until_due(retry_after, &checkpoints));
                    }
                }
                Step::Barrier(event) => {
                    checkpoints.handle(event, self.now_ms(), self.head.as_mut())?;
                }
                Step::EndOfData => checkpoints.end_of_data(self.head.as_mut())?,
                Step::Finished => input_ended = true,
            }
        }
    }

    /// Deals with barriers that may overtake records, and with those that have waited for too long.
    fn serve_barriers(&mut self, checkpoints: &mut TaskCheckpoints) -> ChainResult {
        if self.shared.signal().take_announcement() {
            while let Some(event) = self.head.arrived() {
                checkpoints.handle(event, self.now_ms(), self.head.as_mut())?;
            }
        }
        checkpoints.pass_time(self.now_ms(), self.head.as_mut())
    }

    fn control(&mut self, control: TaskControl, checkpoints: &mut TaskCheckpoints) -> ChainResult {
        match control {
            TaskControl::TriggerCheckpoint(barrier) => {
                checkpoints.handle(BarrierEvent::Triggered { barrier }, self.now_ms(), self.head.as_mut())
            }
            TaskControl::Checkpoint(notice) => {
                self.shared.set_stopping(checkpoints.is_stopping());
                checkpoints.notify(notice, self.now_ms(), self.head.as_mut())
            }
            other => self.head.control(other),
        }
    }

    /// Processing time as the coordinator of checkpoints counts it.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.shared.processing_time()).unwrap_or(0)
    }

    /// How long the task may sleep.
    fn until_due(&self, retry_after: Option<Duration>, checkpoints: &TaskCheckpoints) -> Option<Duration> {
        let timer = self.head.next_timer().map(|due| {
            let wait = due.saturating_sub(self.shared.processing_time()).max(1);
            Duration::from_millis(wait.unsigned_abs())
        });
        let barrier = checkpoints.next_wake_up().map(|due| due.saturating_sub(self.now_ms()).max(1));
        retry_after.into_iter().chain(timer).chain(barrier.map(Duration::from_millis)).min()
    }
}

/// How a task ended.
#[derive(Debug)]
pub(crate) enum TaskEnd {
    Finished,
    Canceled,
    Failed(TaskFailure),
}

/// What ended a piece of user code early.
#[derive(Debug)]
pub(crate) enum Ended {
    Error(ChainError),
    Panic { operator: Option<String>, panic: panics::Panic },
}

impl Ended {
    /// The failure that this is; `fallback` names the operator where the code did not get far enough to say.
    pub(crate) fn into_failure(self, subtask: Option<u32>, parallelism: u32, fallback: &str) -> TaskFailure {
        let (operator, kind) = match self {
            Self::Error(ChainError::Canceled) => (None, FailureKind::Error(vec!["cancelled".to_owned()])),
            Self::Error(ChainError::Failed { operator, cause }) => {
                (Some(operator), FailureKind::of(cause.as_ref()))
            }
            Self::Panic { operator, panic } => {
                (operator, FailureKind::Panic { message: panic.message, location: panic.location })
            }
        };
        TaskFailure { operator: operator.unwrap_or_else(|| fallback.to_owned()), subtask, parallelism, kind }
    }
}

/// Runs user code; an error or a panic of it comes back as a value.
pub(crate) fn guard<R>(code: impl FnOnce() -> ChainResult<R>) -> Result<R, Ended> {
    match panics::catch(code) {
        Ok(result) => result.map_err(Ended::Error),
        Err(panic) => {
            Err(Ended::Panic { operator: shared::running_operator().map(|name| name.to_string()), panic })
        }
    }
}

/// The whole life of a task, told by its end.
#[derive(Debug)]
pub(crate) struct Life(Result<(), Ended>);

impl Life {
    /// A task that could not be built, or had nothing to do.
    pub(crate) fn not_run(result: Result<(), Ended>) -> Self {
        Self(result)
    }

    pub(crate) fn into_end(self, subtask: u32, parallelism: u32, fallback: &str) -> TaskEnd {
        match self.0 {
            Ok(()) => TaskEnd::Finished,
            Err(Ended::Error(ChainError::Canceled)) => TaskEnd::Canceled,
            Err(ended) => TaskEnd::Failed(ended.into_failure(Some(subtask), parallelism, fallback)),
        }
    }
}

#[cfg(test)]
mod tests;
