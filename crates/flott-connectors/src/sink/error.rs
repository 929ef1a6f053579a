//! What can go wrong with files that are written.

use std::io;
use std::path::Path;

/// Why a part can't be written or committed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileSinkError {
    /// The operating system refused.
    #[error("the file sink can't {action} '{path}': {cause}")]
    Access {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: String,
        /// The system's answer.
        cause: io::Error,
    },
    /// The directory's path can't be put into a checkpoint.
    #[error("the file sink's path '{path}' is not valid UTF-8; choose another directory")]
    PathNotUtf8 {
        /// The path, with the invalid bytes replaced.
        path: String,
    },
    /// Neither the hidden nor the finished file of a part is there.
    #[error("part '{target}' can't be committed: '{in_progress}' is missing; was it deleted or moved?")]
    Missing {
        /// The hidden file.
        in_progress: String,
        /// The finished file.
        target: String,
    },
    /// The hidden file is shorter than what was written to it.
    #[error(
        "part '{target}' can't be committed: '{in_progress}' holds {found} bytes where {expected} were written"
    )]
    TooShort {
        /// The hidden file.
        in_progress: String,
        /// The finished file.
        target: String,
        /// Its bytes now.
        found: u64,
        /// The bytes that were written.
        expected: u64,
    },
    /// A file of another origin has the part's name.
    #[error("part '{target}' can't be committed: there is another file of that name; move it away")]
    Occupied {
        /// The finished file.
        target: String,
    },
}

impl FileSinkError {
    /// Makes an error of the system's answer to `action` on `path`.
    pub(super) fn access(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Access { action, path: path.as_ref().display().to_string(), cause }
    }
}
