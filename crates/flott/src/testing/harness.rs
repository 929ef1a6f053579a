//! What harnesses of any number of inputs share: the running piece of a program, its time and its output.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flott_core::seam::Clock;
use flott_core::time::Timestamp;
use flott_core::{Data, encoding};
use flott_runtime::error::{FailureKind, JobError, TaskFailure, cause_chain};
use flott_runtime::graph::NodeKind;
use flott_runtime::job::{JobResult, LaunchOptions};
use flott_runtime::metrics::VertexMetrics;
use flott_runtime::operator::OutputTag;
use flott_runtime::program::Program;
use flott_runtime::testing::{AnyFeed, Capture, Feed, LocalTasks, ManualClock};

use flott_state::SnapshotBudget;

use super::{HarnessOptions, HarnessSnapshot, StreamElement};
use crate::builder::NewNode;
use crate::environment::StreamExecutionEnvironment;
use crate::error::Error;
use crate::stream::DataStream;

/// A piece of a program under test: what [`OneInputHarness`](super::OneInputHarness) and
/// [`TwoInputHarness`](super::TwoInputHarness) have in common.
///
/// Nothing is built before the first step. A step that fails returns the error that the job would end with, panics
/// included; operators are then closed, and further steps return the same error.
pub struct Harness<O> {
    stream: DataStream<O>,
    options: HarnessOptions,
    clock: Arc<ManualClock>,
    feeds: Vec<Box<dyn AnyFeed>>,
    output: Capture<O>,
    side_outputs: BTreeMap<String, Box<dyn Any>>,
    program: Option<(Program, LaunchOptions)>,
    life: Life,
    restarts: u64,
    checkpoints: u64,
    /// The figures of operators that are gone.
    past: Vec<VertexMetrics>,
}

/// Where a harness stands.
enum Life {
    New,
    Running(LocalTasks),
    Failed(TaskFailure),
    Closed,
}

/// A stream that comes from a feed.
pub(super) fn input<I: Data>(env: &StreamExecutionEnvironment, name: &str) -> (Feed<I>, DataStream<I>) {
    let feed = Feed::default();
    let mut builder = env.builder.borrow_mut();
    let node = NewNode { kind: NodeKind::Source, name: name.to_owned(), non_parallel: true };
    let id = builder.add_node(node, feed.factory());
    let stream = DataStream::new(env.clone(), builder.at(id));
    drop(builder);
    (feed, stream)
}

/// Captures a stream, merged in one subtask.
fn capture<T: Data>(stream: &DataStream<T>, name: &str) -> Capture<T> {
    let capture = Capture::default();
    let mut builder = stream.env.builder.borrow_mut();
    let node = NewNode { kind: NodeKind::Sink, name: name.to_owned(), non_parallel: true };
    let id = builder.add_node(node, capture.factory());
    for feed in &stream.feeds {
        builder.add_edge(feed.clone(), id, 0);
    }
    capture
}

impl<O: Data> Harness<O> {
    pub(super) fn new(stream: DataStream<O>, feeds: Vec<Box<dyn AnyFeed>>) -> Self {
        Self {
            output: capture(&stream, "Output"),
            stream,
            options: HarnessOptions::default(),
            clock: Arc::default(),
            feeds,
            side_outputs: BTreeMap::new(),
            program: None,
            life: Life::New,
            restarts: 0,
            checkpoints: 0,
            past: Vec::new(),
        }
    }

    pub(super) fn set_options(&mut self, change: impl FnOnce(HarnessOptions) -> HarnessOptions) {
        self.options = change(self.options);
    }

    pub(super) fn capture_side_output<X: Data>(&mut self, tag: &OutputTag<X>) {
        let captured = capture(&self.stream.side_output(tag), tag.id());
        self.side_outputs.insert(tag.id().to_owned(), Box::new(captured));
    }

    /// Builds and opens the operators, which the first step does otherwise.
    ///
    /// # Errors
    /// When the piece of program is wrong or an operator fails to open.
    pub fn open(&mut self) -> Result<(), Error> {
        match &self.life {
            Life::New => self.start(None, self.options.parallelism_after(0)),
            _ => self.running().map(|_| ()),
        }
    }

    /// Lets the clock show `ms` milliseconds since the epoch, and the timers fire that are due then. It starts at 0 and
    /// does not go back.
    ///
    /// # Errors
    /// That with which the job would end, here and in all steps.
    pub fn set_processing_time(&mut self, ms: Timestamp) -> Result<(), Error> {
        let clock = Arc::clone(&self.clock);
        self.step(|| clock.set_wall_ms(ms))
    }

    /// What the clock shows, in milliseconds since the epoch.
    pub fn processing_time(&self) -> Timestamp {
        self.clock.wall_ms()
    }

    /// Closes the operators, as when the job is cancelled or, behind the end of all inputs, has finished. Nothing can be
    /// processed afterwards. A harness that is dropped closes them too, and tells no error.
    ///
    /// # Errors
    /// When an operator fails to close.
    pub fn close(&mut self) -> Result<(), Error> {
        let closed = self.retire();
        self.life = Life::Closed;
        Ok(closed.map_err(JobError::from)?)
    }

    /// The state of all operators, as a checkpoint has it.
    ///
    /// # Errors
    /// When an operator fails to tell its state.
    pub fn snapshot(&mut self) -> Result<HarnessSnapshot, Error> {
        self.open()?;
        self.checkpoints += 1;
        let id = self.checkpoints;
        let taken = self.running()?.snapshot(id);
        self.note(taken)
    }

    /// Begins a snapshot of the state as it is now, which [`Harness::drain_snapshot`] writes, as in a job, while records go on being
    /// processed. Not for harnesses that restart between steps.
    ///
    /// # Errors
    /// When an operator fails to tell its state, or a snapshot is being written already.
    pub fn begin_snapshot(&mut self) -> Result<(), Error> {
        self.open()?;
        self.checkpoints += 1;
        let id = self.checkpoints;
        let begun = self.running()?.begin_snapshot(id);
        self.note(begun)
    }

    /// Goes on with the snapshot that was begun, in each subtask as far as the budget goes; returns it once it is whole.
    ///
    /// # Errors
    /// When an operator fails to tell its state.
    pub fn drain_snapshot(&mut self, budget: SnapshotBudget) -> Result<Option<HarnessSnapshot>, Error> {
        let drained = self.running()?.drain_snapshot(budget);
        self.note(drained)
    }

    /// Closes the operators and builds them anew with this state, in `parallelism` subtasks: what happens when a job
    /// is restored, after a failure or on purpose. As there, the watermark starts anew from before all time. The clock
    /// goes on, and so does the captured output.
    ///
    /// # Errors
    /// When the state does not fit the operators, or one of them fails to open.
    pub fn restore(&mut self, snapshot: &HarnessSnapshot, parallelism: u32) -> Result<(), Error> {
        // The failure of operators that are given up is of no interest.
        let _ = self.retire();
        self.feeds.iter().for_each(|feed| feed.reset());
        self.set_options(|options| options.parallelism(parallelism));
        self.start(Some(snapshot), parallelism)
    }

    /// Closes the operators and builds them anew from a snapshot of now, in `parallelism` subtasks, as
    /// [`HarnessOptions::snapshot_at_every_step`] does it: they are told the watermark and the idleness of their inputs, so
    /// a test sees the same as without, unless state is missing from the snapshot.
    ///
    /// # Errors
    /// When the state can't be told or does not fit the operators, or one of them fails.
    pub fn rescale(&mut self, parallelism: u32) -> Result<(), Error> {
        self.open()?;
        self.set_options(|options| options.parallelism(parallelism));
        self.rebuild(parallelism)
    }

    /// Takes out all that has come out, in order.
    pub fn take_output(&mut self) -> Vec<StreamElement<O>> {
        self.output.take()
    }

    /// Takes out all that has come out and returns the records of it, with their timestamps.
    pub fn take_stamped(&mut self) -> Vec<(O, Option<Timestamp>)> {
        records(self.output.take())
    }

    /// Takes out all that has come out and returns the records of it.
    pub fn take_records(&mut self) -> Vec<O> {
        self.take_stamped().into_iter().map(|(record, _)| record).collect()
    }

    /// Takes out the records of the side output of this tag, with their timestamps. There are none unless the harness
    /// was made with it (`with_side_output`).
    pub fn take_side_output<X: Data>(&mut self, tag: &OutputTag<X>) -> Vec<(X, Option<Timestamp>)> {
        let captured = self.side_outputs.get(tag.id());
        let captured = captured.and_then(|captured| captured.downcast_ref::<Capture<X>>());
        captured.map_or_else(Vec::new, |captured| records(captured.take()))
    }

    /// `numLateRecordsDropped` of all operators together.
    pub fn late_records_dropped(&self) -> u64 {
        self.figures().late_records_dropped()
    }

    /// The user's counters, those of one name added up.
    pub fn counters(&self) -> BTreeMap<String, u64> {
        self.figures().counters()
    }

    /// Does a step: what `act` changes, and all that follows from it.
    pub(super) fn step(&mut self, act: impl FnOnce()) -> Result<(), Error> {
        self.open()?;
        if self.options.restarts() && !self.feeds.iter().all(|feed| feed.has_ended()) {
            self.restart()?;
        }
        act();
        let ran = self.running()?.run();
        self.note(ran)
    }

    fn restart(&mut self) -> Result<(), Error> {
        self.restarts += 1;
        self.rebuild(self.options.parallelism_after(self.restarts))
    }

    /// Replaces the operators by new ones with the same state.
    fn rebuild(&mut self, parallelism: u32) -> Result<(), Error> {
        let snapshot = self.snapshot()?;
        let read = reread(&snapshot);
        let snapshot = self.note(read)?;
        let closed = self.retire();
        self.note(closed)?;
        self.output.keep_only_records(true);
        self.feeds.iter().for_each(|feed| feed.replay());
        let started = self.start(Some(&snapshot), parallelism);
        self.output.keep_only_records(false);
        started
    }

    fn start(&mut self, snapshot: Option<&HarnessSnapshot>, parallelism: u32) -> Result<(), Error> {
        if self.program.is_none() {
            if let Some(backend) = self.options.backend() {
                self.stream.env.set_state_backend(backend);
            }
            self.program = Some(self.stream.env.take_program()?);
        }
        let Some((program, options)) = &self.program else { return Ok(()) };
        let mut program = program.clone();
        program.graph.defaults.parallelism = parallelism;
        program.graph.defaults.max_parallelism = Some(self.options.key_groups());
        let started = LocalTasks::start(program, Arc::clone(&self.clock), options, snapshot);
        match started {
            Ok(tasks) => {
                self.life = Life::Running(tasks);
                Ok(())
            }
            Err(JobError::Task(failure)) => self.note(Err(failure)),
            Err(other) => Err(other.into()),
        }
    }

    fn running(&mut self) -> Result<&mut LocalTasks, Error> {
        match &mut self.life {
            Life::Running(tasks) => Ok(tasks),
            Life::Failed(failure) => Err(JobError::Task(failure.clone()).into()),
            Life::New | Life::Closed => Err(JobError::Canceled { job: "test harness".to_owned() }.into()),
        }
    }

    /// Remembers a failure, which all further steps return.
    fn note<R>(&mut self, result: Result<R, TaskFailure>) -> Result<R, Error> {
        if let Err(failure) = &result {
            let _ = self.retire();
            self.life = Life::Failed(failure.clone());
        }
        Ok(result.map_err(JobError::from)?)
    }

    /// Ends what runs, and keeps its figures.
    fn retire(&mut self) -> Result<(), TaskFailure> {
        match std::mem::replace(&mut self.life, Life::New) {
            Life::Running(tasks) => {
                self.past.extend_from_slice(tasks.vertices());
                tasks.close()
            }
            Life::New | Life::Failed(_) | Life::Closed => Ok(()),
        }
    }

    fn figures(&self) -> JobResult {
        let mut vertices = self.past.clone();
        if let Life::Running(tasks) = &self.life {
            vertices.extend_from_slice(tasks.vertices());
        }
        JobResult { job_name: String::new(), net_runtime: Duration::ZERO, vertices }
    }
}

fn records<T>(elements: Vec<StreamElement<T>>) -> Vec<(T, Option<Timestamp>)> {
    let record = |element| match element {
        StreamElement::Record(record, timestamp) => Some((record, timestamp)),
        StreamElement::Watermark(_) | StreamElement::Status(_) => None,
    };
    elements.into_iter().filter_map(record).collect()
}

/// Encodes and decodes a snapshot, as if it had been stored.
fn reread(snapshot: &HarnessSnapshot) -> Result<HarnessSnapshot, TaskFailure> {
    let failed = |error: &(dyn std::error::Error + 'static)| TaskFailure {
        operator: "snapshot".to_owned(),
        subtask: None,
        parallelism: 1,
        kind: FailureKind::Error(cause_chain(error)),
    };
    let bytes = encoding::to_vec(snapshot).map_err(|error| failed(&error))?;
    encoding::decode(&bytes).map_err(|error| failed(&error))
}
