//! Tasks that take turns on one thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::ManualClock;
use crate::error::{ChainResult, FailureKind, TaskFailure};
use crate::seam::{Parked, Parker, really_park, really_park_for_all_of};
use crate::task::{Ended, Head, Step, TaskShared, fire_due, guard, leave_operator, running_operator};

/// The tasks, sources first.
pub(super) struct Tasks {
    tasks: Vec<LocalTask>,
    clock: Arc<ManualClock>,
    canceled: Arc<AtomicBool>,
    failure: RefCell<Option<TaskFailure>>,
}

/// One of them.
pub(super) struct LocalTask {
    name: String,
    pub(super) subtask: u32,
    parallelism: u32,
    /// Until it is closed.
    body: RefCell<Option<Body>>,
}

struct Body {
    head: Box<dyn Head>,
    shared: Rc<TaskShared>,
    finished: bool,
}

impl LocalTask {
    pub(super) fn new(
        name: String,
        subtask: u32,
        parallelism: u32,
        head: Box<dyn Head>,
        shared: Rc<TaskShared>,
    ) -> Self {
        let body = RefCell::new(Some(Body { head, shared, finished: false }));
        Self { name, subtask, parallelism, body }
    }

    fn turn(&self) -> Result<bool, Ended> {
        // One that is at work already waits for the others.
        let Ok(mut body) = self.body.try_borrow_mut() else { return Ok(false) };
        body.as_mut().map_or(Ok(false), |body| guard(|| body.turn()))
    }

    /// Closes and drops the operators.
    fn close(&self) -> Result<(), Ended> {
        let Some(mut body) = self.body.borrow_mut().take() else { return Ok(()) };
        let closed = guard(|| body.head.close());
        // What user code does when it is dropped is guarded like all that it does.
        closed.and(guard(|| {
            drop(body);
            Ok(())
        }))
    }
}

impl Body {
    fn end(&mut self) -> ChainResult {
        self.finished = true;
        self.head.end()
    }

    /// Works until there is nothing to do; tells whether there was anything.
    fn turn(&mut self) -> ChainResult<bool> {
        let mut progress = false;
        while !self.finished {
            self.shared.check_canceled()?;
            let now_ns = self.shared.tick();
            progress |= fire_due(self.head.as_mut(), self.shared.processing_time())?;
            match self.head.step(now_ns)? {
                Step::Progress => progress = true,
                Step::Idle { .. } => {
                    self.head.flush()?;
                    return Ok(progress);
                }
                // Snapshots are taken of all tasks at once, when they have nothing to do; so no barrier has to be waited for.
                Step::Barrier(_) => progress = true,
                Step::EndOfData => {
                    self.head.finish()?;
                    progress = true;
                    if self.head.channel_count() == 0 {
                        self.end()?;
                    }
                }
                Step::Finished => {
                    self.end()?;
                    progress = true;
                }
            }
        }
        Ok(progress)
    }
}

thread_local! {
    /// Whose turn it is on this thread.
    static AT_WORK: RefCell<Option<Rc<Tasks>>> = const { RefCell::new(None) };
}

impl Tasks {
    pub(super) fn new(tasks: Vec<LocalTask>, clock: Arc<ManualClock>, canceled: Arc<AtomicBool>) -> Self {
        Self { tasks, clock, canceled, failure: RefCell::default() }
    }

    /// Makes these tasks those that work while one of them waits.
    pub(super) fn enter<R>(self: &Rc<Self>, call: impl FnOnce(&Self) -> R) -> R {
        let outer = AT_WORK.replace(Some(Rc::clone(self)));
        // User code is guarded inside, so the call returns.
        let result = call(self);
        AT_WORK.set(outer);
        result
    }

    /// Gives each task a turn; tells whether any of them did anything.
    pub(super) fn turn_all(&self) -> bool {
        let mut progress = false;
        for task in &self.tasks {
            match task.turn() {
                Ok(worked) => progress |= worked,
                Err(ended) => self.fail(task, ended),
            }
        }
        progress && !self.canceled.load(Ordering::Acquire)
    }

    /// Calls the heads, up to the first failure.
    pub(super) fn each(self: &Rc<Self>, call: impl Fn(&LocalTask, &mut dyn Head) -> ChainResult) {
        self.enter(|tasks| {
            for task in &tasks.tasks {
                if let Some(body) = task.body.borrow_mut().as_mut()
                    && let Err(ended) = guard(|| call(task, body.head.as_mut()))
                {
                    return tasks.fail(task, ended);
                }
            }
        });
    }

    /// Closes every task, whatever becomes of the others.
    pub(super) fn close(self: &Rc<Self>) {
        self.canceled.store(true, Ordering::Release);
        self.enter(|tasks| {
            for task in &tasks.tasks {
                if let Err(ended) = task.close() {
                    tasks.fail(task, ended);
                }
            }
        });
    }

    pub(super) fn take_failure(&self) -> Option<TaskFailure> {
        self.failure.take()
    }

    fn fail(&self, task: &LocalTask, ended: Ended) {
        self.canceled.store(true, Ordering::Release);
        let failure = ended.into_failure(Some(task.subtask), task.parallelism, &task.name);
        // The first failure is the cause.
        self.failure.borrow_mut().get_or_insert(failure);
    }

    /// A task waits for what nobody will do.
    fn stuck(&self, operator: &str, what: &str) {
        self.canceled.store(true, Ordering::Release);
        let cause = format!("it waits for {what}, and nobody is left who could do anything about it");
        self.failure.borrow_mut().get_or_insert(TaskFailure {
            operator: operator.to_owned(),
            subtask: None,
            parallelism: 1,
            kind: FailureKind::Error(vec![cause]),
        });
    }
}

/// Where a task sleeps that others on the same thread must wake: it lets them work meanwhile.
pub(super) struct OtherTasks(std::thread::Thread);

impl OtherTasks {
    /// For the tasks of the present thread.
    pub(super) fn of_this_thread() -> Self {
        Self(std::thread::current())
    }
}

impl Parker for OtherTasks {
    fn park(&self, what: &'static str, timeout: Option<Duration>) -> Parked {
        let Some(tasks) = AT_WORK.with_borrow(Clone::clone) else { return Parked::Woken };
        let waiting = running_operator();
        let progress = tasks.turn_all();
        leave_operator(waiting.clone());
        match timeout {
            _ if progress || tasks.canceled.load(Ordering::Acquire) => return Parked::Woken,
            Some(timeout) => tasks.clock.advance(timeout),
            None => tasks.stuck(waiting.as_deref().unwrap_or_default(), what),
        }
        Parked::TimedOut
    }

    fn park_for_outside(&self, timeout: Option<Duration>) {
        let Some(timeout) = timeout else { return really_park(None) };
        if really_park_for_all_of(timeout)
            && let Some(tasks) = AT_WORK.with_borrow(Clone::clone)
        {
            tasks.clock.advance(timeout);
        }
    }

    fn unpark(&self) {
        self.0.unpark();
    }
}
