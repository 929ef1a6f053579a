//! How a state is frozen for a snapshot and written to it piece by piece.

use std::sync::Arc;

use flott_core::{
    Key,
    encoding::{EncodeError, encode},
    time::Timestamp,
};

use super::{Encode, Kind, StateStore};
use crate::{
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{KeyedStateMeta, SnapshotBudget, SnapshotSink},
    table::Epoch,
};

/// Sinks get pieces of about this size, and what is left of a key group at its end.
pub(crate) const PIECE_BYTES: usize = 64 * 1024;

/// What all states of a snapshot have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Freeze {
    /// Entries with older versions belong to the snapshot.
    pub(crate) epoch: Epoch,
    /// Processing time when the snapshot began.
    pub(crate) now: Timestamp,
}

/// How far a state has been written, and where to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draining {
    pub(crate) freeze: Freeze,
    /// What the sink calls the state.
    number: u32,
    /// Tables before this one are written.
    table: usize,
}

impl Draining {
    /// At the beginning of the state that `sink` calls `number`.
    pub(crate) const fn new(freeze: Freeze, number: u32) -> Self {
        Self { freeze, number, table: 0 }
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
    /// From now on the state owes all its entries to a snapshot.
    pub(crate) fn freeze(&mut self, freeze: Freeze) {
        let encode = Arc::new(entry_encoder(self.kind.encoder(freeze.now)));
        for (_, table) in self.entries.tables_from(0) {
            table.freeze(encode.clone());
        }
    }

    /// The snapshot is given up.
    pub(crate) fn thaw(&mut self) {
        self.entries.tables_from(0).for_each(|(_, table)| table.thaw());
    }

    /// Writes what is owed of the state called `name` until the budget is spent; `true` when nothing is left.
    pub(crate) fn drain(
        &mut self,
        name: &str,
        at: &mut Draining,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let encode = entry_encoder(self.kind.encoder(at.freeze.now));
        for (group, table) in self.entries.tables_from(at.table) {
            let mut is_done = false;
            while !is_done {
                if budget.is_spent() {
                    return Ok(false);
                }
                let written = table.write_owed(at.freeze.epoch, &encode, PIECE_BYTES, budget);
                is_done = written.map_err(|error| Self::failed(name, &error))?;
                let enough = if is_done { 0 } else { PIECE_BYTES };
                let piece = table.take_written(enough).map_err(|error| Self::failed(name, &error))?;
                if let Some(piece) = piece {
                    sink.entries(at.number, group, piece.count, &piece.bytes)?;
                }
            }
            table.thaw();
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
        for (group, table) in self.entries.tables_from(at.table) {
            let piece = table.take_written(PIECE_BYTES).map_err(|error| Self::failed(name, &error))?;
            if let Some(piece) = piece {
                sink.entries(at.number, group, piece.count, &piece.bytes)?;
            }
        }
        Ok(())
    }

    pub(crate) fn meta(name: &str) -> KeyedStateMeta {
        KeyedStateMeta { name: name.to_owned(), kind: D::KIND, ttl: D::TTL, types: Self::types() }
    }

    fn failed(name: &str, error: &EncodeError) -> StateError {
        let (name, reason) = (name.to_owned(), error.to_string());
        StateErrorKind::CannotSnapshot { name, kind: D::KIND, reason }.into()
    }
}
