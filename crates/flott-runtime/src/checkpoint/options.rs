//! What a checkpoint is: the part of it that travels with its barrier.

use flott_core::config::CheckpointingMode;
use serde::{Deserialize, Serialize};

use super::settings::CheckpointSettings;

/// Marks a point in a stream: what is before it belongs to the checkpoint (Flink: `CheckpointBarrier`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barrier {
    /// The checkpoint. Ids begin at 1 and only increase.
    pub checkpoint: u64,
    /// When the coordinator has triggered it.
    pub timestamp_ms: u64,
    /// How it is taken.
    pub options: CheckpointOptions,
}

impl Barrier {
    /// The barrier of an aligned checkpoint, for those who take snapshots without a coordinator.
    pub fn aligned(checkpoint: u64) -> Self {
        let kind = SnapshotKind::Checkpoint { base: None };
        Self {
            checkpoint,
            timestamp_ms: 0,
            options: CheckpointOptions { kind, alignment: Alignment::Aligned },
        }
    }
}

/// How a checkpoint is taken (Flink: `CheckpointOptions`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointOptions {
    /// Checkpoint or savepoint.
    pub kind: SnapshotKind,
    /// What happens between the first and the last barrier.
    pub alignment: Alignment,
}

/// What a snapshot is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SnapshotKind {
    /// For recovery.
    Checkpoint {
        /// The complete checkpoint whose files it may refer to: the latest, if that belongs to the job.
        base: Option<u64>,
    },
    /// For the user.
    Savepoint {
        /// How state is written.
        format: SavepointFormat,
        /// Whether the job stops with it.
        stop: Option<StopMode>,
    },
}

impl SnapshotKind {
    /// Whether it is a savepoint.
    pub fn is_savepoint(&self) -> bool {
        matches!(self, Self::Savepoint { .. })
    }

    /// The checkpoint whose files it may refer to.
    pub fn base(&self) -> Option<u64> {
        match self {
            Self::Checkpoint { base } => *base,
            Self::Savepoint { .. } => None,
        }
    }

    /// How the job stops with it, if it does.
    pub fn stop(&self) -> Option<StopMode> {
        match self {
            Self::Checkpoint { .. } => None,
            Self::Savepoint { stop, .. } => *stop,
        }
    }
}

/// How state is written in a savepoint (Flink: `SavepointFormatType`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SavepointFormat {
    /// In the one form that every backend reads.
    #[default]
    Canonical,
    /// In the form of the backend.
    Native,
}

/// How a job stops with a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StopMode {
    /// It will be resumed: no window or timer fires for the stop.
    Suspend,
    /// It will not be resumed: event time goes to its end first, so that every window and timer fires (Flink:
    /// `--drain`).
    Drain,
}

/// What happens between the first and the last barrier of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Alignment {
    /// Nothing waits; what comes behind an early barrier is counted, and is replayed all the same.
    AtLeastOnce,
    /// A channel waits behind its barrier for the others.
    Aligned,
    /// As [`Alignment::Aligned`], and after so many milliseconds as [`Alignment::Unaligned`].
    AlignedWithTimeout {
        /// Time since the checkpoint was triggered.
        timeout_ms: u64,
    },
    /// The first barrier overtakes what lies before it; what it has overtaken becomes part of the checkpoint.
    Unaligned,
}

impl Alignment {
    /// The alignment of a snapshot. A savepoint is never unaligned.
    pub fn of(settings: &CheckpointSettings, kind: &SnapshotKind) -> Self {
        match settings.mode {
            CheckpointingMode::AtLeastOnce => Self::AtLeastOnce,
            CheckpointingMode::ExactlyOnce if !settings.unaligned || kind.is_savepoint() => Self::Aligned,
            CheckpointingMode::ExactlyOnce if settings.aligned_timeout_ms == 0 => Self::Unaligned,
            CheckpointingMode::ExactlyOnce => {
                Self::AlignedWithTimeout { timeout_ms: settings.aligned_timeout_ms }
            }
        }
    }
}
