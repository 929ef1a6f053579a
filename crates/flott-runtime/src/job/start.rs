//! Starts the tasks of a job: their channels, their threads.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use flott_state::format::EncodedEnd;

use super::build::{JobPlan, TaskBuilder, TaskEnds};
use super::coordinator::TaskId;
use super::inbox::Sender;
use super::message::{Message, TaskReport};
use super::shell::LaunchOptions;
use super::statistics::SubtaskCheckpoint;
use super::storage::{MOST_WAITING_BYTES, StorageWork};
use super::stored::RestorePoint;
use crate::checkpoint::Topology;
use crate::checkpoint::barriers::AbortReason;
use crate::error::{BoxError, ChainError, ChainResult, FnResult, JobError};
use crate::graph::{JobGraph, JobVertex};
use crate::metrics::TaskMetrics;
use crate::program::ErasedTasks;
use crate::seam::{JoinHandle, Signal, spawn};
use crate::task::{
    CheckpointResponder, FlushPolicy, Life, Mailbox, Task, TaskCheckpointing, TaskControl, TaskEnd, TaskLink,
    TaskShared, guard,
};

/// The shell's side of a running task.
pub(super) struct RunningTask {
    mailbox: Arc<Mailbox>,
    signal: Arc<Signal>,
    canceled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RunningTask {
    pub(super) fn send(&self, control: TaskControl) {
        self.mailbox.send(control);
    }

    pub(super) fn cancel(&self) {
        self.canceled.store(true, Ordering::Release);
        self.signal.wake();
    }

    /// Waits for the end of its thread. A task's thread catches its panics, so there is nothing to learn.
    pub(super) fn join(mut self) {
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for RunningTask {
    /// A task that nobody looks after ends: the job could not be started as a whole.
    fn drop(&mut self) {
        self.cancel();
    }
}

/// The figures of each task, by vertex and subtask.
pub(crate) fn task_metrics(job_graph: &JobGraph) -> Vec<Vec<Arc<TaskMetrics>>> {
    let mut metrics: Vec<Vec<Arc<TaskMetrics>>> = Vec::new();
    for vertex in &job_graph.vertices {
        let outer = job_graph.edges.iter().find(|edge| edge.inline && edge.to == vertex.id);
        let task = |_| match outer {
            Some(edge) => TaskMetrics::inside(&metrics[edge.from as usize][0]),
            None => TaskMetrics::new(),
        };
        let tasks = (0..vertex.parallelism).map(task).map(Arc::new).collect();
        metrics.push(tasks);
    }
    metrics
}

pub(crate) fn signals(job_graph: &JobGraph) -> Vec<Vec<Arc<Signal>>> {
    let of = |vertex: &JobVertex| (0..vertex.parallelism).map(|_| Arc::new(Signal::new())).collect();
    job_graph.vertices.iter().map(of).collect()
}

/// Makes the channels between the tasks that are started, and hands each its ends of them. Tasks that exchange records
/// start together. `overtaking`: whether barriers may overtake records.
pub(crate) fn connect(
    plan: &JobPlan,
    signals: &[Vec<Arc<Signal>>],
    overtaking: bool,
    is_started: impl Fn(TaskId) -> bool,
) -> Vec<Vec<TaskEnds>> {
    let mut ends: Vec<Vec<TaskEnds>> =
        signals.iter().map(|tasks| tasks.iter().map(|_| TaskEnds::default()).collect()).collect();
    for exchange in plan.job_graph.edges.iter().filter(|exchange| !exchange.inline) {
        // A vertex inside the task of another sends from there; one that receives from a channel hosts itself.
        let (up, down) = (plan.job_graph.host(exchange.from) as usize, exchange.to as usize);
        let (from, to) = (signals[up].len() as u32, signals[down].len() as u32);
        let targets = |subtask| match is_started(TaskId { vertex: up as u32, subtask }) {
            true => exchange.partitioning.targets(subtask, from, to),
            false => Vec::new(),
        };
        let targets: Vec<_> = (0..from).map(targets).collect();
        let factory = &plan.program.edges[exchange.edge as usize];
        let tasks = ErasedTasks { up: &signals[up], down: &signals[down], overtaking };
        let made = factory.channels(tasks, &targets);
        for (task, sender) in made.senders.into_iter().enumerate() {
            ends[up][task].senders.insert(exchange.edge, sender);
        }
        for (task, receiver) in made.receivers.into_iter().enumerate() {
            ends[down][task].receivers.insert(exchange.edge, receiver);
        }
    }
    ends
}

/// Starts the tasks of a job, again after each failure.
pub(super) struct Launcher {
    pub(super) plan: Arc<JobPlan>,
    pub(super) metrics: Arc<Vec<Vec<Arc<TaskMetrics>>>>,
    pub(super) messages: Sender<Message>,
    pub(super) storage: Sender<StorageWork>,
    /// How many bytes of state wait to be stored.
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    pub(super) options: LaunchOptions,
}

impl Launcher {
    /// Starts tasks, each for the so many-th time again, with what they get back of a checkpoint if there is one. Tasks that
    /// exchange records must be started together.
    ///
    /// # Errors
    /// When the system gives no thread. Tasks that were started before that end by themselves.
    pub(super) fn start(
        &self,
        attempts: &BTreeMap<TaskId, u32>,
        restored: Option<&RestorePoint>,
    ) -> Result<BTreeMap<TaskId, RunningTask>, JobError> {
        self.reset_metrics(attempts);
        let signals = signals(&self.plan.job_graph);
        let ends = connect(&self.plan, &signals, self.options.checkpointing.unaligned, |task| {
            attempts.contains_key(&task)
        });
        let topology = Topology::of(&self.plan.job_graph);
        let finished = restored.map(|point| point.finished(&self.plan, &topology)).unwrap_or_default();
        let mut tasks = BTreeMap::new();
        for (vertex, ends) in self.plan.job_graph.vertices.iter().zip(ends) {
            for (subtask, ends) in (0..vertex.parallelism).zip(ends) {
                let id = TaskId { vertex: vertex.id, subtask };
                // A vertex inside the task of another is not started by itself.
                let Some(&attempt) = attempts.get(&id) else { continue };
                let start = TaskStart {
                    plan: Arc::clone(&self.plan),
                    to_shell: ToShell {
                        attempt,
                        task: id,
                        messages: self.messages.clone(),
                        storage: self.storage.clone(),
                        waiting_bytes: Arc::clone(&self.waiting_bytes),
                    },
                    ends,
                    signal: Arc::clone(&signals[vertex.id as usize][subtask as usize]),
                    canceled: Arc::default(),
                    metrics: Arc::clone(&self.metrics),
                    options: self.options.clone(),
                    restored: restored.cloned(),
                    has_finished: finished.contains(&id),
                };
                match start.spawn(&vertex.name) {
                    Ok(task) => tasks.insert(id, task),
                    Err(cause) => {
                        let what = format!("a thread for '{}' (subtask {})", vertex.name, subtask + 1);
                        return Err(JobError::Resource { what, cause });
                    }
                };
            }
        }
        Ok(tasks)
    }

    fn reset_metrics(&self, started: &BTreeMap<TaskId, u32>) {
        for (vertex, tasks) in (0..).zip(self.metrics.iter()) {
            let host = self.plan.job_graph.host(vertex);
            for (subtask, metrics) in (0..).zip(tasks) {
                if started.contains_key(&TaskId { vertex: host, subtask }) {
                    metrics.reset();
                }
            }
        }
    }
}

/// A task's way to the shell, and to the storage of checkpoints.
#[derive(Clone)]
struct ToShell {
    attempt: u32,
    task: TaskId,
    messages: Sender<Message>,
    storage: Sender<StorageWork>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl ToShell {
    fn report(&self, report: TaskReport) {
        // The coordinator outlives its tasks, unless the process ends.
        self.messages.send(Message::Task { attempt: self.attempt, task: self.task, report });
    }
}

impl CheckpointResponder for ToShell {
    fn running(&self) {
        self.report(TaskReport::Running);
    }

    fn end_of_data(&self) {
        self.report(TaskReport::EndOfData);
    }

    fn has_room(&self) -> bool {
        self.waiting_bytes.load(Ordering::Relaxed) < MOST_WAITING_BYTES
    }

    fn store(&self, checkpoint: u64, bytes: Vec<u8>) {
        self.waiting_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
        self.storage.send(StorageWork::Store { task: self.task, checkpoint, bytes });
    }

    fn acknowledge(&self, checkpoint: u64, end: Option<EncodedEnd>, figures: SubtaskCheckpoint) {
        self.waiting_bytes.fetch_add(end.as_ref().map_or(0, |end| end.bytes.len()), Ordering::Relaxed);
        let Self { task, attempt, .. } = *self;
        self.storage.send(StorageWork::Finish { task, attempt, checkpoint, end, figures });
    }

    fn decline(&self, checkpoint: u64, reason: AbortReason) {
        self.report(TaskReport::Declined { checkpoint, reason });
    }
}

/// All that a task's thread takes with it.
struct TaskStart {
    plan: Arc<JobPlan>,
    to_shell: ToShell,
    ends: TaskEnds,
    signal: Arc<Signal>,
    canceled: Arc<AtomicBool>,
    metrics: Arc<Vec<Vec<Arc<TaskMetrics>>>>,
    options: LaunchOptions,
    restored: Option<RestorePoint>,
    /// The task had finished in the checkpoint, so there is nothing left to do.
    has_finished: bool,
}

impl TaskStart {
    fn spawn(self, vertex: &str) -> std::io::Result<RunningTask> {
        let (signal, canceled) = (Arc::clone(&self.signal), Arc::clone(&self.canceled));
        let mailbox = Arc::new(Mailbox::new(Arc::clone(&self.signal)));
        let own = Arc::clone(&mailbox);
        let id = self.to_shell.task;
        let thread = spawn(format!("{}/{} {vertex}", id.vertex, id.subtask), move || self.run(own))?;
        Ok(RunningTask { mailbox, signal, canceled, thread: Some(thread) })
    }

    fn run(self, mailbox: Arc<Mailbox>) {
        self.signal.adopt();
        let (plan, to_shell) = (Arc::clone(&self.plan), self.to_shell.clone());
        let id = to_shell.task;
        let vertex = &plan.job_graph.vertices[id.vertex as usize];
        let name = &plan.program.graph.node(vertex.head).name;
        // An error's own messages are user code too. Whatever happens, the coordinator learns of the end.
        let told = guard(|| Ok(self.live(vertex, mailbox).into_end(id.subtask, vertex.parallelism, name)));
        let end = told.unwrap_or_else(|ended| {
            TaskEnd::Failed(ended.into_failure(Some(id.subtask), vertex.parallelism, name))
        });
        to_shell.report(match end {
            TaskEnd::Finished => TaskReport::Finished,
            TaskEnd::Canceled => TaskReport::Canceled,
            TaskEnd::Failed(failure) => TaskReport::Failed(failure),
        });
    }

    /// Builds the task and runs it; whatever happens, it is closed.
    fn live(self, vertex: &JobVertex, mailbox: Arc<Mailbox>) -> Life {
        if self.has_finished {
            return Life::not_run(guard(|| end_again(&self.plan, self.ends)));
        }
        let Self { plan, to_shell, ends, signal, canceled, metrics: job_metrics, options, restored, .. } =
            self;
        let (id, attempt) = (to_shell.task, to_shell.attempt);
        let metrics = Arc::clone(&job_metrics[id.vertex as usize][id.subtask as usize]);
        let link = task_link(to_shell, &options);
        let clock = Arc::clone(&options.clock);
        let shared = Rc::new(TaskShared::new(clock, signal, canceled, Arc::clone(&metrics), link));
        let flush = match options.buffer_timeout {
            Some(timeout) => {
                FlushPolicy::Timeout { ns: u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX) }
            }
            None => FlushPolicy::WhenFull,
        };
        let (plan, subtask) = (&plan, id.subtask);
        let built = guard(|| {
            let shared = Rc::clone(&shared);
            let read = |point: RestorePoint| -> FnResult<_> {
                Ok((point.task(plan, id)?, point.in_flight(plan, id)?))
            };
            let read = restored.map(read).transpose().map_err(|cause| {
                let operator = plan.program.graph.node(vertex.head).name.clone();
                ChainError::Failed { operator, cause: NotRestored(cause).into() }
            })?;
            let (restored, in_flight) =
                read.map_or_else(Default::default, |(task, in_flight)| (Some(task), in_flight));
            TaskBuilder {
                plan,
                vertex,
                subtask,
                attempt,
                ends,
                shared,
                metrics,
                job_metrics,
                restored,
                in_flight,
            }
            .build()
        });
        match built {
            Ok(head) => Task { head: head.0, shared, mailbox, flush }.live(),
            Err(ended) => Life::not_run(Err(ended)),
        }
    }
}

/// What a task should start from can't be read.
#[derive(Debug, thiserror::Error)]
#[error("its state can't be restored: {0}")]
struct NotRestored(#[source] BoxError);

/// What is left of a task that had finished: those behind it must know that nothing comes. None of its code runs.
fn end_again(plan: &JobPlan, ends: TaskEnds) -> ChainResult {
    for (edge, senders) in ends.senders {
        let to = plan.program.graph.edges[edge as usize].to;
        plan.program.edges[edge as usize].end(senders, &plan.program.graph.node(to).name)?;
    }
    Ok(())
}

fn task_link(to_shell: ToShell, options: &LaunchOptions) -> TaskLink {
    let (splits, watermarks) = (to_shell.clone(), to_shell.clone());
    let settings = &options.checkpointing;
    TaskLink {
        request_split: Arc::new(move || splits.report(TaskReport::SplitRequest)),
        report_watermark: Arc::new(move |at| watermarks.report(TaskReport::Watermark(at))),
        allow_unaligned_source_splits: options.allow_unaligned_source_splits,
        auto_watermark_interval: options.auto_watermark_interval,
        checkpointing: TaskCheckpointing {
            mode: settings.mode,
            waits_for_last: settings.after_tasks_finish && settings.interval_ms.is_some(),
            incremental: options.is_incremental(),
            overtaking: settings.unaligned,
            responder: Arc::new(to_shell),
        },
    }
}
