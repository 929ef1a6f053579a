//! What can go wrong with storage.

use std::fmt;

use flott_core::encoding::EncodeError;

use crate::StateError;
use crate::format::Damage;

/// An error of checkpoint storage. Places are spelled as URLs.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// Something was to be created that is there.
    #[error("{place} exists already; nothing that is stored is ever replaced")]
    AlreadyExists {
        /// What exists.
        place: String,
    },

    /// Something is not there.
    #[error("there is no {place}{}", Near(.near))]
    NotFound {
        /// What was looked for.
        place: String,
        /// The names that are there instead, the most similar ones first.
        near: Vec<String>,
    },

    /// The store refused or failed.
    #[error("cannot {action} {place}: {reason}")]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// With what.
        place: String,
        /// What the store said.
        reason: String,
    },

    /// No store can be found for a URL.
    #[error("cannot open the storage '{url}': {reason}")]
    BadUrl {
        /// The URL.
        url: String,
        /// What is wrong with it.
        reason: String,
    },

    /// A path that no blob can have.
    #[error(
        "'{path}' is not the path of a blob: it takes names separated by single slashes, none of them '.' or '..'"
    )]
    BadPath {
        /// The path.
        path: String,
    },

    /// What is stored is not what was written.
    #[error("{place} is damaged: {damage}")]
    Damaged {
        /// The file, or whose inline state.
        place: String,
        /// What is wrong.
        damage: Damage,
    },

    /// State is more than the storage takes.
    #[error(
        "the state of {subtask} takes {size} bytes or more, above the {largest} that fit into the memory of the coordinator; \
         set execution.checkpointing.dir, so that state is stored in files"
    )]
    TooLarge {
        /// Whose state it is.
        subtask: String,
        /// How many bytes there are so far.
        size: u64,
        /// How many there may be.
        largest: u64,
    },

    /// A checkpoint is built on one that was not kept.
    #[error(
        "checkpoint {checkpoint} refers to {file}, which was not kept when it began and may be deleted; take a full one"
    )]
    LostBase {
        /// The checkpoint.
        checkpoint: u64,
        /// The file, from the directory of the job.
        file: String,
    },

    /// A checkpoint holds what has changed since one of which nothing is known.
    #[error(
        "checkpoint {checkpoint} is built on checkpoint {base}, of which nothing is known; take a full one"
    )]
    UnknownBase {
        /// The checkpoint.
        checkpoint: u64,
        /// What it is built on.
        base: u64,
    },

    /// Something can't be encoded.
    #[error("cannot write {place}: {error}")]
    Encode {
        /// What was to be written.
        place: String,
        /// What is wrong.
        error: EncodeError,
    },

    /// State is restored into something that doesn't take it.
    #[error("{place}: {error}")]
    State {
        /// The file, or whose inline state.
        place: String,
        /// What is wrong.
        error: StateError,
    },
}

struct Near<'a>(&'a [String]);

impl fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            names => write!(f, "; there is {}", names.join(", ")),
        }
    }
}
