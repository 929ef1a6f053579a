//! What the API returns when a program can't be run.

use std::path::PathBuf;

use flott_core::config::ConfigError;
use flott_runtime::error::JobError;
use flott_runtime::graph::GraphError;
use flott_state::StateError;

/// Why a program did not run to its end. The message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is unknown or invalid.
    #[error(transparent)]
    Config(#[from] ConfigError),

    /// The configuration file can't be read.
    #[error("can't read the configuration file {}: {cause}", path.display())]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        cause: std::io::Error,
    },

    /// The state backend is unknown.
    #[error(transparent)]
    State(#[from] StateError),

    /// The job could not start, has failed, or was cancelled.
    #[error(transparent)]
    Job(#[from] JobError),
}

impl From<GraphError> for Error {
    fn from(error: GraphError) -> Self {
        Self::Job(error.into())
    }
}
