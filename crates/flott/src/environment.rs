//! Where a program starts: the environment collects it, configures it and runs it.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flott_core::config::{
    BufferTimeout, ConfigOption, ConfigValue, Configuration, MaxParallelism, Origin, keys,
};
use flott_core::watermark::WatermarkStrategy;
use flott_core::{Data, seam::Clock};
use flott_runtime::checkpoint::restart::RestartStrategy;
use flott_runtime::error::JobError;
use flott_runtime::graph::{GraphDefaults, NodeKind, StreamGraph};
use flott_runtime::job::{JobHandle, JobResult, LaunchOptions, launch};
use flott_runtime::program::{Program, source_factory};
use flott_runtime::seam;
use flott_runtime::source::Source;
use flott_state::StateBackend;

use crate::backends;
use crate::builder::{NewNode, ProgramBuilder};
use crate::error::Error;
use crate::options::JobOptions;
use crate::snapshots;
use crate::source::{GeneratorSource, IteratorSource};
use crate::stream::DataStream;
use crate::terminal;

/// The name of a job that was given none.
const DEFAULT_JOB_NAME: &str = "flott job";

/// Collects a program, configures it and runs it (Flink: `StreamExecutionEnvironment`).
///
/// A setting comes from the code, else from the command line (`-D key=value`), else from the configuration file
/// (`--config`), else from its default. Nothing runs before [`StreamExecutionEnvironment::execute`]. Cloning gives
/// another handle to the same environment.
#[derive(Clone)]
pub struct StreamExecutionEnvironment {
    pub(crate) builder: Rc<RefCell<ProgramBuilder>>,
}

impl Default for StreamExecutionEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

impl StreamExecutionEnvironment {
    /// An environment with default settings: the whole engine in this process, as parallel as it has cores.
    pub fn new() -> Self {
        Self::with_configuration(Configuration::new())
    }

    /// An environment with these settings, of which code may still set more.
    pub fn with_configuration(configuration: Configuration) -> Self {
        Self { builder: Rc::new(RefCell::new(ProgramBuilder::new(configuration))) }
    }

    /// An environment with the settings of the command line; also starts logging unless the program has done so.
    ///
    /// # Errors
    /// When a key is unknown, a value is invalid or the configuration file can't be read.
    pub fn from_options(options: &JobOptions) -> Result<Self, Error> {
        let env = Self::with_configuration(options.configuration()?);
        if !options.quiet {
            terminal::start_logging();
            for warning in env.builder.borrow().configuration.warnings() {
                tracing::warn!("{warning}");
            }
        }
        env.builder.borrow_mut().quiet = options.quiet;
        Ok(env)
    }

    /// Reads a configuration file: YAML with Flink's keys. Code and command line win over it.
    ///
    /// # Errors
    /// When the file can't be read, or holds an unknown key or an invalid value.
    pub fn load_config_file(&self, path: impl AsRef<Path>) -> Result<&Self, Error> {
        crate::options::load_file(&mut self.builder.borrow_mut().configuration, path.as_ref())?;
        Ok(self)
    }

    /// Sets any option. An invalid value is reported by [`StreamExecutionEnvironment::execute`].
    pub fn set<T: ConfigValue>(&self, option: &ConfigOption<T>, value: T) -> &Self {
        self.builder.borrow_mut().set(option, value);
        self
    }

    /// Default parallelism of all operators; without it, the number of cores.
    pub fn set_parallelism(&self, parallelism: u32) -> &Self {
        self.set(&keys::PARALLELISM, parallelism)
    }

    /// Default number of key groups of all operators, at most 32,768; without it, derived from the parallelism.
    pub fn set_max_parallelism(&self, max_parallelism: u32) -> &Self {
        self.set(&keys::MAX_PARALLELISM, MaxParallelism::Fixed(max_parallelism))
    }

    /// Runs every operator in a task of its own.
    pub fn disable_operator_chaining(&self) -> &Self {
        self.set(&keys::OPERATOR_CHAINING, false)
    }

    /// How long a partial batch may wait while its task has more to read (default 100 ms). When there is nothing more
    /// to read it leaves at once.
    pub fn set_buffer_timeout(&self, timeout: BufferTimeout) -> &Self {
        self.set(&keys::BUFFER_TIMEOUT, timeout)
    }

    /// How often watermark generators are asked (default 200 ms; zero: never).
    pub fn set_auto_watermark_interval(&self, interval: Duration) -> &Self {
        self.set(&keys::AUTO_WATERMARK_INTERVAL, interval)
    }

    /// The job's name.
    pub fn set_name(&self, name: impl Into<String>) -> &Self {
        self.set(&keys::PIPELINE_NAME, name.into())
    }

    /// Takes a checkpoint every so often (Flink: `enableCheckpointing`). From then on a job that fails starts again from the
    /// latest one, unless its restart strategy says otherwise. Off by default.
    pub fn enable_checkpointing(&self, interval: Duration) -> &Self {
        self.set(&keys::CHECKPOINTING_INTERVAL, interval)
    }

    /// Lets the barriers of checkpoints overtake records, which become part of the checkpoint, so that it takes no longer
    /// when records wait for a slow operator (Flink: `CheckpointConfig.enableUnalignedCheckpoints`). Off by default. Savepoints
    /// are aligned all the same.
    pub fn enable_unaligned_checkpoints(&self) -> &Self {
        self.set(&keys::UNALIGNED_CHECKPOINTS, true)
    }

    /// How long an unaligned checkpoint tries to be an aligned one, which is smaller (Flink:
    /// `CheckpointConfig.setAlignedCheckpointTimeout`). Zero by default: it doesn't.
    pub fn set_aligned_checkpoint_timeout(&self, timeout: Duration) -> &Self {
        self.set(&keys::ALIGNED_CHECKPOINT_TIMEOUT, timeout)
    }

    /// Keeps keyed state on the backend of this name: `hashmap`, in memory (the default), `rocksdb`, on disk, with the feature of this name, or one
    /// that was [registered](Self::register_state_backend).
    pub fn set_state_backend(&self, name: impl Into<String>) -> &Self {
        self.set(&keys::STATE_BACKEND, name.into())
    }

    /// Makes a further state backend known, to be chosen by its name.
    pub fn register_state_backend(&self, backend: Arc<dyn StateBackend>) -> &Self {
        self.builder.borrow_mut().register_backend(backend);
        self
    }

    /// Replaces the clock, for tests.
    pub fn set_clock(&self, clock: Arc<dyn Clock>) -> &Self {
        self.builder.borrow_mut().clock = Some(clock);
        self
    }

    /// Shows nothing on the terminal while the job runs.
    pub fn set_quiet(&self, quiet: bool) -> &Self {
        self.builder.borrow_mut().quiet = quiet;
        self
    }

    /// Reads a source.
    pub fn from_source<S: Source>(
        &self,
        source: S,
        watermarks: WatermarkStrategy<S::Out>,
        name: &str,
    ) -> DataStream<S::Out> {
        self.add_source(source, watermarks, name, false)
    }

    /// A bounded stream of these elements, from one subtask.
    pub fn from_elements<T: Data + Sync>(&self, elements: impl IntoIterator<Item = T>) -> DataStream<T> {
        let elements: Arc<Vec<T>> = Arc::new(elements.into_iter().collect());
        let source = IteratorSource::new(move || {
            let elements = Arc::clone(&elements);
            (0..elements.len()).map(move |index| elements[index].clone())
        });
        self.add_source(source, WatermarkStrategy::no_watermarks(), "Collection Source", true)
    }

    /// A stream of what an iterator yields, from one subtask. `make` creates it, again whenever the job is restarted;
    /// it must then yield the same.
    pub fn from_iterator<T, I, F>(&self, make: F) -> DataStream<T>
    where
        T: Data,
        I: Iterator<Item = T> + 'static,
        F: Fn() -> I + Send + Sync + 'static,
    {
        let source = IteratorSource::new(make);
        self.add_source(source, WatermarkStrategy::no_watermarks(), "Iterator Source", true)
    }

    /// A bounded stream of the numbers from `first` to `last`, both included, in parallel.
    pub fn from_sequence(&self, first: i64, last: i64) -> DataStream<i64> {
        let count = if first > last { 0 } else { last.abs_diff(first).saturating_add(1) };
        let source = GeneratorSource::new(count, move |index| first.wrapping_add_unsigned(index));
        self.add_source(source, WatermarkStrategy::no_watermarks(), "Sequence Source", false)
    }

    fn add_source<S: Source>(
        &self,
        source: S,
        watermarks: WatermarkStrategy<S::Out>,
        name: &str,
        non_parallel: bool,
    ) -> DataStream<S::Out> {
        let mut builder = self.builder.borrow_mut();
        if let Err(error) = watermarks.validate() {
            builder.invalid(name, error.to_string());
        }
        let node = NewNode { kind: NodeKind::Source, name: name.to_owned(), non_parallel };
        let id = builder.add_node(node, source_factory(source, watermarks));
        DataStream::new(self.clone(), builder.at(id))
    }

    /// Runs the program and waits for its end. The environment is empty afterwards. With a savepoint directory SIGTERM and
    /// Ctrl-C stop the job with a savepoint.
    ///
    /// # Errors
    /// When the program or a setting is wrong, or the job fails or is cancelled.
    pub fn execute(&self) -> Result<JobResult, Error> {
        // The terminal is refreshed in real time only.
        let quiet = self.builder.borrow().quiet || seam::is_simulated();
        let has_savepoints = snapshots::has_savepoint_directory(&self.builder.borrow().configuration)?;
        let handle = self.execute_async()?;
        #[cfg(unix)]
        let _stops = (has_savepoints && !seam::is_simulated())
            .then(|| crate::signals::StopOnSignal::of(&handle))
            .transpose()
            .map_err(|cause| JobError::Resource { what: "the handling of signals".to_owned(), cause })?;
        terminal::follow(&handle, quiet).map_err(Error::from)
    }

    /// Starts the program and returns a handle to the running job. The environment is empty afterwards.
    ///
    /// # Errors
    /// When the program or a setting is wrong.
    pub fn execute_async(&self) -> Result<JobHandle, Error> {
        let (program, options) = self.take_program()?;
        Ok(launch(program, options)?)
    }

    /// The program as collected so far, as plain data, for looking at it.
    ///
    /// # Errors
    /// When a setting is wrong.
    pub fn stream_graph(&self) -> Result<StreamGraph, Error> {
        let builder = self.builder.borrow();
        builder.check()?;
        Ok(builder.graph(defaults(&builder.configuration)?))
    }

    /// The program and its settings. The environment is empty afterwards.
    pub(crate) fn take_program(&self) -> Result<(Program, LaunchOptions), Error> {
        let mut builder = self.builder.borrow_mut();
        if let Err(mistake) = builder.check() {
            builder.forget();
            return Err(mistake);
        }
        let configuration = &builder.configuration;
        let checkpointing = snapshots::checkpointing(configuration)?;
        let (job, restore) = snapshots::restore(configuration)?;
        let name = configuration.get_optional(&keys::PIPELINE_NAME)?;
        let options = LaunchOptions {
            clock: builder.clock.clone().unwrap_or_else(seam::clock),
            backend: backends::chosen(&builder.backends, configuration)?,
            buffer_timeout: match configuration.get(&keys::BUFFER_TIMEOUT)? {
                BufferTimeout::EachRecord => Some(Duration::ZERO),
                BufferTimeout::After(timeout) => Some(timeout),
                BufferTimeout::WhenFull => None,
            },
            auto_watermark_interval: configuration.get(&keys::AUTO_WATERMARK_INTERVAL)?,
            allow_unaligned_source_splits: configuration.get(&keys::ALLOW_UNALIGNED_SOURCE_SPLITS)?,
            restart_strategy: RestartStrategy::from_config(
                configuration,
                checkpointing.interval_ms.is_some(),
            )
            .map_err(snapshots::settings_error)?,
            failover_strategy: configuration.get(&keys::FAILOVER_STRATEGY)?,
            checkpointing,
            job,
            storage: snapshots::snapshot_storage(configuration)?,
            restore,
        };
        let defaults = defaults(configuration)?;
        let name = name.unwrap_or_else(|| DEFAULT_JOB_NAME.to_owned());
        Ok((builder.take(name, defaults), options))
    }
}

fn defaults(configuration: &Configuration) -> Result<GraphDefaults, Error> {
    let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get() as u32);
    Ok(GraphDefaults {
        parallelism: match configuration.origin(&keys::PARALLELISM) {
            Origin::Default => cores(),
            _ => configuration.get(&keys::PARALLELISM)?,
        },
        max_parallelism: match configuration.get(&keys::MAX_PARALLELISM)? {
            MaxParallelism::Derived => None,
            MaxParallelism::Fixed(max_parallelism) => Some(max_parallelism),
        },
        chaining: configuration.get(&keys::OPERATOR_CHAINING)?,
        inline_exchanges: configuration.get(&keys::INLINE_EXCHANGES)?,
    })
}
