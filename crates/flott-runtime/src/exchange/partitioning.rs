//! To which subtasks an upstream subtask sends, and by what rule.

use std::sync::Arc;

use flott_core::encoding::EncodeError;
use serde::{Deserialize, Serialize};

/// How records are spread over the subtasks downstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Partitioning {
    /// To the subtask of the same index; both sides have the same parallelism. The only one that is chained.
    Forward,
    /// In turn to all subtasks, starting at a different one in each upstream subtask.
    Rebalance,
    /// To a random subtask, uniformly.
    Shuffle,
    /// In turn to a local group of subtasks.
    Rescale,
    /// To every subtask.
    Broadcast,
    /// To subtask 0.
    Global,
    /// To the subtask that owns the key group of the record's key.
    Hash,
    /// To the subtask that the user's function names.
    Custom,
}

impl Partitioning {
    /// The downstream subtasks that upstream subtask `from` sends to.
    pub fn targets(self, from: u32, upstream: u32, downstream: u32) -> Vec<u32> {
        match self {
            Self::Forward => vec![from],
            Self::Global => vec![0],
            Self::Rescale if downstream >= upstream => {
                let start = (from * downstream).div_ceil(upstream);
                let end = ((from + 1) * downstream).div_ceil(upstream);
                (start..end).collect()
            }
            // Downstream subtask i reads upstream i·up/down until (i+1)·up/down.
            Self::Rescale => {
                (0..downstream).filter(|i| (i + 1) * upstream / downstream > from).take(1).collect()
            }
            Self::Rebalance | Self::Shuffle | Self::Broadcast | Self::Hash | Self::Custom => {
                (0..downstream).collect()
            }
        }
    }
}

impl std::fmt::Display for Partitioning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Forward => "FORWARD",
            Self::Rebalance => "REBALANCE",
            Self::Shuffle => "SHUFFLE",
            Self::Rescale => "RESCALE",
            Self::Broadcast => "BROADCAST",
            Self::Global => "GLOBAL",
            Self::Hash => "HASH",
            Self::Custom => "CUSTOM",
        })
    }
}

/// Names a subtask for a record: gets the record and the number of subtasks.
pub type CustomPartitioner<T> = dyn Fn(&T, u32) -> u32 + Send + Sync;

/// Where the keys of records come from: extraction and hashing of a whole batch in one call.
pub trait KeyHasher<T>: Send + Sync {
    /// Replaces `hashes` by the routing hash of each record's key.
    ///
    /// # Errors
    /// When a key can't be encoded.
    fn hash(&self, records: &[T], hashes: &mut Vec<u64>) -> Result<(), EncodeError>;
}

/// The part of a partitioning that only the program has: the user's functions.
pub enum Partitioner<T> {
    /// Nothing but the rule.
    Plain,
    /// The key selector of a [`Partitioning::Hash`].
    Hash(Arc<dyn KeyHasher<T>>),
    /// The function of a [`Partitioning::Custom`].
    Custom(Arc<CustomPartitioner<T>>),
}

impl<T> Clone for Partitioner<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Plain => Self::Plain,
            Self::Hash(hasher) => Self::Hash(Arc::clone(hasher)),
            Self::Custom(function) => Self::Custom(Arc::clone(function)),
        }
    }
}
