//! The thin shell around the coordinator: starts the threads, performs its actions, and hosts the enumerators.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flott_core::seam::Clock;
use flott_core::time::Timestamp;
use flott_core::watermark::WatermarkAlignment;
use flott_state::backend::StateBackend;

use super::alignment::AlignmentGroups;
use super::build::{JobPlan, TaskBuilder, TaskEnds};
use super::coordinator::{Action, Coordinator, Event, Outcome, TaskId};
use super::handle::{Ended, JobHandle, ending};
use super::inbox::{Inbox, Sender, inbox};
use crate::error::{ChainError, FnResult, JobError, TaskFailure};
use crate::graph::{JobGraph, JobVertex};
use crate::metrics::{TaskMetrics, VertexMetrics};
use crate::program::Program;
use crate::seam::{JoinHandle, Monitor, Signal, spawn};
use crate::source::{AnyEnumerator, EnumeratorActions};
use crate::task::{FlushPolicy, Mailbox, Task, TaskControl, TaskEnd, TaskLink, TaskShared, guard};

/// How many messages may wait for the coordinator. Tasks send few: a split request, their end.
const MESSAGES: usize = 1024;

/// How a program is run.
#[derive(Clone)]
pub struct LaunchOptions {
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// Where keyed state lives.
    pub backend: Arc<dyn StateBackend>,
    /// How long a partial batch may wait while its task is busy; zero: not at all; `None`: until it is full.
    pub buffer_timeout: Option<Duration>,
    /// How often generators are asked for a watermark; zero: never.
    pub auto_watermark_interval: Duration,
    /// Whether a source that can't pause single splits may be aligned with others although a subtask of it reads
    /// several.
    pub allow_unaligned_source_splits: bool,
}

/// What tasks and users tell the shell.
#[derive(Debug)]
pub(super) enum Message {
    Event(Event),
    SplitRequest(TaskId),
    Watermark(TaskId, Timestamp),
}

/// The shell's side of a running task.
struct RunningTask {
    mailbox: Arc<Mailbox>,
    signal: Arc<Signal>,
    canceled: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl RunningTask {
    fn cancel(&self) {
        self.canceled.store(true, Ordering::Release);
        self.signal.wake();
    }

    /// Waits for the end of its thread. A task's thread catches its panics, so there is nothing to learn.
    fn join(mut self) {
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for RunningTask {
    /// A task that nobody looks after ends: the job could not be started as a whole.
    fn drop(&mut self) {
        self.cancel();
    }
}

struct SourceHost {
    name: String,
    parallelism: u32,
    enumerator: Box<dyn AnyEnumerator>,
    alignment: Option<WatermarkAlignment>,
    tick_at_ns: Option<u64>,
}

/// Starts all tasks of a program.
///
/// # Errors
/// When the program is wrong, a source can't be reached, or the system gives no thread. Tasks that were started
/// before that end by themselves.
pub fn launch(program: Program, options: LaunchOptions) -> Result<JobHandle, JobError> {
    let job_graph = JobGraph::of(&program.graph)?;
    let sources = create_enumerators(&program, &job_graph)?;
    let metrics = Arc::new(task_metrics(&job_graph));
    let vertices = job_graph.vertices.iter().zip(metrics.iter());
    let vertices =
        vertices.map(|(vertex, tasks)| VertexMetrics { name: vertex.name.clone(), subtasks: tasks.clone() });
    let (messages, inbox) = inbox(MESSAGES);
    let handle = JobHandle {
        name: program.name.clone(),
        vertices: vertices.collect(),
        messages: messages.clone(),
        ending: Arc::new(ending()),
    };
    let plan = Arc::new(JobPlan { program, job_graph, backend: Arc::clone(&options.backend) });
    let tasks = start_tasks(&plan, &metrics, &messages, &options)?;
    let shell = Shell {
        coordinator: Coordinator::new(tasks.keys().copied()),
        tasks,
        sources,
        alignment: AlignmentGroups::default(),
        inbox,
        started_ns: options.clock.monotonic_ns(),
        clock: options.clock,
        ending: Arc::clone(&handle.ending),
    };
    spawn("flott-coordinator".to_owned(), move || shell.run())
        .map_err(|cause| JobError::Resource { what: "a thread for the coordinator".to_owned(), cause })?;
    Ok(handle)
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

fn create_enumerators(
    program: &Program,
    job_graph: &JobGraph,
) -> Result<BTreeMap<u32, SourceHost>, JobError> {
    let mut sources = BTreeMap::new();
    for vertex in &job_graph.vertices {
        let factory = &program.operators[vertex.head.0 as usize];
        let name = program.graph.node(vertex.head).name.clone();
        let created = guard(|| {
            let created = factory.enumerator().transpose();
            created.map_err(|cause| ChainError::Failed { operator: name.clone(), cause })
        });
        let enumerator = created.map_err(|end| enumerator_failure(end, &name, vertex.parallelism))?;
        if let Some(enumerator) = enumerator {
            let host = SourceHost {
                name,
                parallelism: vertex.parallelism,
                enumerator: enumerator.0,
                alignment: factory.alignment().cloned(),
                tick_at_ns: None,
            };
            sources.insert(vertex.id, host);
        }
    }
    Ok(sources)
}

fn enumerator_failure(end: crate::task::Ended, name: &str, parallelism: u32) -> TaskFailure {
    let mut failure = end.into_failure(None, parallelism, name);
    // Whatever ran on this thread before, the enumerator is the source's.
    name.clone_into(&mut failure.operator);
    failure
}

pub(crate) fn signals(job_graph: &JobGraph) -> Vec<Vec<Arc<Signal>>> {
    let of = |vertex: &JobVertex| (0..vertex.parallelism).map(|_| Arc::new(Signal::new())).collect();
    job_graph.vertices.iter().map(of).collect()
}

/// Makes all channels, and hands each task its ends of them.
pub(crate) fn connect(plan: &JobPlan, signals: &[Vec<Arc<Signal>>]) -> Vec<Vec<TaskEnds>> {
    let mut ends: Vec<Vec<TaskEnds>> =
        signals.iter().map(|tasks| tasks.iter().map(|_| TaskEnds::default()).collect()).collect();
    for exchange in plan.job_graph.edges.iter().filter(|exchange| !exchange.inline) {
        // A vertex inside the task of another sends from there; one that receives from a channel hosts itself.
        let (up, down) = (plan.job_graph.host(exchange.from) as usize, exchange.to as usize);
        let (from, to) = (signals[up].len() as u32, signals[down].len() as u32);
        let targets: Vec<_> = (0..from).map(|task| exchange.partitioning.targets(task, from, to)).collect();
        let factory = &plan.program.edges[exchange.edge as usize];
        let made = factory.channels(&signals[up], &signals[down], &targets);
        for (task, sender) in made.senders.into_iter().enumerate() {
            ends[up][task].senders.insert(exchange.edge, sender);
        }
        for (task, receiver) in made.receivers.into_iter().enumerate() {
            ends[down][task].receivers.insert(exchange.edge, receiver);
        }
    }
    ends
}

fn start_tasks(
    plan: &Arc<JobPlan>,
    metrics: &Arc<Vec<Vec<Arc<TaskMetrics>>>>,
    messages: &Sender<Message>,
    options: &LaunchOptions,
) -> Result<BTreeMap<TaskId, RunningTask>, JobError> {
    let signals = signals(&plan.job_graph);
    let ends = connect(plan, &signals);
    let mut tasks = BTreeMap::new();
    for (vertex, ends) in plan.job_graph.vertices.iter().zip(ends) {
        if plan.job_graph.host(vertex.id) != vertex.id {
            continue;
        }
        for (subtask, ends) in (0..vertex.parallelism).zip(ends) {
            let id = TaskId { vertex: vertex.id, subtask };
            let start = TaskStart {
                plan: Arc::clone(plan),
                id,
                ends,
                signal: Arc::clone(&signals[vertex.id as usize][subtask as usize]),
                canceled: Arc::default(),
                metrics: Arc::clone(metrics),
                messages: messages.clone(),
                options: options.clone(),
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

/// All that a task's thread takes with it.
struct TaskStart {
    plan: Arc<JobPlan>,
    id: TaskId,
    ends: TaskEnds,
    signal: Arc<Signal>,
    canceled: Arc<AtomicBool>,
    metrics: Arc<Vec<Vec<Arc<TaskMetrics>>>>,
    messages: Sender<Message>,
    options: LaunchOptions,
}

impl TaskStart {
    fn spawn(self, vertex: &str) -> std::io::Result<RunningTask> {
        let (signal, canceled) = (Arc::clone(&self.signal), Arc::clone(&self.canceled));
        let mailbox = Arc::new(Mailbox::new(Arc::clone(&self.signal)));
        let own = Arc::clone(&mailbox);
        let thread =
            spawn(format!("{}/{} {vertex}", self.id.vertex, self.id.subtask), move || self.run(own))?;
        Ok(RunningTask { mailbox, signal, canceled, thread: Some(thread) })
    }

    fn run(self, mailbox: Arc<Mailbox>) {
        self.signal.adopt();
        let (id, plan, messages) = (self.id, Arc::clone(&self.plan), self.messages.clone());
        let vertex = &plan.job_graph.vertices[id.vertex as usize];
        let name = &plan.program.graph.node(vertex.head).name;
        // An error's own messages are user code too. Whatever happens, the coordinator learns of the end.
        let told = guard(|| Ok(self.live(vertex, mailbox).into_end(id.subtask, vertex.parallelism, name)));
        let end = told.unwrap_or_else(|ended| {
            TaskEnd::Failed(ended.into_failure(Some(id.subtask), vertex.parallelism, name))
        });
        let event = match end {
            TaskEnd::Finished => Event::TaskFinished(id),
            TaskEnd::Canceled => Event::TaskCanceled(id),
            TaskEnd::Failed(failure) => Event::TaskFailed(id, failure),
        };
        // The coordinator outlives its tasks, unless the process ends.
        messages.send(Message::Event(event));
    }

    /// Builds the task and runs it; whatever happens, it is closed.
    fn live(self, vertex: &JobVertex, mailbox: Arc<Mailbox>) -> crate::task::Life {
        let (id, messages) = (self.id, self.messages);
        let reports = messages.clone();
        let link = TaskLink {
            request_split: Arc::new(move || messages.send(Message::SplitRequest(id))),
            report_watermark: Arc::new(move |at| reports.send(Message::Watermark(id, at))),
            allow_unaligned_source_splits: self.options.allow_unaligned_source_splits,
            auto_watermark_interval: self.options.auto_watermark_interval,
        };
        let clock = Arc::clone(&self.options.clock);
        let metrics = Arc::clone(&self.metrics[id.vertex as usize][id.subtask as usize]);
        let shared = Rc::new(TaskShared::new(clock, self.signal, self.canceled, Arc::clone(&metrics), link));
        let flush = match self.options.buffer_timeout {
            Some(timeout) => {
                FlushPolicy::Timeout { ns: u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX) }
            }
            None => FlushPolicy::WhenFull,
        };
        let (ends, job_metrics, plan) = (self.ends, self.metrics, &self.plan);
        let built = guard(|| {
            let shared = Rc::clone(&shared);
            TaskBuilder {
                plan,
                vertex,
                subtask: id.subtask,
                ends,
                shared,
                metrics,
                job_metrics,
                restored: None,
            }
            .build()
        });
        match built {
            Ok(head) => Task { head: head.0, shared, mailbox, flush }.live(),
            Err(ended) => crate::task::Life::not_started(ended),
        }
    }
}

struct Shell {
    coordinator: Coordinator,
    tasks: BTreeMap<TaskId, RunningTask>,
    sources: BTreeMap<u32, SourceHost>,
    alignment: AlignmentGroups,
    inbox: Inbox<Message>,
    clock: Arc<dyn Clock>,
    started_ns: u64,
    ending: Arc<Monitor<Option<Ended>>>,
}

impl Shell {
    fn run(mut self) {
        let vertices: Vec<u32> = self.sources.keys().copied().collect();
        let mut ended = None;
        for vertex in vertices {
            ended = ended.or(self.enumerate(vertex, |host| host.enumerator.start(host.parallelism)));
        }
        while ended.is_none() {
            ended = self.turn();
        }
        let net_runtime = Duration::from_nanos(self.clock.monotonic_ns() - self.started_ns);
        std::mem::take(&mut self.tasks).into_values().for_each(RunningTask::join);
        if let Some(outcome) = ended {
            self.ending.change(|ended| *ended = Some(Ended { outcome, net_runtime }));
        }
    }

    fn turn(&mut self) -> Option<Outcome> {
        let next_tick = self.sources.values().filter_map(|host| host.tick_at_ns).min();
        let now = self.clock.monotonic_ns();
        let limit = next_tick.map(|at| Duration::from_nanos(at.saturating_sub(now)));
        match self.inbox.receive(limit) {
            Some(Message::Event(event)) => self.handle(event),
            Some(Message::SplitRequest(task)) => self.enumerate(task.vertex, |host| {
                host.enumerator.on_split_request(task.subtask, host.parallelism)
            }),
            Some(Message::Watermark(task, watermark)) => {
                self.align(task, watermark);
                None
            }
            None => self.tick(),
        }
    }

    /// Tells a reader that has reported its watermark how far it may go.
    fn align(&mut self, reader: TaskId, watermark: Timestamp) {
        let alignment = self.sources.get(&reader.vertex).and_then(|host| host.alignment.as_ref());
        if let (Some(alignment), Some(task)) = (alignment, self.tasks.get(&reader)) {
            let limit = self.alignment.report(alignment, reader, watermark);
            task.mailbox.send(TaskControl::AlignWatermarks(limit));
        }
    }

    fn tick(&mut self) -> Option<Outcome> {
        let now = self.clock.monotonic_ns();
        let due = |host: &SourceHost| host.tick_at_ns.is_some_and(|at| at <= now);
        let due: Vec<u32> =
            self.sources.iter().filter(|(_, host)| due(host)).map(|(vertex, _)| *vertex).collect();
        for vertex in due {
            if let Some(host) = self.sources.get_mut(&vertex) {
                host.tick_at_ns = None;
            }
            let ended = self.enumerate(vertex, |host| host.enumerator.on_tick(host.parallelism));
            if ended.is_some() {
                return ended;
            }
        }
        None
    }

    /// Lets the enumerator of a source act, and does what it wants.
    fn enumerate(
        &mut self,
        vertex: u32,
        act: impl FnOnce(&mut SourceHost) -> FnResult<EnumeratorActions>,
    ) -> Option<Outcome> {
        let host = self.sources.get_mut(&vertex)?;
        let name = host.name.clone();
        let acted = guard(|| act(host).map_err(|cause| ChainError::Failed { operator: name, cause }));
        match acted {
            Ok(actions) => {
                if let Some(delay) = actions.tick_after {
                    let delay = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
                    host.tick_at_ns = Some(self.clock.monotonic_ns().saturating_add(delay));
                }
                self.deliver(vertex, actions);
                None
            }
            Err(end) => {
                let failure = enumerator_failure(end, &host.name, host.parallelism);
                // It is asked no more: after a panic it may be in any state.
                self.sources.remove(&vertex);
                self.handle(Event::EnumeratorFailed(failure))
            }
        }
    }

    fn deliver(&self, vertex: u32, actions: EnumeratorActions) {
        let send = |subtask, control| {
            if let Some(task) = self.tasks.get(&TaskId { vertex, subtask }) {
                task.mailbox.send(control);
            }
        };
        for (subtask, split) in actions.assignments {
            send(subtask, TaskControl::AddSplits(vec![split]));
        }
        for subtask in actions.no_more_splits {
            send(subtask, TaskControl::NoMoreSplits);
        }
    }

    fn handle(&mut self, event: Event) -> Option<Outcome> {
        let mut ended = None;
        for action in self.coordinator.handle(event) {
            match action {
                Action::CancelTasks => self.tasks.values().for_each(RunningTask::cancel),
                Action::EndJob(outcome) => ended = Some(outcome),
            }
        }
        ended
    }
}
