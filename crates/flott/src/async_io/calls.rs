//! The records under way, and when something is due for them.

use std::collections::{BTreeMap, BTreeSet};

use flott_core::time::Timestamp;
use tokio::task::AbortHandle;

/// A record whose results have not left yet.
pub(super) struct Call<I> {
    pub(super) record: I,
    pub(super) timestamp: Timestamp,
    /// Its segment of the output.
    pub(super) segment: u64,
    /// The present attempt, from 1; 0 before the first.
    pub(super) attempt: u32,
    state: State,
    deadline: Option<Timestamp>,
}

enum State {
    /// The attempt runs.
    Running(Option<AbortHandle>),
    /// The next attempt starts then.
    Waiting(Timestamp),
    /// There are results, but they may not leave yet.
    Done,
}

/// What is to be done for a record. Of one time, its end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    TimeOut(u64),
    Retry(u64),
}

/// The records under way by their place in the input.
pub(super) struct Calls<I> {
    by_id: BTreeMap<u64, Call<I>>,
    due: BTreeSet<(Timestamp, Due)>,
    next_id: u64,
}

impl<I> Calls<I> {
    pub(super) fn new() -> Self {
        Self { by_id: BTreeMap::new(), due: BTreeSet::new(), next_id: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// In the order of the input.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Call<I>> {
        self.by_id.values()
    }

    /// Takes a record in; it times out at `deadline`.
    pub(super) fn add(
        &mut self,
        record: I,
        timestamp: Timestamp,
        segment: u64,
        deadline: Option<Timestamp>,
    ) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        self.due.extend(deadline.map(|deadline| (deadline, Due::TimeOut(id))));
        let state = State::Running(None);
        self.by_id.insert(id, Call { record, timestamp, segment, attempt: 0, state, deadline });
        id
    }

    /// The next attempt for this record begins.
    pub(super) fn begin(&mut self, id: u64) -> Option<&mut Call<I>> {
        let call = self.by_id.get_mut(&id)?;
        if let State::Waiting(until) = call.state {
            self.due.remove(&(until, Due::Retry(id)));
        }
        call.attempt += 1;
        call.state = State::Running(None);
        Some(call)
    }

    /// The record whose attempt this is, unless it is past.
    pub(super) fn running(&self, id: u64, attempt: u32) -> Option<&Call<I>> {
        let runs = |call: &&Call<I>| call.attempt == attempt && matches!(call.state, State::Running(_));
        self.by_id.get(&id).filter(runs)
    }

    /// The next attempt for this record starts at `until`.
    pub(super) fn wait(&mut self, id: u64, until: Timestamp) {
        if let Some(call) = self.by_id.get_mut(&id) {
            call.state = State::Waiting(until);
            self.due.insert((until, Due::Retry(id)));
        }
    }

    /// There are results for this record: nothing is due for it any more, and an attempt that still runs is ended.
    pub(super) fn finish(&mut self, id: u64) -> Option<&Call<I>> {
        let call = self.by_id.get_mut(&id)?;
        match std::mem::replace(&mut call.state, State::Done) {
            State::Running(attempt) => attempt.iter().for_each(AbortHandle::abort),
            State::Waiting(until) => drop(self.due.remove(&(until, Due::Retry(id)))),
            State::Done => {}
        }
        if let Some(deadline) = call.deadline {
            self.due.remove(&(deadline, Due::TimeOut(id)));
        }
        Some(call)
    }

    /// The results of this record have left.
    pub(super) fn remove(&mut self, id: u64) {
        self.by_id.remove(&id);
    }

    /// What is due at `now`. The caller does it, so that it is due no longer.
    pub(super) fn due(&self, now: Timestamp) -> Option<Due> {
        self.due.first().filter(|(time, _)| *time <= now).map(|(_, due)| *due)
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.due.first().map(|(time, _)| *time)
    }

    /// The records that wait for their next attempt.
    pub(super) fn waiting(&self) -> Vec<u64> {
        let waits = |call: &Call<I>| matches!(call.state, State::Waiting(_));
        self.by_id.iter().filter(|(_, call)| waits(call)).map(|(id, _)| *id).collect()
    }

    /// Ends all attempts.
    pub(super) fn abort(&mut self) {
        for call in std::mem::take(&mut self.by_id).into_values() {
            if let State::Running(Some(attempt)) = call.state {
                attempt.abort();
            }
        }
        self.due.clear();
    }
}

impl<I> Call<I> {
    /// The attempt runs, and can be ended with `handle`.
    pub(super) fn runs(&mut self, handle: AbortHandle) {
        self.state = State::Running(Some(handle));
    }
}
