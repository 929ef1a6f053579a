//! What the operators of one task share: its clock readings, its cancellation, its place to sleep.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flott_core::seam::Clock;
use flott_core::time::Timestamp;

use crate::error::{ChainError, ChainResult, FnResult};
use crate::metrics::TaskMetrics;
use crate::seam::Signal;
use crate::task::TaskCheckpointing;

thread_local! {
    // Outside the task, so that it is still there when a panic has unwound the task.
    static OPERATOR: RefCell<Option<Arc<str>>> = const { RefCell::new(None) };
}

/// The name of the operator that runs, or that a panic has interrupted, on this thread.
pub(crate) fn running_operator() -> Option<Arc<str>> {
    OPERATOR.with_borrow(Clone::clone)
}

/// Says that the code of this operator runs now on this thread; returns who ran before.
pub(crate) fn enter_operator(operator: &Arc<str>) -> Option<Arc<str>> {
    OPERATOR.replace(Some(Arc::clone(operator)))
}

/// Says that the operator before runs again.
pub(crate) fn leave_operator(outer: Option<Arc<str>>) {
    OPERATOR.set(outer);
}

/// A task's ties to the rest of the job.
pub(crate) struct TaskLink {
    /// Asks the source's enumerator for a split.
    pub(crate) request_split: Arc<dyn Fn() + Send + Sync>,
    /// Tells the coordinator the watermark of a source that is aligned with others.
    pub(crate) report_watermark: Arc<dyn Fn(Timestamp) + Send + Sync>,
    /// How often generators are asked for a watermark; zero: never.
    pub(crate) auto_watermark_interval: Duration,
    /// Whether a source that can't pause single splits may be aligned although it reads several.
    pub(crate) allow_unaligned_source_splits: bool,
    /// The task's part in checkpoints.
    pub(crate) checkpointing: TaskCheckpointing,
}

/// What the operators of one task share. It stays on the task's thread.
pub struct TaskShared {
    clock: Arc<dyn Clock>,
    signal: Arc<Signal>,
    canceled: Arc<AtomicBool>,
    now: Cell<Timestamp>,
    stopping: Cell<bool>,
    rehearsal: Cell<bool>,
    pub(crate) metrics: Arc<TaskMetrics>,
    pub(crate) link: TaskLink,
}

impl TaskShared {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        signal: Arc<Signal>,
        canceled: Arc<AtomicBool>,
        metrics: Arc<TaskMetrics>,
        link: TaskLink,
    ) -> Self {
        let now = Cell::new(clock.wall_ms());
        Self {
            clock,
            signal,
            canceled,
            now,
            stopping: Cell::default(),
            rehearsal: Cell::default(),
            metrics,
            link,
        }
    }

    /// Processing time: what the wall clock showed when the present batch was taken, in milliseconds since the
    /// epoch. The same for all records of a batch, so no record costs a clock call.
    #[inline]
    pub fn processing_time(&self) -> Timestamp {
        self.now.get()
    }

    /// The clock itself.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// How often watermark generators are asked; zero: never.
    pub fn auto_watermark_interval(&self) -> Duration {
        self.link.auto_watermark_interval
    }

    /// Whether the job takes checkpoints by itself, and a last one at the end of input: what a sink has prepared is then
    /// committed when the next of them is complete, and not at the end of input.
    pub fn takes_checkpoints(&self) -> bool {
        self.link.checkpointing.waits_for_last
    }

    /// Whether the task ends with a savepoint that it has taken: nothing more is processed, so a sink may wait for commits.
    pub fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    pub(crate) fn set_stopping(&self, stopping: bool) {
        self.stopping.set(stopping);
    }

    /// Whether operators are opened only to see whether their state can be read: they leave outside work alone.
    pub fn is_rehearsal(&self) -> bool {
        self.rehearsal.get()
    }

    pub(crate) fn set_rehearsal(&self) {
        self.rehearsal.set(true);
    }

    /// What the task sleeps on: work outside the task wakes it when it is done.
    pub fn signal(&self) -> &Arc<Signal> {
        &self.signal
    }

    /// Reads the clocks for the next batch; returns monotonic nanoseconds.
    pub(crate) fn tick(&self) -> u64 {
        self.signal.yield_now();
        self.now.set(self.clock.wall_ms());
        self.clock.monotonic_ns()
    }

    pub(crate) fn check_canceled(&self) -> ChainResult {
        if self.canceled.load(Ordering::Acquire) { Err(ChainError::Canceled) } else { Ok(()) }
    }

    /// Sleeps until an output channel may have room again, or fails when the task is cancelled. Once there was
    /// room, call [`TaskShared::look_again`].
    pub(crate) fn wait_for_room(&self) -> ChainResult {
        self.check_canceled()?;
        let slept = self.sleep("room in an output channel", None);
        self.metrics.back_pressured_ns.add(slept);
        self.check_canceled()
    }

    /// Whether an output channel has asked the task to wait before it takes more input.
    pub(crate) fn outputs_are_full(&self) -> bool {
        self.signal.outputs_are_full()
    }

    /// Sleeps until an output channel may have room again or something else has happened, at most for `limit`.
    pub(crate) fn wait_for_outputs(&self, limit: Option<Duration>) {
        let slept = self.sleep("room in an output channel", limit);
        self.metrics.back_pressured_ns.add(slept);
    }

    /// Sleeps until work outside the task wakes it, at most until processing time `until`, and reads the clock again. For
    /// an operator that can't go on before such work is done; the task counts as back-pressured meanwhile. The operator
    /// flushes its output before, and calls [`TaskShared::look_again`] when it can go on.
    ///
    /// # Errors
    /// When the task is cancelled.
    pub fn wait_for_work(&self, until: Option<Timestamp>) -> FnResult {
        let canceled = |_| "the task was cancelled while it waited for work outside of it to be done";
        self.check_canceled().map_err(canceled)?;
        let limit = until.map(|until| until.saturating_sub(self.processing_time()).max(1).unsigned_abs());
        let start = self.clock.monotonic_ns();
        self.signal.wait_for_outside(limit.map(Duration::from_millis));
        self.metrics.back_pressured_ns.add(self.clock.monotonic_ns().saturating_sub(start));
        self.tick();
        Ok(self.check_canceled().map_err(canceled)?)
    }

    /// Makes the task's next sleep return at once: a wake-up that was taken while it waited for something else may
    /// have announced input or a message.
    pub fn look_again(&self) {
        self.signal.wake();
    }

    /// Sleeps until there may be input, at most for `limit`.
    pub(crate) fn wait_for_input(&self, limit: Option<Duration>) {
        let slept = self.sleep("input", limit);
        self.metrics.idle_ns.add(slept);
    }

    /// Waits for the whole time, for user code that must try again later.
    ///
    /// # Errors
    /// When the task is cancelled meanwhile.
    pub(crate) fn pause(&self, time: Duration) -> FnResult {
        let time = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let until = self.clock.monotonic_ns().saturating_add(time);
        loop {
            self.check_canceled().map_err(|_| "the task was cancelled while it waited to try again")?;
            let now = self.clock.monotonic_ns();
            if now >= until {
                self.look_again();
                return Ok(());
            }
            self.signal.wait_for("the next attempt", Some(Duration::from_nanos(until - now)));
        }
    }

    fn sleep(&self, what: &'static str, limit: Option<Duration>) -> u64 {
        let start = self.clock.monotonic_ns();
        self.signal.wait_for(what, limit);
        self.clock.monotonic_ns().saturating_sub(start)
    }
}
