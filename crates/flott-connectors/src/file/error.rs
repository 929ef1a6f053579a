//! What can go wrong with files that are read.

use std::io;

/// Why a file can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// There is no such file or directory.
    #[error(
        "there is nothing to read at '{path}': no such file or directory; check the path (it may end in a pattern such as '*.csv')"
    )]
    Missing {
        /// The path as the source has it.
        path: String,
    },
    /// The directory has no file to read, or no name matches the pattern.
    #[error(
        "there is nothing to read at '{path}': no file there, not counting names that begin with '.' or '_'; to wait for files use monitor_continuously"
    )]
    Empty {
        /// The path as the source has it.
        path: String,
    },
    /// A path that can't be put into a checkpoint.
    #[error("the path '{path}' is not valid UTF-8; rename the file or directory")]
    PathNotUtf8 {
        /// The path, with the invalid bytes replaced.
        path: String,
    },
    /// The operating system refused.
    #[error("can't {action} '{path}': {cause}")]
    Access {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: String,
        /// The system's answer.
        cause: io::Error,
    },
    /// The file isn't any more what it was when the job found it.
    #[error(
        "'{path}' has changed since the job found it ({change}); files must be complete before the job sees them: write elsewhere, then move them here"
    )]
    Changed {
        /// The file.
        path: String,
        /// Which property, before and now.
        change: String,
    },
    /// Reading failed inside the file; for gzip this includes a damaged or cut off file.
    #[error("can't read '{path}' at byte {offset}{of}: {cause}")]
    Read {
        /// The file.
        path: String,
        /// Offset in the content.
        offset: u64,
        /// " of the unpacked content" for compressed files.
        of: &'static str,
        /// What happened.
        cause: io::Error,
    },
    /// A record passes the limit.
    #[error(
        "'{path}' has a record of more than {limit} bytes at byte {offset}; is it really a file of this format?"
    )]
    RecordTooLong {
        /// The file.
        path: String,
        /// Offset in the content at which the record starts.
        offset: u64,
        /// The limit in bytes.
        limit: usize,
    },
}
