//! What is told of a job's checkpoints.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::coordinator::TaskId;
use crate::metrics::MetricValue;

/// How many completed checkpoints are remembered.
const HISTORY: usize = 10;

/// The part of one subtask in a checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubtaskCheckpoint {
    /// From the trigger of the checkpoint to the first barrier, in milliseconds.
    pub start_delay_ms: u64,
    /// From the first barrier to the last, in nanoseconds.
    pub alignment_ns: u64,
    /// How long the task stood still for its snapshot, in nanoseconds.
    pub sync_ns: u64,
    /// From then until all of its state was encoded, between batches, in nanoseconds.
    pub async_ns: u64,
    /// How many bytes it stored for this checkpoint.
    pub checkpointed_bytes: u64,
    /// How many bytes its state takes, with what earlier checkpoints have stored.
    pub state_bytes: u64,
    /// How many bytes of records it has processed between the first barrier and the last.
    pub processed_bytes: u64,
    /// How many bytes of what was in its channels it has stored, as barriers had overtaken it; 0 if none had.
    pub persisted_bytes: u64,
}

/// A checkpoint or savepoint that is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointFigures {
    /// The id.
    pub checkpoint: u64,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// From the trigger until it was complete, in milliseconds.
    pub duration_ms: u64,
    /// When it was complete, in milliseconds since the epoch.
    pub completed_ms: u64,
    /// Where it is.
    pub location: String,
    /// Its subtasks.
    pub subtasks: BTreeMap<TaskId, SubtaskCheckpoint>,
}

impl CheckpointFigures {
    /// How many bytes were stored for it.
    pub fn checkpointed_bytes(&self) -> u64 {
        self.subtasks.values().map(|subtask| subtask.checkpointed_bytes).sum()
    }

    /// How many bytes of records were processed between the first barrier of a task and its last.
    pub fn processed_bytes(&self) -> u64 {
        self.subtasks.values().map(|subtask| subtask.processed_bytes).sum()
    }

    /// How many bytes of what was in channels were stored (Flink: `persisted_data`).
    pub fn persisted_bytes(&self) -> u64 {
        self.subtasks.values().map(|subtask| subtask.persisted_bytes).sum()
    }

    /// How many bytes the state takes, with what earlier checkpoints have stored.
    pub fn state_bytes(&self) -> u64 {
        self.subtasks.values().map(|subtask| subtask.state_bytes).sum()
    }
}

/// The checkpoints and savepoints of a job (Flink: `CheckpointStatsSnapshot`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointStatistics {
    /// How many were triggered.
    pub triggered: u64,
    /// How many are complete.
    pub completed: u64,
    /// How many were given up.
    pub failed: u64,
    /// What the job was started from, or tasks were started again from, last.
    pub restored: Option<u64>,
    /// When, in milliseconds since the epoch.
    pub restored_ms: Option<u64>,
    /// Why the last one that failed was given up.
    pub last_failure: Option<String>,
    /// The newest complete ones, newest last.
    pub latest: VecDeque<CheckpointFigures>,
}

impl CheckpointStatistics {
    /// The same as metrics under Flink's names (`CheckpointStatsTracker`). Durations are in milliseconds, sizes in bytes,
    /// timestamps in milliseconds since the epoch. Savepoints count like checkpoints.
    pub fn metrics(&self) -> Vec<(&'static str, MetricValue)> {
        let number = |value: u64| MetricValue::Number(i64::try_from(value).unwrap_or(i64::MAX));
        let last = self.latest.back();
        let of_last = |value: fn(&CheckpointFigures) -> u64| {
            last.map_or(MetricValue::Number(-1), |last| number(value(last)))
        };
        let in_progress = self.triggered.saturating_sub(self.completed).saturating_sub(self.failed);
        let path = last.map_or_else(|| "n/a".to_owned(), |last| last.location.clone());
        vec![
            ("totalNumberOfCheckpoints", number(self.triggered)),
            ("numberOfInProgressCheckpoints", number(in_progress)),
            ("numberOfCompletedCheckpoints", number(self.completed)),
            ("numberOfFailedCheckpoints", number(self.failed)),
            ("lastCheckpointDuration", of_last(|last| last.duration_ms)),
            ("lastCheckpointSize", of_last(CheckpointFigures::checkpointed_bytes)),
            ("lastCheckpointFullSize", of_last(CheckpointFigures::state_bytes)),
            ("lastCheckpointCompletedTimestamp", of_last(|last| last.completed_ms)),
            ("lastCompletedCheckpointId", of_last(|last| last.checkpoint)),
            ("lastCheckpointExternalPath", MetricValue::Text(path)),
            ("lastCheckpointRestoreTimestamp", self.restored_ms.map_or(MetricValue::Number(-1), number)),
        ]
    }
}

/// Keeps the statistics.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    pub(super) told: CheckpointStatistics,
    under_way: BTreeMap<u64, UnderWay>,
}

#[derive(Debug)]
struct UnderWay {
    triggered_ms: u64,
    is_savepoint: bool,
    subtasks: BTreeMap<TaskId, SubtaskCheckpoint>,
}

impl Statistics {
    /// Tasks start from a checkpoint, or from the beginning.
    pub(super) fn restored(&mut self, checkpoint: Option<u64>, now_ms: u64) {
        self.told.restored = checkpoint;
        self.told.restored_ms = checkpoint.map(|_| now_ms);
    }

    pub(super) fn triggered(&mut self, checkpoint: u64, triggered_ms: u64, is_savepoint: bool) {
        self.told.triggered += 1;
        let subtasks = BTreeMap::new();
        self.under_way.insert(checkpoint, UnderWay { triggered_ms, is_savepoint, subtasks });
    }

    pub(super) fn stored(&mut self, checkpoint: u64, task: TaskId, figures: SubtaskCheckpoint) {
        if let Some(under_way) = self.under_way.get_mut(&checkpoint) {
            under_way.subtasks.insert(task, figures);
        }
    }

    pub(super) fn failed(&mut self, checkpoint: u64, reason: String) {
        if self.under_way.remove(&checkpoint).is_some() {
            self.told.failed += 1;
            self.told.last_failure = Some(reason);
        }
    }

    pub(super) fn completed(&mut self, checkpoint: u64, now_ms: u64, location: String) {
        let Some(UnderWay { triggered_ms, is_savepoint, subtasks }) = self.under_way.remove(&checkpoint)
        else {
            return;
        };
        self.told.completed += 1;
        let duration_ms = now_ms.saturating_sub(triggered_ms);
        let completed_ms = now_ms;
        let figures =
            CheckpointFigures { checkpoint, is_savepoint, duration_ms, completed_ms, location, subtasks };
        self.told.latest.push_back(figures);
        if self.told.latest.len() > HISTORY {
            self.told.latest.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
