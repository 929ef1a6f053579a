//! The thin shell around the coordinators of a job and of its checkpoints: it performs their actions, and hosts the
//! enumerators.

mod actions;
mod failover;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use flott_core::config::FailoverStrategy;
use flott_core::seam::Clock;
use flott_core::time::Timestamp;
use flott_state::backend::StateBackend;
use flott_state::format::{JobKey, SnapshotHandle};
use flott_state::storage::{
    CheckpointDirectory, CheckpointStorage, SnapshotOwner, SnapshotTarget, StorageError, StoredSnapshot,
};

use super::alignment::AlignmentGroups;
use super::build::JobPlan;
use super::checkpoints::JobCheckpoints;
use super::coordinator::{Action, Coordinator, Event, Outcome, Part, TaskId};
use super::handle::{Ended, JobHandle, JobLife};
use super::inbox::{Inbox, inbox};
use super::message::{Message, Request, TaskReport};
use super::sources::Sources;
use super::start::{Launcher, RunningTask, task_metrics};
use super::statistics::Statistics;
use super::storage::{self, StorageWork};
use super::stored::{JobIdentity, RestorePoint, metadata};
use super::undecided::Undecided;
use crate::checkpoint::Topology;
use crate::checkpoint::coordinator::{self as checkpoint, RequestId, TerminalStatus};
use crate::checkpoint::options::Barrier;
use crate::checkpoint::regions::Regions;
use crate::checkpoint::restart::{RestartStrategy, Restarts};
use crate::checkpoint::settings::CheckpointSettings;
use crate::error::{FailureKind, FnResult, JobError, TaskFailure};
use crate::graph::JobGraph;
use crate::metrics::VertexMetrics;
use crate::program::Program;
use crate::seam::{JoinHandle, Monitor, arrivals, random, spawn};
use crate::snapshot::CheckpointNotice;
use crate::source::{AnyEnumerator, EnumeratorActions};
use crate::task::TaskControl;
use actions::Occurrences;

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
    /// How checkpoints are taken.
    pub checkpointing: CheckpointSettings,
    /// Whether and when the job starts again after a failure.
    pub restart_strategy: RestartStrategy,
    /// Which tasks start again after the failure of one.
    pub failover_strategy: FailoverStrategy,
    /// The id of the job.
    pub job: JobKey,
    /// Where checkpoints and savepoints go.
    pub storage: SnapshotStorage,
    /// What the job starts from.
    pub restore: Option<Restore>,
}

impl LaunchOptions {
    /// Whether checkpoints are incremental. In the memory of the coordinator they are not, as nothing would be gained.
    pub(super) fn is_incremental(&self) -> bool {
        self.checkpointing.incremental
            && matches!(self.storage.checkpoints, CheckpointStorage::FileSystem { .. })
    }
}

/// Where checkpoints and savepoints go.
#[derive(Clone, Debug)]
pub struct SnapshotStorage {
    /// Where checkpoints go.
    pub checkpoints: CheckpointStorage,
    /// The directory of savepoints for which the user names none, as a URL.
    pub savepoint_directory: Option<String>,
    /// State of a subtask below this many bytes goes into the metadata of a snapshot.
    pub inline_below: u64,
}

impl Default for SnapshotStorage {
    /// Everything in the memory of the coordinator.
    fn default() -> Self {
        let largest_state = CheckpointStorage::LARGEST_STATE;
        Self {
            checkpoints: CheckpointStorage::JobManager { largest_state },
            savepoint_directory: None,
            inline_below: 20 << 10,
        }
    }
}

/// What a job starts from.
#[derive(Clone, Debug)]
pub struct Restore {
    /// The checkpoint or savepoint.
    pub snapshot: StoredSnapshot,
    /// Older checkpoints of the same job, oldest first, which it goes on keeping as its settings say.
    pub older: Vec<StoredSnapshot>,
    /// The first checkpoint gets at least this id: what is stored under a smaller one stays as it is.
    pub first_checkpoint: u64,
    /// Who may delete it: the job with claim mode `CLAIM`, else the user.
    pub owner: checkpoint::Owner,
    /// Whether the state of operators that are gone may be dropped.
    pub allow_non_restored_state: bool,
}

/// Starts all tasks of a program.
///
/// # Errors
/// When the program is wrong, a source can't be reached, or the system gives no thread. Tasks that were started
/// before that end by themselves.
pub fn launch(mut program: Program, options: LaunchOptions) -> Result<JobHandle, JobError> {
    let point = options.restore.as_ref().map(|restore| RestorePoint::of(&restore.snapshot));
    if let Some(point) = &point {
        point.adopt_max_parallelism(&mut program.graph);
    }
    let job_graph = JobGraph::of(&program.graph)?;
    job_graph.check_overtaking(&program.graph, &options.checkpointing)?;
    let plan = Arc::new(JobPlan { program, job_graph, backend: Arc::clone(&options.backend) });
    if let (Some(restore), Some(point)) = (&options.restore, &point) {
        point.check(&plan, restore.allow_non_restored_state)?;
    }
    let topology = Topology::of(&plan.job_graph);
    let sources = Sources::create(&plan, point.as_ref(), divided_sources(&topology, &options))?;
    let metrics = Arc::new(task_metrics(&plan.job_graph));
    let vertices = plan.job_graph.vertices.iter().zip(metrics.iter());
    let vertices =
        vertices.map(|(vertex, tasks)| VertexMetrics { name: vertex.name.clone(), subtasks: tasks.clone() });
    let (messages, inbox) = inbox(MESSAGES);
    let handle = JobHandle {
        name: plan.program.name.clone(),
        vertices: vertices.collect(),
        messages: messages.clone(),
        life: Arc::new(Monitor::new("the end of the job", JobLife::default())),
    };
    let clock = Arc::clone(&options.clock);
    let inline_below = options.storage.inline_below;
    let directory =
        CheckpointDirectory::new(options.job, &options.storage.checkpoints, inline_below, random());
    let directory = Arc::new(directory.map_err(JobError::Storage)?);
    let waiting_bytes = Arc::default();
    let (storage, storage_thread) = storage::start(
        Arc::clone(&directory),
        Arc::clone(&clock),
        Arc::clone(&waiting_bytes),
        messages.clone(),
    )?;
    let first_checkpoint = options.restore.as_ref().map_or(1, |restore| restore.first_checkpoint);
    let mut checkpoints =
        JobCheckpoints::new(options.checkpointing.clone(), topology.clone(), first_checkpoint);
    if let Some(restore) = &options.restore {
        checkpoints.restored(restore);
        let owner = match restore.owner {
            checkpoint::Owner::Job => SnapshotOwner::Job,
            checkpoint::Owner::User => SnapshotOwner::User,
        };
        for stored in restore.older.iter().chain([&restore.snapshot]) {
            directory.restored(stored, owner);
        }
        storage.send(StorageWork::Clean);
    }
    let identity = JobIdentity { key: options.job, name: plan.program.name.clone() };
    let restarts = Restarts::new(options.restart_strategy.clone());
    let coordinator = Coordinator::new(&topology, options.failover_strategy, restarts);
    let attempts: BTreeMap<TaskId, u32> = topology.tasks().map(|task| (task, 0)).collect();
    let mut statistics = Statistics::default();
    let started_ms = u64::try_from(clock.wall_ms()).unwrap_or(0);
    let restored = options.restore.as_ref().map(|restore| restore.snapshot.metadata.checkpoint);
    statistics.restored(restored, started_ms);
    let launcher = Launcher { plan, metrics, messages, storage, waiting_bytes, options };
    let started = launcher.start(&attempts, point.as_ref());
    if started.is_err() {
        launcher.storage.send(StorageWork::End);
    }
    let tasks = started?;
    let shell = Shell {
        coordinator,
        checkpoints,
        identity,
        directory,
        storage_thread,
        launcher,
        restarts: 0,
        attempts,
        tasks,
        sources,
        alignment: AlignmentGroups::default(),
        inbox,
        started_ns: clock.monotonic_ns(),
        started_ms,
        clock,
        life: Arc::clone(&handle.life),
        outcome: None,
        statistics,
        undecided: Undecided::default(),
        occurrences: Occurrences::default(),
    };
    spawn("flott-coordinator".to_owned(), move || shell.run())
        .map_err(|cause| JobError::Resource { what: "a thread for the coordinator".to_owned(), cause })?;
    Ok(handle)
}

/// The vertices some of whose tasks may start again while others go on.
fn divided_sources(topology: &Topology, options: &LaunchOptions) -> BTreeSet<u32> {
    match (&options.restart_strategy, options.failover_strategy) {
        (RestartStrategy::None, _) | (_, FailoverStrategy::Full) => BTreeSet::new(),
        (_, FailoverStrategy::Region) => Regions::of(topology).divided_vertices(),
    }
}

struct Shell {
    coordinator: Coordinator,
    checkpoints: JobCheckpoints,
    identity: JobIdentity,
    directory: Arc<CheckpointDirectory>,
    storage_thread: JoinHandle<()>,
    launcher: Launcher,
    /// How often tasks were started again.
    restarts: u32,
    /// How often each task was started again.
    attempts: BTreeMap<TaskId, u32>,
    tasks: BTreeMap<TaskId, RunningTask>,
    sources: Sources,
    alignment: AlignmentGroups,
    inbox: Inbox<Message>,
    clock: Arc<dyn Clock>,
    started_ns: u64,
    started_ms: u64,
    life: Arc<Monitor<JobLife>>,
    outcome: Option<Outcome>,
    statistics: Statistics,
    undecided: Undecided,
    occurrences: Occurrences,
}

impl Shell {
    fn run(mut self) {
        self.begin();
        let outcome = loop {
            // A checkpoint that storage holds already but that the job has given up would be found by the next process.
            if let Some(outcome) = self.outcome.take_if(|_| self.undecided.is_empty()) {
                break outcome;
            }
            self.turn();
        };
        let net_runtime = Duration::from_nanos(self.clock.monotonic_ns() - self.started_ns);
        let Self { tasks, launcher, sources, inbox, life, storage_thread, .. } = self;
        tasks.into_values().for_each(RunningTask::join);
        // What the end of the job deletes is gone when the end is told.
        launcher.storage.send(StorageWork::End);
        let _ = storage_thread.join();
        // Whoever waits for the end finds nothing left of the program.
        drop((launcher, sources));
        life.change(|life| life.ended = Some(Ended { outcome, net_runtime }));
        // Who has asked too late is told so.
        for message in inbox.close() {
            if let Message::Request(_, answer) = message {
                let shutdown = checkpoint::FailureReason::CoordinatorShutdown;
                answer.change(|place| *place = Some(Err(checkpoint::RequestFailure::Checkpoint(shutdown))));
            }
        }
    }

    /// Milliseconds since the epoch by the wall clock at the start of the job, and by the monotonic one since.
    fn now_ms(&self) -> u64 {
        self.started_ms + (self.clock.monotonic_ns() - self.started_ns) / 1_000_000
    }

    /// All tasks have been started.
    fn begin(&mut self) {
        let interval_ms = self.launcher.options.checkpointing.period_ms().unwrap_or(0);
        let start_delay_ms = random() % interval_ms.max(1);
        self.checkpoint_event(checkpoint::Event::JobRunning { start_delay_ms });
        for vertex in self.sources.vertices() {
            self.enumerate(vertex, |enumerator, parallelism| enumerator.start(parallelism));
        }
    }

    fn turn(&mut self) {
        let (now_ns, now_ms) = (self.clock.monotonic_ns(), self.now_ms());
        let tick = self.sources.next_tick_ns().map(|at| Duration::from_nanos(at.saturating_sub(now_ns)));
        let dues = self.checkpoints.next_wake_up_ms().into_iter().chain(self.next_restart_ms());
        let dues = dues.map(|at| Duration::from_millis(at.saturating_sub(now_ms)));
        if let Some(message) = self.inbox.receive(tick.into_iter().chain(dues).min()) {
            self.take(message);
        }
        self.pass_time();
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Task { attempt, task, report } if self.attempts.get(&task) == Some(&attempt) => {
                self.take_report(task, report);
            }
            Message::Task { .. } => {}
            Message::Stored { task, checkpoint, result, figures } => {
                self.statistics.stored(checkpoint, task, figures);
                if figures.persisted_bytes > 0 {
                    self.checkpoints.has_in_flight(checkpoint, task);
                }
                let event = self.checkpoints.stored(task, checkpoint, result);
                self.checkpoint_event(event);
            }
            Message::MetadataWritten { checkpoint, result } => {
                self.take_metadata(checkpoint, result);
            }
            Message::Discarded { checkpoint } => self.undecided.gone(checkpoint),
            Message::Cancel => self.event(Event::CancelRequested),
            Message::Request(request, answer) => {
                if let Request::Savepoint { directory: None, .. } = request
                    && self.launcher.options.storage.savepoint_directory.is_none()
                {
                    let failure = checkpoint::RequestFailure::NoSavepointDirectory;
                    return answer.change(|place| *place = Some(Err(failure)));
                }
                let event = self.checkpoints.request(request, answer);
                self.checkpoint_event(event);
            }
        }
    }

    fn take_metadata(&mut self, checkpoint: u64, result: Result<(String, RestorePoint), String>) {
        let event = match result {
            Ok((location, point)) => {
                self.statistics.completed(checkpoint, self.now_ms(), location.clone());
                self.tell_statistics();
                self.checkpoints.keep(point);
                checkpoint::Event::MetadataWritten { checkpoint, location }
            }
            Err(error) => {
                self.checkpoints
                    .note(format!("the metadata of checkpoint {checkpoint} was not written: {error}"));
                checkpoint::Event::MetadataFailed { checkpoint }
            }
        };
        self.checkpoint_event(event);
        self.undecided.answered(checkpoint);
        self.checkpoints.forget_unless_kept(checkpoint);
    }

    fn take_report(&mut self, task: TaskId, report: TaskReport) {
        match report {
            TaskReport::Running => self.checkpoint_event(checkpoint::Event::TaskRunning(task)),
            TaskReport::EndOfData => self.checkpoint_event(checkpoint::Event::EndOfData(task)),
            TaskReport::Declined { checkpoint, reason } => {
                let reason = reason.into();
                self.checkpoint_event(checkpoint::Event::Declined { task, checkpoint, reason });
            }
            TaskReport::SplitRequest => self.enumerate(task.vertex, |enumerator, parallelism| {
                enumerator.on_split_request(task.subtask, parallelism)
            }),
            TaskReport::Watermark(watermark) => self.align(task, watermark),
            TaskReport::Finished => {
                self.checkpoint_event(checkpoint::Event::TaskFinished(task));
                self.event(Event::TaskFinished(task));
            }
            TaskReport::Canceled => self.event(Event::TaskCanceled(task)),
            TaskReport::Failed(failure) => {
                self.checkpoint_event(checkpoint::Event::TaskFailed(task));
                self.event(Event::TaskFailed(task, failure));
            }
        }
    }

    /// Does what is due by now.
    fn pass_time(&mut self) {
        let (now_ns, now_ms) = (self.clock.monotonic_ns(), self.now_ms());
        for vertex in self.sources.take_due(now_ns) {
            self.enumerate(vertex, |enumerator, parallelism| enumerator.on_tick(parallelism));
        }
        if self.checkpoints.next_wake_up_ms().is_some_and(|at| at <= now_ms) {
            self.checkpoint_event(checkpoint::Event::TimeAdvanced);
        }
        if self.next_restart_ms().is_some_and(|at| at <= now_ms) {
            self.event(Event::RestartDue);
        }
    }

    /// When tasks start again; not before it is decided what they start from.
    fn next_restart_ms(&self) -> Option<u64> {
        self.coordinator.next_wake_up().filter(|_| self.undecided.is_empty())
    }

    /// Tells a reader that has reported its watermark how far it may go.
    fn align(&mut self, reader: TaskId, watermark: Timestamp) {
        let alignment = self.sources.alignment(reader.vertex);
        if let (Some(alignment), Some(task)) = (alignment, self.tasks.get(&reader)) {
            let limit = self.alignment.report(alignment, reader, watermark);
            task.send(TaskControl::AlignWatermarks(limit));
        }
    }

    /// Lets the enumerator of a source act, and does what it wants.
    fn enumerate(
        &mut self,
        vertex: u32,
        act: impl FnOnce(&mut dyn AnyEnumerator, u32) -> FnResult<EnumeratorActions>,
    ) {
        match self.sources.act(vertex, self.clock.as_ref(), act) {
            Ok(actions) => self.deliver(vertex, actions.unwrap_or_default()),
            Err(failure) => self.event(Event::JobFailed(failure)),
        }
    }

    fn deliver(&mut self, vertex: u32, actions: EnumeratorActions) {
        self.sources.note_assigned(vertex, &actions);
        for (subtask, split) in actions.assignments {
            self.send(TaskId { vertex, subtask }, TaskControl::AddSplits(vec![split]));
        }
        for subtask in actions.no_more_splits {
            self.send(TaskId { vertex, subtask }, TaskControl::NoMoreSplits);
        }
    }

    fn send(&self, task: TaskId, control: TaskControl) {
        if let Some(task) = self.tasks.get(&task) {
            task.send(control);
        }
    }

    /// Lets a checkpoint begin. What the enumerators have assigned so far is on its way to the readers before it.
    fn trigger(&mut self, barrier: &Barrier, tasks: &[TaskId], request: Option<RequestId>) {
        let checkpoint = barrier.checkpoint;
        self.statistics.triggered(checkpoint, barrier.timestamp_ms, barrier.options.kind.is_savepoint());
        self.tell_statistics();
        let target = match self.target(barrier, request) {
            Ok(target) => target,
            Err(error) => {
                self.checkpoints
                    .note(format!("checkpoint {checkpoint} has no place to be written to: {error}"));
                return self.checkpoint_event(checkpoint::Event::TriggerFailed { checkpoint });
            }
        };
        // Also if nothing comes of it: only storage gives up what has begun, and until then nothing that it may build on is deleted.
        self.launcher.storage.send(StorageWork::Begin {
            target,
            base: barrier.options.kind.base(),
            is_shared: self.launcher.options.is_incremental() && !barrier.options.kind.is_savepoint(),
        });
        match self.sources.snapshot(checkpoint) {
            Ok(enumerators) => {
                self.checkpoints.begin(checkpoint, enumerators);
                for task in tasks {
                    self.send(*task, TaskControl::TriggerCheckpoint(barrier.clone()));
                }
            }
            Err(failure) => self.event(Event::JobFailed(failure)),
        }
    }

    fn tell_statistics(&self) {
        self.life.change(|life| life.checkpoints = self.statistics.told.clone());
    }

    /// Where a snapshot is written.
    fn target(&self, barrier: &Barrier, request: Option<RequestId>) -> Result<SnapshotTarget, StorageError> {
        if !barrier.options.kind.is_savepoint() {
            return Ok(self.directory.checkpoint(barrier.checkpoint));
        }
        let named = request.and_then(|request| self.checkpoints.savepoint_directory(request));
        let configured = self.launcher.options.storage.savepoint_directory.as_deref();
        let directory = named.or(configured).unwrap_or_default();
        self.directory.savepoint(barrier.checkpoint, directory, random())
    }

    /// Notices are best effort: one that is lost is made good by the next, and one that comes twice changes nothing.
    fn notify(&self, tasks: &[TaskId], notice: CheckpointNotice) {
        for task in tasks {
            for _ in 0..arrivals() {
                self.send(*task, TaskControl::Checkpoint(notice));
            }
        }
    }
}

/// A failure that no single task has had.
pub(super) fn job_failure(message: String) -> TaskFailure {
    TaskFailure { operator: String::new(), subtask: None, parallelism: 0, kind: FailureKind::Job(message) }
}
