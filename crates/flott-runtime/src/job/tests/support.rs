//! Jobs built by hand: operators that tell what happens to them, and a log of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use flott_core::Batch;
use flott_core::config::{Configuration, FailoverStrategy};
use flott_core::watermark::WatermarkStrategy;
use flott_state::backend::HashMapStateBackend;
use flott_state::format::JobKey;

use super::numbers::Numbers;
use crate::checkpoint::restart::RestartStrategy;
use crate::checkpoint::settings::CheckpointSettings;
use crate::error::{FnResult, JobError};
use crate::exchange::{Partitioner, Partitioning};
use crate::graph::{ChainingStrategy, GraphDefaults, NodeId, NodeKind, StreamEdge, StreamGraph, StreamNode};
use crate::job::{JobHandle, JobResult, LaunchOptions, SnapshotStorage, launch};
use crate::operator::{Operator, Output};
use crate::program::{EdgeFactory, OperatorFactory, Program, edge_factory, operator_factory, source_factory};
use crate::seam::SystemClock;

/// How long anything may take before a test counts it as a hang.
const LIMIT: Duration = Duration::from_secs(60);

/// What user code is asked for when a [`Hook`] is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Build,
    Open,
    Process,
    Watermark,
    Finish,
    Close,
}

/// What happened, and where.
#[derive(Default)]
struct Entries {
    /// Operator, subtask and phase in order of time, without the phases that come again and again.
    order: Vec<(&'static str, u32, Phase)>,
    counts: BTreeMap<(&'static str, Phase), usize>,
}

/// What all operators and readers of a job have written down.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<(Mutex<Entries>, Condvar)>);

impl Log {
    pub(super) fn note(&self, operator: &'static str, subtask: u32, phase: Phase) {
        let mut entries = self.0.0.lock().unwrap();
        *entries.counts.entry((operator, phase)).or_default() += 1;
        if !matches!(phase, Phase::Process | Phase::Watermark) {
            entries.order.push((operator, subtask, phase));
        }
        self.0.1.notify_all();
    }

    /// The operators in the order in which they came into this phase.
    pub(super) fn operators(&self, phase: Phase) -> Vec<&'static str> {
        let entries = self.0.0.lock().unwrap();
        entries.order.iter().filter(|entry| entry.2 == phase).map(|entry| entry.0).collect()
    }

    /// How often an operator has come into a phase.
    pub(super) fn count(&self, operator: &'static str, phase: Phase) -> usize {
        self.0.0.lock().unwrap().counts.get(&(operator, phase)).copied().unwrap_or(0)
    }

    /// Waits until an operator has come into a phase this many times.
    pub(super) fn wait_for(&self, operator: &'static str, phase: Phase, times: usize) {
        let entries = self.0.0.lock().unwrap();
        let is_missing =
            |entries: &mut Entries| entries.counts.get(&(operator, phase)).is_none_or(|count| *count < times);
        let waited = self.0.1.wait_timeout_while(entries, LIMIT, is_missing).unwrap();
        assert!(!waited.1.timed_out(), "'{operator}' should have come to {phase:?}");
    }
}

/// What user code does at a phase in a subtask, beside its work.
pub(super) type Hook = Arc<dyn Fn(Phase, u32) -> FnResult + Send + Sync>;

/// Code that never fails.
pub(super) fn calm() -> Hook {
    Arc::new(|_, _| Ok(()))
}

/// Fails with this message at a phase in subtask 1.
pub(super) fn fails(at: Phase, message: &'static str) -> Hook {
    Arc::new(move |phase, subtask| if (phase, subtask) == (at, 1) { Err(message.into()) } else { Ok(()) })
}

/// Panics with this message at a phase in subtask 1.
pub(super) fn panics(at: Phase, message: &'static str) -> Hook {
    Arc::new(move |phase, subtask| if (phase, subtask) == (at, 1) { panic!("{message}") } else { Ok(()) })
}

/// Hands its input on.
struct Probe {
    name: &'static str,
    subtask: u32,
    hook: Hook,
    log: Log,
    collected: Option<Arc<Mutex<Vec<u64>>>>,
}

impl Probe {
    fn at(&self, phase: Phase) -> FnResult {
        self.log.note(self.name, self.subtask, phase);
        (self.hook)(phase, self.subtask)
    }
}

impl Operator for Probe {
    type In = u64;
    type Out = u64;

    fn open(&mut self) -> FnResult {
        self.at(Phase::Open)
    }

    fn process(&mut self, batch: &mut Batch<u64>, out: &mut Output<u64>) -> FnResult {
        if let Some(collected) = &self.collected {
            collected.lock().unwrap().extend_from_slice(&batch.records);
        }
        for (index, record) in batch.records.iter().enumerate() {
            out.emit(*record, batch.timestamp(index));
        }
        self.at(Phase::Process)
    }

    fn on_watermark(&mut self, _watermark: i64, _out: &mut Output<u64>) -> FnResult {
        self.at(Phase::Watermark)
    }

    fn finish(&mut self, _out: &mut Output<u64>) -> FnResult {
        self.at(Phase::Finish)
    }

    fn close(&mut self) -> FnResult {
        self.at(Phase::Close)
    }
}

/// A job in the making; all records are `u64`.
pub(super) struct TestJob {
    pub(super) graph: StreamGraph,
    operators: Vec<Arc<dyn OperatorFactory>>,
    edges: Vec<Arc<dyn EdgeFactory>>,
    pub(super) log: Log,
    /// What the operators added by [`TestJob::collect`] have received.
    pub(super) collected: Arc<Mutex<Vec<u64>>>,
    /// Every operator holds a clone, so its count tells how many are alive.
    token: Arc<()>,
}

impl TestJob {
    pub(super) fn new(parallelism: u32) -> Self {
        let defaults =
            GraphDefaults { parallelism, max_parallelism: None, chaining: true, inline_exchanges: false };
        Self {
            graph: StreamGraph { nodes: Vec::new(), edges: Vec::new(), defaults },
            operators: Vec::new(),
            edges: Vec::new(),
            log: Log::default(),
            collected: Arc::default(),
            token: Arc::default(),
        }
    }

    pub(super) fn add(&mut self, kind: NodeKind, name: &str, factory: Arc<dyn OperatorFactory>) -> NodeId {
        let id = NodeId(self.graph.nodes.len() as u32);
        self.operators.push(factory);
        self.graph.nodes.push(StreamNode {
            id,
            kind,
            name: name.to_owned(),
            uid: None,
            parallelism: None,
            non_parallel: false,
            max_parallelism: None,
            chaining: ChainingStrategy::Always,
            slot_sharing_group: None,
        });
        id
    }

    pub(super) fn connect(
        &mut self,
        from: NodeId,
        to: NodeId,
        partitioning: Option<Partitioning>,
        partitioner: Partitioner<u64>,
    ) {
        self.connect_to_input(from, to, 0, partitioning, edge_factory(partitioner));
    }

    /// Connects to one of the inputs of an operator.
    pub(super) fn connect_to_input(
        &mut self,
        from: NodeId,
        to: NodeId,
        input: u32,
        partitioning: Option<Partitioning>,
        factory: Arc<dyn EdgeFactory>,
    ) {
        let id = self.graph.edges.len() as u32;
        self.edges.push(factory);
        self.graph.edges.push(StreamEdge { id, from, to, input, tag: None, partitioning });
    }

    pub(super) fn replace_partitioner(&mut self, edge: usize, partitioner: Partitioner<u64>) {
        self.edges[edge] = edge_factory(partitioner);
    }

    pub(super) fn numbers(&mut self, each: Option<u64>, reader: Hook, enumerator: Hook) -> NodeId {
        let source = Numbers { each, is_silent: false, log: self.log.clone(), reader, enumerator };
        let strategy = WatermarkStrategy::for_monotonous_timestamps();
        self.add(NodeKind::Source, "numbers", source_factory(source, strategy))
    }

    /// A calm source with a strategy of its own; `None`: one whose enumerator never answers.
    pub(super) fn numbers_with(&mut self, each: Option<u64>, strategy: WatermarkStrategy<u64>) -> NodeId {
        let (reader, enumerator) = (calm(), calm());
        let source = Numbers { each, is_silent: each.is_none(), log: self.log.clone(), reader, enumerator };
        self.add(NodeKind::Source, "numbers", source_factory(source, strategy))
    }

    /// A source whose enumerator never answers.
    pub(super) fn silence(&mut self) -> NodeId {
        self.numbers_with(None, WatermarkStrategy::no_watermarks())
    }

    fn probe(&mut self, name: &'static str, hook: Hook, collects: bool) -> NodeId {
        let (log, token) = (self.log.clone(), Arc::clone(&self.token));
        let collected = collects.then(|| Arc::clone(&self.collected));
        let factory = operator_factory(move |setup| {
            let _alive = &token;
            log.note(name, setup.subtask, Phase::Build);
            hook(Phase::Build, setup.subtask)?;
            let (hook, log, collected) = (Arc::clone(&hook), log.clone(), collected.clone());
            Ok(Probe { name, subtask: setup.subtask, hook, log, collected })
        });
        self.add(NodeKind::Operator, name, factory)
    }

    /// An operator that hands on what it gets.
    pub(super) fn pass(
        &mut self,
        from: NodeId,
        name: &'static str,
        partitioning: Option<Partitioning>,
        hook: Hook,
    ) -> NodeId {
        let id = self.probe(name, hook, false);
        self.connect(from, id, partitioning, Partitioner::Plain);
        id
    }

    /// The end of the stream.
    pub(super) fn collect(&mut self, from: NodeId, partitioning: Option<Partitioning>, hook: Hook) -> NodeId {
        let id = self.probe("collect", hook, true);
        self.connect(from, id, partitioning, Partitioner::Plain);
        id
    }

    pub(super) fn start(self) -> Result<Running, JobError> {
        let program = Program {
            name: "test".to_owned(),
            graph: self.graph,
            operators: self.operators,
            edges: self.edges,
        };
        let options = LaunchOptions {
            clock: Arc::new(SystemClock::new()),
            backend: Arc::new(HashMapStateBackend),
            buffer_timeout: Some(Duration::from_millis(100)),
            auto_watermark_interval: Duration::from_millis(1),
            allow_unaligned_source_splits: false,
            checkpointing: CheckpointSettings::from_config(&Configuration::new()).unwrap(),
            restart_strategy: RestartStrategy::from_config(&Configuration::new(), false).unwrap(),
            failover_strategy: FailoverStrategy::Region,
            job: JobKey(1),
            storage: SnapshotStorage::default(),
            restore: None,
        };
        let handle = launch(program, options)?;
        Ok(Running { handle, log: self.log, collected: self.collected, token: self.token })
    }

    /// Starts the job, waits for its end, and checks that it has left nothing behind.
    pub(super) fn run(self) -> Result<JobResult, JobError> {
        self.start()?.end()
    }
}

/// A job that runs.
pub(super) struct Running {
    pub(super) handle: JobHandle,
    pub(super) log: Log,
    pub(super) collected: Arc<Mutex<Vec<u64>>>,
    token: Arc<()>,
}

impl Running {
    /// Waits for the end of the job. No thread is left then, as each would keep its plan alive, and every operator
    /// that was opened has been closed once.
    pub(super) fn end(&self) -> Result<JobResult, JobError> {
        let ended = self.handle.wait_for(LIMIT).expect("the job should have ended");
        assert_eq!(Arc::strong_count(&self.token), 1, "threads are left");
        let log = self.log.0.0.lock().unwrap();
        let count = |operator, subtask, phase| {
            log.order.iter().filter(|entry| **entry == (operator, subtask, phase)).count()
        };
        for &(operator, subtask, _) in log.order.iter().filter(|entry| entry.2 == Phase::Open) {
            let [opened, closed] = [Phase::Open, Phase::Close].map(|phase| count(operator, subtask, phase));
            assert_eq!(opened, closed, "'{operator}' {subtask} was opened and closed");
        }
        drop(log);
        ended
    }
}
