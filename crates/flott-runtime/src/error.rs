//! What can go wrong, told in one line: what failed, in which operator and subtask, why.

use std::error::Error;
use std::fmt;

use flott_state::StateError;

/// Any error of user code, a source or a sink. `?` turns every error type into it.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// What user functions, sources and sinks return.
pub type FnResult<T = ()> = Result<T, BoxError>;

/// Marks an error of user code, a source or a sink that no new attempt can mend: the job fails with it at once, whatever its
/// restart strategy (Flink: `SuppressRestartsException`). It may be anywhere in the chain of causes.
///
/// ```
/// use flott_runtime::error::{FnResult, Unrecoverable};
///
/// fn parse(line: &str) -> FnResult<u32> {
///     line.parse().map_err(|error| Unrecoverable::new(error).into())
/// }
/// assert_eq!(parse("x").unwrap_err().to_string(), "invalid digit found in string");
/// ```
#[derive(Debug)]
pub struct Unrecoverable(BoxError);

impl Unrecoverable {
    /// Marks an error.
    pub fn new(cause: impl Into<BoxError>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for Unrecoverable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Unrecoverable {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Whether a new attempt would fail with this again: it is marked so, or the program does not fit the state that it starts
/// from.
fn comes_again(error: &(dyn Error + 'static)) -> bool {
    let of_state = |error: &StateError| error.kind().comes_again();
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<Unrecoverable>() || error.downcast_ref().is_some_and(of_state) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Why a job did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The program can't become a running job; nothing was started.
    #[error("the job can't start: {0}")]
    Graph(crate::graph::GraphError),

    /// A configuration value is unknown or invalid; nothing was started.
    #[error("the job can't start: {0}")]
    Config(flott_core::config::ConfigError),

    /// A subtask failed, and with it the job.
    #[error(transparent)]
    Task(#[from] TaskFailure),

    /// The job was cancelled.
    #[error("job '{job}' was cancelled")]
    Canceled {
        /// The job's name.
        job: String,
    },

    /// A checkpoint or savepoint that was asked for is not there.
    #[error("job '{job}': {failure}")]
    Snapshot {
        /// The job's name.
        job: String,
        /// Why not.
        failure: crate::checkpoint::coordinator::RequestFailure,
    },

    /// Checkpoints can't be stored, or what the job starts from can't be read; nothing was started.
    #[error("the job can't start: {0}")]
    Storage(flott_state::storage::StorageError),

    /// A savepoint could not be deleted.
    #[error("the savepoint was not deleted: {0}")]
    Disposal(flott_state::storage::StorageError),

    /// The operating system gave no thread or other resource for a task.
    #[error("the job can't start: {what}: {cause}")]
    Resource {
        /// What was asked for.
        what: String,
        /// The system's answer.
        cause: std::io::Error,
    },
}

// The messages above tell their causes, so the causes are not told again as sources.
impl From<crate::graph::GraphError> for JobError {
    fn from(error: crate::graph::GraphError) -> Self {
        Self::Graph(error)
    }
}

impl From<flott_core::config::ConfigError> for JobError {
    fn from(error: flott_core::config::ConfigError) -> Self {
        Self::Config(error)
    }
}

/// The failure of one subtask. [`fmt::Display`] gives the whole story in one line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TaskFailure {
    /// Name of the operator in which it happened.
    pub operator: String,
    /// The subtask's index, from 0; `None` for the split enumerator of a source, which runs once.
    pub subtask: Option<u32>,
    /// How many subtasks the operator has.
    pub parallelism: u32,
    /// What happened.
    pub kind: FailureKind,
}

/// How a subtask failed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum FailureKind {
    /// An operator, source, sink or user function returned an error; the causes from the outermost to the root.
    Error(Vec<String>),
    /// The same, of an error that a new attempt can't mend ([`Unrecoverable`]).
    Unrecoverable(Vec<String>),
    /// No single task failed, but what all of them depend on: the job's checkpoints, or its start.
    Job(String),
    /// User code panicked.
    Panic {
        /// The panic's message.
        message: String,
        /// `file:line:column` where known.
        location: Option<String>,
    },
}

impl FailureKind {
    /// The kind of an error.
    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        let causes = cause_chain(error);
        if comes_again(error) { Self::Unrecoverable(causes) } else { Self::Error(causes) }
    }
}

impl fmt::Display for TaskFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let FailureKind::Job(problem) = &self.kind {
            return write!(f, "the job failed: {problem}");
        }
        match self.subtask {
            Some(subtask) => {
                let subtask = u64::from(subtask) + 1;
                write!(f, "operator '{}' (subtask {subtask}/{}) ", self.operator, self.parallelism)?;
            }
            None => write!(f, "source '{}' (split enumerator) ", self.operator)?,
        }
        match &self.kind {
            FailureKind::Error(causes) | FailureKind::Unrecoverable(causes) => {
                write!(f, "failed: {}", causes.join(": "))
            }
            FailureKind::Panic { message, location: Some(at) } => write!(f, "panicked at {at}: {message}"),
            FailureKind::Panic { message, location: None } => write!(f, "panicked: {message}"),
            FailureKind::Job(problem) => write!(f, "failed: {problem}"),
        }
    }
}

impl Error for TaskFailure {}

/// The messages of an error and its sources, outermost first, each on one line. A cause that its effect's
/// message already repeats is left out.
pub fn cause_chain(error: &(dyn Error + 'static)) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let message = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
        if !causes.last().is_some_and(|last| last.contains(&message)) {
            causes.push(message);
        }
        next = error.source();
    }
    causes
}

/// Why a batch could not be pushed through the rest of a chain.
#[derive(Debug)]
pub enum ChainError {
    /// The operator of this name failed.
    Failed {
        /// The operator's name.
        operator: String,
        /// Its error.
        cause: BoxError,
    },
    /// The task was cancelled while it waited.
    Canceled,
}

/// What the pushes through a chain return.
pub type ChainResult<T = ()> = Result<T, ChainError>;
