//! The requests that wait, and when the next one may be served.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::event::RequestId;
use crate::checkpoint::options::{SavepointFormat, StopMode};
use crate::checkpoint::settings::CheckpointSettings;

/// How many requests of users may wait.
const MOST_WAITING: usize = 1_000;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Request {
    Savepoint {
        request: RequestId,
        format: SavepointFormat,
        stop: Option<StopMode>,
    },
    /// `None`: the last checkpoint after the end of all input.
    Checkpoint {
        request: Option<RequestId>,
    },
    Periodic,
}

impl Request {
    pub(super) fn id(self) -> Option<RequestId> {
        match self {
            Self::Savepoint { request, .. } => Some(request),
            Self::Checkpoint { request } => request,
            Self::Periodic => None,
        }
    }
}

/// What waits: savepoints go first, then checkpoints that were asked for, then the periodic one, of which there is
/// at most one (Flink: `CheckpointRequestDecider`).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Requests {
    savepoints: VecDeque<Request>,
    checkpoints: VecDeque<Request>,
    periodic: bool,
}

/// What may be served now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Serve(Request),
    /// The periodic checkpoint is too early until then.
    TooEarly {
        until_ms: u64,
    },
    Wait,
}

impl Requests {
    /// Says whether there was room.
    pub(super) fn add(&mut self, request: Request) -> bool {
        if request != Request::Periodic && self.savepoints.len() + self.checkpoints.len() >= MOST_WAITING {
            return false;
        }
        match request {
            Request::Savepoint { .. } => self.savepoints.push_back(request),
            Request::Checkpoint { .. } => self.checkpoints.push_back(request),
            Request::Periodic => self.periodic = true,
        }
        true
    }

    /// Takes all, for they can't be served.
    pub(super) fn take_all(&mut self) -> Vec<Request> {
        self.periodic = false;
        self.savepoints.drain(..).chain(self.checkpoints.drain(..)).collect()
    }

    /// Takes what may be served while `pending` checkpoints are under way and the last has completed at
    /// `completed_ms`.
    pub(super) fn choose(
        &mut self,
        settings: &CheckpointSettings,
        pending: usize,
        now_ms: u64,
        completed_ms: Option<u64>,
    ) -> Choice {
        let busy = pending >= settings.max_concurrent as usize;
        // An aligned savepoint waits for nobody; beside unaligned checkpoints it must be alone.
        if (!busy || !settings.unaligned)
            && let Some(savepoint) = self.savepoints.pop_front()
        {
            return Choice::Serve(savepoint);
        }
        if busy || !self.savepoints.is_empty() {
            return Choice::Wait;
        }
        if let Some(checkpoint) = self.checkpoints.pop_front() {
            return Choice::Serve(checkpoint);
        }
        if !std::mem::take(&mut self.periodic) {
            return Choice::Wait;
        }
        match completed_ms.map(|completed_ms| completed_ms.saturating_add(settings.min_pause_ms)) {
            Some(until_ms) if now_ms < until_ms => Choice::TooEarly { until_ms },
            _ => Choice::Serve(Request::Periodic),
        }
    }
}
