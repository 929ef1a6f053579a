//! What a state on disk does beyond its accesses: fetching entries into the cache, writing them back, and its snapshots.

use std::sync::Arc;

use flott_core::{
    Key,
    encoding::{DecodeError, EncodeError, decode_prefix},
    time::Timestamp,
};

use super::{Draining, Encode, Entries, Freeze, Kind, PIECE_BYTES, StateStore, Written};
use crate::{
    disk::{Cached, DiskEntries, EVICTED, Frozen, KeyWriter, Visit, Writes, group_prefix, split_group},
    error::{StateError, StateErrorKind},
    namespace::Namespace,
    snapshot::{GroupEntries, SnapshotBudget, SnapshotSink},
};

/// So much is written back at once.
const WRITE_BYTES: usize = 1024 * 1024;

/// Reading an entry of a snapshot from the store takes about as long as looking at so many slots of a table.
const SLOTS: usize = 16;

type OnDisk<K, N, D> = DiskEntries<K, N, <D as Kind>::Stored>;

impl<K: Key, N: Namespace, D: Kind> StateStore<K, N, D> {
    fn on_disk(&mut self) -> Option<(&mut OnDisk<K, N, D>, &D)> {
        match &mut self.entries {
            Entries::Heap(_) => None,
            Entries::Disk(entries) => Some((entries, &self.kind)),
        }
    }

    /// Sees to it that an entry is in the cache before it is accessed.
    #[inline]
    pub(crate) fn fetch(&mut self, hash: u64, key: &K, namespace: &N) -> Result<(), StateError> {
        if let Entries::Disk(entries) = &mut self.entries
            && !entries.touch(hash, key, namespace)?
            && entries.has_stored
        {
            return self.fetch_missing(hash, key, namespace);
        }
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn fetch_missing(&mut self, hash: u64, key: &K, namespace: &N) -> Result<(), StateError> {
        let Some((entries, _)) = self.on_disk() else { return Ok(()) };
        if entries.cached_bytes() > entries.limit {
            let until = entries.limit - entries.limit / EVICTED;
            self.evict(until)?;
        }
        self.load(std::slice::from_ref(key), &[hash], namespace)
    }

    /// Fetches what these keys have in `namespace`, all that is not in the cache at once.
    pub(crate) fn load(&mut self, keys: &[K], hashes: &[u64], namespace: &N) -> Result<(), StateError> {
        let Some((entries, kind)) = self.on_disk() else { return Ok(()) };
        let writer = entries.key_writer();
        let mut lookup = std::mem::take(&mut entries.lookup);
        for (index, (key, &hash)) in keys.iter().zip(hashes).enumerate() {
            if !entries.touch(hash, key, namespace)? && entries.has_stored {
                let write = |into: &mut Vec<u8>| writer.write(hash, key, namespace, into);
                lookup.encoded.push_with(write).map_err(|error| cannot_encode::<D>(&entries.name, &error))?;
                lookup.missing.push((lookup.missing.len() as u32, index as u32));
            }
        }
        if !lookup.missing.is_empty() {
            lookup.prepare();
            let at = |number: usize| {
                let (_, index) = lookup.missing[number];
                (hashes[index as usize], &keys[index as usize], namespace)
            };
            let (store, column) = (Arc::clone(&entries.store), entries.column);
            store.get(column, &lookup.asked, &mut |number, bytes| {
                let value = decode(kind, &entries.name, bytes)?;
                entries.put_stored(at(number), Some(value), |value| kind.owned_bytes(value))
            })?;
            for (hash, key, namespace) in (0..lookup.missing.len()).map(at) {
                if !entries.touch(hash, key, namespace)? {
                    entries.put_stored((hash, key, namespace), None, |_| 0)?;
                }
            }
            lookup.clear();
        }
        entries.lookup = lookup;
        Ok(())
    }

    /// About how much memory the cache takes.
    pub(crate) fn cached_bytes(&mut self) -> usize {
        let Some((entries, kind)) = self.on_disk() else { return 0 };
        entries.measure(|stored| kind.owned_bytes(stored));
        entries.cached_bytes()
    }

    /// Single entries are fetched as long as the cache has not more than this.
    pub(crate) fn set_cache_limit(&mut self, limit: usize) {
        if let Some((entries, _)) = self.on_disk() {
            entries.limit = limit;
        }
    }

    /// Drops cached entries that were not used lately, until the cache takes no more than `until`, after those that were changed have been written.
    pub(crate) fn evict(&mut self, until: usize) -> Result<(), StateError> {
        let Some((entries, kind)) = self.on_disk() else { return Ok(()) };
        entries.measure(|stored| kind.owned_bytes(stored));
        let encode = kind.encoder(Timestamp::MIN);
        let name = entries.name.clone();
        // The first round may only find that all were used.
        let mut rounds = 0;
        while entries.cached_bytes() > until && rounds < 3 {
            let mut surplus = entries.cached_bytes() - until;
            let is_round = entries.sweep_table(|group, key, namespace, cached, writes| {
                if cached.is_used {
                    cached.is_used = false;
                    return Ok(Visit { stays: true, goes_on: true });
                }
                write_back::<_, _, D>(&encode, &name, (group, key, namespace), cached, writes)?;
                surplus = surplus.saturating_sub(OnDisk::<K, N, D>::SLOT_BYTES + cached.owned_bytes());
                Ok(Visit { stays: false, goes_on: surplus > 0 })
            })?;
            rounds += usize::from(is_round);
            write_pending(entries, WRITE_BYTES)?;
        }
        write_pending(entries, 1)
    }

    /// Writes all that was changed to the store. The cache keeps it.
    pub(crate) fn flush(&mut self) -> Result<(), StateError> {
        let Some((entries, kind)) = self.on_disk() else { return Ok(()) };
        let encode = kind.encoder(Timestamp::MIN);
        let name = entries.name.clone();
        let hand = std::mem::take(&mut entries.hand);
        loop {
            let is_end = entries.sweep_table(|group, key, namespace, cached, writes| {
                write_back::<_, _, D>(&encode, &name, (group, key, namespace), cached, writes)?;
                Ok(Visit { stays: true, goes_on: writes.total_bytes() < WRITE_BYTES })
            })?;
            write_pending(entries, if is_end { 1 } else { WRITE_BYTES })?;
            if is_end {
                entries.hand = hand;
                return Ok(());
            }
        }
    }

    /// Keeps an entry that is restored, without a look at what there is.
    pub(crate) fn put_restored(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        stored: Option<D::Stored>,
    ) -> Result<(), StateError> {
        let Some((entries, _)) = self.on_disk() else { return Ok(()) };
        match stored {
            Some(stored) => entries.insert(hash, key, namespace, stored)?,
            None => entries.remove(hash, key, namespace)?,
        };
        entries.restored += 1;
        if entries.restored.is_multiple_of(1024) && self.cached_bytes() > self.cache_limit() {
            self.evict(self.cache_limit() / 2)?;
        }
        Ok(())
    }

    fn cache_limit(&self) -> usize {
        match &self.entries {
            Entries::Heap(_) => usize::MAX,
            Entries::Disk(entries) => entries.limit,
        }
    }

    /// The keys of a key group that have something in a namespace.
    pub(crate) fn keys_on_disk(&mut self, group: u32, namespace: &N) -> Result<Vec<K>, StateError> {
        self.flush()?;
        let Some((entries, _)) = self.on_disk() else { return Ok(Vec::new()) };
        let mut scan = entries.store.scan(entries.column, &group_prefix(group))?;
        let mut keys = Vec::new();
        while let Some((mut key, _)) = scan.next()? {
            key = split_group(key).map_or(key, |(_, rest)| rest);
            let mut read = || Ok((decode_prefix::<K>(&mut key)?, decode_prefix::<N>(&mut key)?));
            let (key, of) = read().map_err(|error| cannot_decode(&entries.name, &error))?;
            if of == *namespace {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    /// Brings the store up to date and begins to read it, unless its files are taken. What is written to it later is not part of the snapshot.
    pub(super) fn freeze_on_disk(&mut self, asked: Freeze) -> Result<Freeze, StateError> {
        self.flush()?;
        if let Some((entries, _)) = self.on_disk().filter(|_| !asked.by_files) {
            let scan = entries.store.scan(entries.column, &[])?;
            entries.frozen = Some(Frozen { scan, group: 0, piece: GroupEntries::default() });
        }
        Ok(Freeze { since: None, ..asked })
    }

    pub(super) fn thaw_on_disk(&mut self) {
        if let Some((entries, _)) = self.on_disk() {
            entries.frozen = None;
        }
    }

    /// Hands on what the store had when the snapshot began until the budget is spent; `true` when that was all.
    pub(super) fn drain_on_disk(
        &mut self,
        at: &Draining,
        budget: &mut SnapshotBudget,
        sink: &mut dyn SnapshotSink,
    ) -> Result<bool, StateError> {
        let Some((entries, kind)) = self.on_disk() else { return Ok(true) };
        let Some(mut frozen) = entries.frozen.take() else { return Ok(true) };
        let encode = kind.encoder(at.freeze.now);
        let filter = kind.filters_snapshots().then_some((kind, &encode));
        while !budget.is_spent() {
            let Frozen { scan, group, piece } = &mut frozen;
            let Some((key, value)) = scan.next()? else {
                frozen.hand_on(at.number, sink)?;
                return Ok(true);
            };
            let (of_group, key) = split_group(key).unwrap_or_default();
            if of_group != *group || piece.bytes.len() >= PIECE_BYTES {
                hand_on((at.number, *group), piece, sink)?;
                *group = of_group;
            }
            let start = piece.bytes.len();
            piece.bytes.extend_from_slice(key);
            let is_kept = match filter {
                None => {
                    piece.bytes.extend_from_slice(value);
                    true
                }
                Some((kind, encode)) => {
                    let stored = decode(kind, &entries.name, value)?;
                    let kept = encode(&stored, &mut piece.bytes);
                    kept.map_err(|error| cannot_encode::<D>(&entries.name, &error))?
                }
            };
            if is_kept {
                piece.count += 1;
            } else {
                piece.bytes.truncate(start);
            }
            budget.spend(SLOTS, key.len() + value.len());
        }
        entries.frozen = Some(frozen);
        Ok(false)
    }
}

impl Frozen {
    fn hand_on(&mut self, number: u32, sink: &mut dyn SnapshotSink) -> Result<(), StateError> {
        hand_on((number, self.group), &mut self.piece, sink)
    }
}

fn hand_on(
    (number, group): (u32, u32),
    piece: &mut GroupEntries,
    sink: &mut dyn SnapshotSink,
) -> Result<(), StateError> {
    let piece = std::mem::take(piece);
    if piece.count == 0 { Ok(()) } else { sink.entries(number, group, piece.count, &piece.bytes) }
}

/// Adds an entry to the writes if the store must be told of it.
fn write_back<K: Key, N: Namespace, D: Kind>(
    encode: &impl Encode<D::Stored>,
    name: &str,
    (group, key, namespace): (u32, &K, &N),
    cached: &mut Cached<D::Stored>,
    writes: &mut Writes,
) -> Result<(), StateError> {
    if cached.is_owed() {
        let write_key = |into: &mut Vec<u8>| KeyWriter::write_in(group, key, namespace, into);
        let write_value = |into: &mut Vec<u8>| cached.value().map_or(Ok(false), |value| encode(value, into));
        writes.push_with(write_key, write_value).map_err(|error| cannot_encode::<D>(name, &error))?;
    }
    cached.was_written();
    Ok(())
}

/// Does the pending writes if they have so many bytes.
fn write_pending<K: Key, N: Namespace, V>(
    entries: &mut DiskEntries<K, N, V>,
    at_least: usize,
) -> Result<(), StateError> {
    if entries.writes.total_bytes() < at_least {
        return Ok(());
    }
    entries.writes.sort();
    let written = entries.store.write(entries.column, &entries.writes);
    entries.writes.clear();
    entries.has_stored = true;
    written
}

fn decode<D: Kind>(kind: &D, name: &str, mut bytes: &[u8]) -> Result<D::Stored, StateError> {
    kind.decode(&mut bytes, Written::by_itself(D::TTL)).map_err(|error| cannot_decode(name, &error))
}

#[cold]
fn cannot_decode(name: &str, error: &DecodeError) -> StateError {
    StateErrorKind::CannotReadBack { name: name.to_owned(), reason: error.to_string() }.into()
}

#[cold]
fn cannot_encode<D: Kind>(name: &str, error: &EncodeError) -> StateError {
    let (name, kind, reason) = (name.to_owned(), D::KIND, error.to_string());
    StateErrorKind::CannotWriteBack { name, kind, reason }.into()
}
