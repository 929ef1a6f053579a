//! How a state is frozen for a snapshot and written to it piece by piece.

use std::sync::Arc;

use flott_core::{
    Key,
    encoding::{EncodeError, encode},
    time::Timestamp,
};

use super::{Encode, Entries, Kind, StateStore};
use crate::{
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{KeyedStateMeta, SnapshotBudget, SnapshotSink},
    table::{Epoch, Table},
};

/// Sinks get pieces of about this size, and what is left of a key group at its end.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;

/// A snapshot as it is asked for, and as a state gives it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freeze {
    /// Entries with older versions belong to the snapshot.
    pub(crate) epoch: Epoch,
    /// Unless they are older than this.
    pub(crate) since: Option<Epoch>,
    /// Snapshots to come may hold the changes since this epoch or a later one.
    pub(crate) keep: Option<Epoch>,
    /// Processing time when the snapshot began.
    pub(crate) now: Timestamp,
    /// Whether the store beneath gives its files, so that states on disk owe nothing.
    pub(crate) by_files: bool,
}

/// How far a state has been written, and where to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draining {
    pub(super) freeze: Freeze,
    /// What the sink calls the state.
    pub(super) number: u32,
    /// Tables before this one are written.
    table: usize,
}

impl Draining {
    /// Announces a state to `sink`.
    pub(crate) fn new(
        freeze: Freeze,
        meta: &KeyedStateMeta,
        sink: &mut dyn SnapshotSink,
    ) -> Result<Self, StateError> {
        let number = match freeze.since {
            None => sink.keyed_state(meta)?,
            Some(_) => sink.keyed_changes(meta)?,
        };
        Ok(Self { freeze, number, table: 0 })
    }
}

/// What appends whole entries: key, namespace and what `stored` appends.
fn entry_encoder<K: Key, N: Namespace, V>(
    stored: impl Encode<V>,
) -> impl Fn(&K, &N, &V, &mut Vec<u8>) -> Result<bool, EncodeError> + Send + Sync + 'static {
    move |key: &K, namespace: &N, value: &V, into: &mut Vec<u8>| {
        encode(key, into)?;
        encode(namespace, into)?;
        stored(value, into)
    }
}

impl<K: Key, N: Namespace, D: Kind> StateStore<K, N, D> {
    /// From now on the state owes its entries to a snapshot: all, if it can't tell what has changed or much has.
    pub(crate) fn freeze(&mut self, asked: Freeze) -> Result<Freeze, StateError> {
        let Entries::Heap(entries) = &mut self.entries else { return self.freeze_on_disk(asked) };
        let since = asked.since.filter(|since| entries.knows_changes(*since));
        // What has expired is not left out of changes, or else an older value would stand in its place.
        let now = if since.is_some() { Timestamp::MIN } else { asked.now };
        let encode = Arc::new(entry_encoder(self.kind.encoder(now)));
        for table in entries.tables_mut() {
            table.freeze(since.unwrap_or(Epoch::MIN), encode.clone());
        }
        entries.note_removals(asked.epoch, asked.keep);
        Ok(Freeze { since, now, ..asked })
    }

    /// The snapshot is given up.
    pub(crate) fn thaw(&mut self) {
        match &mut self.entries {
            Entries::Heap(entries) => entries.tables_mut().for_each(Table::thaw),
            Entries::Disk(_) => self.thaw_on_disk(),
        }
    }

    /// Writes what is owed of the state called `name` until the budget is spent; `true` when nothing is left.
    pub(crate) fn drain(
        &mut self,
        name: &str,
        at: &mut Draining,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let Draining { freeze, number, .. } = *at;
        let encode = entry_encoder(self.kind.encoder(freeze.now));
        let Entries::Heap(entries) = &mut self.entries else {
            return self.drain_on_disk(at, budget, sink);
        };
        while let Some((group, table)) = entries.table_at(at.table) {
            let mut is_done = false;
            while !is_done {
                if budget.is_spent() {
                    return Ok(false);
                }
                sink.write_entries(number, group, &mut |into| {
                    let owed = table.write_owed(freeze.epoch, &encode, PIECE_BYTES, budget, into);
                    let owed = owed.map_err(|error| Self::failed(name, &error))?;
                    is_done = owed.is_done;
                    Ok(owed.count)
                })?;
                let enough = if is_done { 0 } else { PIECE_BYTES };
                if let Some(piece) = table.written(enough).map_err(|error| Self::failed(name, &error))? {
                    sink.entries(number, group, piece.count, &piece.bytes)?;
                    table.forget_written();
                }
            }
            table.thaw();
            if let Some(since) = freeze.since {
                for lost in entries.removed(at.table, since, freeze.epoch) {
                    sink.removed(number, group, lost.count, &lost.bytes)?;
                }
            }
            at.table += 1;
            budget.spend(1, 0);
        }
        Ok(true)
    }

    /// Hands on what was written because it was about to change, wherever it has become much.
    pub(crate) fn drain_changed(
        &mut self,
        name: &str,
        at: &Draining,
        sink: &mut dyn SnapshotSink,
    ) -> Result<(), StateError> {
        let Entries::Heap(entries) = &mut self.entries else { return Ok(()) };
        for index in at.table.. {
            let Some((group, table)) = entries.table_at(index) else { break };
            if let Some(piece) = table.written(PIECE_BYTES).map_err(|error| Self::failed(name, &error))? {
                sink.entries(at.number, group, piece.count, &piece.bytes)?;
                table.forget_written();
            }
        }
        Ok(())
    }

    pub(crate) fn meta(name: &str) -> KeyedStateMeta {
        KeyedStateMeta { name: name.to_owned(), kind: D::KIND, ttl: D::TTL, types: Self::types(D::TTL) }
    }

    fn failed(name: &str, error: &EncodeError) -> StateError {
        let (name, reason) = (name.to_owned(), error.to_string());
        StateErrorKind::CannotSnapshot { name, kind: D::KIND, reason }.into()
    }
}
