//! Snapshots of timers: frozen at an instant, written while timers come and go.
//!
//! Timers have no versions. Instead a snapshot shares the chunks that the buckets are made of, in which the queue changes nothing
//! without making a copy first; and the set of deleted timers remembers what was in it.

use std::sync::Arc;

use flott_core::{
    Key,
    encoding::{EncodeError, encode},
    key_group::key_place,
    time::TimeDomain,
};

use super::{
    Timer, TimerQueue,
    bucket::Chunks,
    deleted::Deleted,
    restore::{kind, timers_name},
};
use crate::{
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{GroupEntries, KeyedStateMeta, SnapshotBudget, SnapshotSink},
    state_store::PIECE_BYTES,
};

/// How many timers that were not in a bucket are put into one chunk.
const CHUNK: usize = 1024;

/// A snapshot that has begun.
pub(super) struct Frozen<K, N> {
    meta: KeyedStateMeta,
    max_parallelism: u32,
    /// What is still to be written.
    buckets: Vec<Chunks<K, N>>,
    /// How many chunks of the last bucket are written.
    chunk: usize,
    /// For each key group, what was written and the sink has not got yet.
    written: Vec<GroupEntries>,
    /// When all is written: key groups before this one have been handed on.
    group: usize,
    /// What the sink calls the timers, once it knows them.
    number: Option<u32>,
}

impl<K: Key, N: Namespace> TimerQueue<K, N> {
    /// Begins a snapshot of all timers as they are now, to be written by [`drain_snapshot`](Self::drain_snapshot) as that of a keyed
    /// state. They come back by [`KeyedState::restore_timers`](crate::KeyedState::restore_timers) with the same name and domain.
    ///
    /// Takes time in proportion to the number of different times, more or less; timers that are due and have not fired are copied one by one.
    ///
    /// # Errors
    /// When the snapshot begun before is not finished; that one is not touched.
    pub fn begin_snapshot(
        &mut self,
        name: &str,
        domain: TimeDomain,
        max_parallelism: u32,
    ) -> Result<(), StateError> {
        if self.frozen.is_some() {
            return Err(StateErrorKind::SnapshotInProgress.into());
        }
        self.deleted.freeze()?;
        let mut buckets = self.wheel.freeze();
        let others: Vec<_> = self.due.iter().chain(self.late.values().flatten()).cloned().collect();
        buckets.push(Arc::new(others.chunks(CHUNK).map(|chunk| Arc::new(chunk.to_vec())).collect()));
        let (name, kind, types) = (timers_name(name, domain), kind(domain), Self::types());
        let meta = KeyedStateMeta { name, kind, ttl: false, types };
        let written = vec![GroupEntries::default(); max_parallelism as usize];
        self.frozen =
            Some(Frozen { meta, max_parallelism, buckets, chunk: 0, written, group: 0, number: None });
        Ok(())
    }

    /// Goes on with the snapshot until the budget is spent; `true` when all is written, and when there is no snapshot. A
    /// snapshot gets the same `sink` each time, and none if there are no timers. A timer that was registered several times may be written
    /// several times.
    ///
    /// # Errors
    /// When a key or namespace can't be encoded, or the sink fails. The snapshot is then given up.
    pub fn drain_snapshot(
        &mut self,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let Some(mut frozen) = self.frozen.take() else { return Ok(true) };
        let result = frozen.drain(&self.deleted, budget, sink);
        if let Ok(false) = result {
            self.frozen = Some(frozen);
        } else {
            self.deleted.thaw();
        }
        result
    }

    /// Gives the snapshot up, if there is one.
    pub fn abort_snapshot(&mut self) {
        if self.frozen.take().is_some() {
            self.deleted.thaw();
        }
    }
}

impl<K: Key, N: Namespace> Frozen<K, N> {
    fn drain(
        &mut self,
        deleted: &Deleted<K, N>,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        while let Some(bucket) = self.buckets.last() {
            if budget.is_spent() {
                return Ok(false);
            }
            match bucket.get(self.chunk).cloned() {
                Some(chunk) => {
                    self.chunk += 1;
                    self.write(&chunk, deleted, budget, sink)?;
                }
                None => {
                    self.buckets.pop();
                    self.chunk = 0;
                }
            }
        }
        while self.group < self.written.len() {
            if budget.is_spent() {
                return Ok(false);
            }
            self.hand_on(self.group, budget, sink)?;
            self.group += 1;
        }
        Ok(true)
    }

    fn write(
        &mut self,
        timers: &[Timer<K, N>],
        deleted: &Deleted<K, N>,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<(), StateError> {
        budget.spend(timers.len(), 0);
        for timer in timers.iter().filter(|timer| !deleted.was_deleted(timer)) {
            let group = key_place(timer.hash, self.max_parallelism).group as usize;
            let entries = &mut self.written[group];
            if let Err(error) = append(timer, entries) {
                let (name, kind, reason) = (self.meta.name.clone(), self.meta.kind, error.to_string());
                return Err(StateErrorKind::CannotSnapshot { name, kind, reason }.into());
            }
            if entries.bytes.len() >= PIECE_BYTES {
                self.hand_on(group, budget, sink)?;
            }
        }
        Ok(())
    }

    fn hand_on(
        &mut self,
        group: usize,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<(), StateError> {
        let entries = std::mem::take(&mut self.written[group]);
        if entries.count == 0 {
            return Ok(());
        }
        let number = match self.number {
            Some(number) => number,
            None => *self.number.insert(sink.keyed_state(&self.meta)?),
        };
        budget.spend(1, entries.bytes.len());
        sink.entries(number, group as u32, entries.count, &entries.bytes)
    }
}

fn append<K: Key, N: Namespace>(timer: &Timer<K, N>, to: &mut GroupEntries) -> Result<(), EncodeError> {
    encode(&timer.key, &mut to.bytes)?;
    encode(&timer.namespace, &mut to.bytes)?;
    encode(&timer.timestamp, &mut to.bytes)?;
    to.count += 1;
    Ok(())
}
