//! The contents of windows on their way into a snapshot, which is written while they go on changing.

use flott_core::encoding::{EncodeError, encode};
use flott_core::key_group::key_place;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_state::{GroupEntries, KeyedStateMeta, SnapshotBudget, SnapshotSink, StateKind, StateType};

/// The sink gets what is written of each key group when there is so much of all, and at the end.
const HELD_BYTES: usize = 1 << 20;

/// What is written of the contents, by key group. Nothing is lost that the sink has not got yet.
pub(super) struct Contents {
    meta: KeyedStateMeta,
    max_parallelism: u32,
    written: Vec<GroupEntries>,
    /// Bytes in `written`.
    held: usize,
    /// Bytes written since the budget was asked last.
    unspent: usize,
    /// What the sink calls them, once it knows them.
    number: Option<u32>,
    /// At the end: key groups before this one have been handed on.
    group: usize,
    failed: Option<EncodeError>,
}

impl Contents {
    pub(super) fn new<K: Data, N: Data, V: Data>(name: &str, max_parallelism: u32) -> Self {
        let types = StateType::of_each::<K, N, V>();
        Self {
            meta: KeyedStateMeta { name: name.to_owned(), kind: StateKind::Value, ttl: false, types },
            max_parallelism,
            written: vec![GroupEntries::default(); max_parallelism as usize],
            held: 0,
            unspent: 0,
            number: None,
            group: 0,
            failed: None,
        }
    }

    /// Writes an entry. What goes wrong is told by the next call that hands on.
    pub(super) fn add<K: Key, N: Data, V: Data>(&mut self, hash: u64, key: &K, at: &N, value: &V) {
        let group = key_place(hash, self.max_parallelism).group as usize;
        let entries = &mut self.written[group];
        let start = entries.bytes.len();
        let into = &mut entries.bytes;
        match encode(key, into).and_then(|()| encode(at, into)).and_then(|()| encode(value, into)) {
            Ok(()) => entries.count += 1,
            Err(error) => {
                entries.bytes.truncate(start);
                self.failed.get_or_insert(error);
            }
        }
        let len = entries.bytes.len() - start;
        self.held += len;
        self.unspent += len;
    }

    /// Takes what was written off the budget, and hands it on if it has become much; `true` if something is left of the budget.
    pub(super) fn hand_on_much(
        &mut self,
        entries: usize,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> FnResult<bool> {
        budget.spend(entries, std::mem::take(&mut self.unspent));
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        if self.held >= HELD_BYTES {
            (0..self.written.len()).try_for_each(|group| self.hand_on(group, sink))?;
        }
        Ok(!budget.is_spent())
    }

    /// Hands on what is left; `true` when that is nothing.
    pub(super) fn finish(
        &mut self,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> FnResult<bool> {
        self.hand_on_much(0, budget, sink)?;
        // A state without entries is there all the same, with its types.
        self.number(sink)?;
        while self.group < self.written.len() {
            if budget.is_spent() {
                return Ok(false);
            }
            budget.spend(1, self.written[self.group].bytes.len());
            self.hand_on(self.group, sink)?;
            self.group += 1;
        }
        Ok(true)
    }

    fn hand_on(&mut self, group: usize, sink: &mut dyn SnapshotSink) -> FnResult {
        let number = self.number(sink)?;
        let entries = &mut self.written[group];
        if entries.count > 0 {
            sink.entries(number, group as u32, entries.count, &entries.bytes)?;
            self.held -= entries.bytes.len();
            entries.count = 0;
            entries.bytes.clear();
        }
        Ok(())
    }

    fn number(&mut self, sink: &mut dyn SnapshotSink) -> FnResult<u32> {
        Ok(match self.number {
            Some(number) => number,
            None => *self.number.insert(sink.keyed_state(&self.meta)?),
        })
    }
}
