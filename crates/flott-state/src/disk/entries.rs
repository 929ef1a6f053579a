//! The cached values of one state.

use std::sync::Arc;

use flott_core::{Key, key_group::KeyGroupRange};

use super::{ByteScan, ByteStore, ByteStrings, Cached, Column, Expiry, KeyWriter, Writes};
use crate::{
    error::StateError,
    namespace::Namespace,
    snapshot::GroupEntries,
    state_store::owned_bytes,
    table::{Epoch, Table},
    value_store::ValueStore,
};

/// A state on disk: what is cached of it, and where the rest is.
///
/// Reads and writes see the cache only: the entry that they ask for has been fetched
/// ([`StateStore::fetch`](crate::state_store::StateStore::fetch)). One that has not is taken to be absent when it is read, and overwrites what is
/// stored when it is written; restoring makes use of that.
pub(crate) struct DiskEntries<K, N, V> {
    /// The name of the state, for messages.
    pub(crate) name: String,
    /// Entries that are known, those that are known not to be included.
    pub(crate) cached: ValueStore<K, N, Cached<V>>,
    pub(crate) store: Arc<dyn ByteStore>,
    pub(crate) column: Column,
    /// Whether the store has, or had, anything at all.
    pub(crate) has_stored: bool,
    /// How much the cache may hold when an entry is fetched by itself.
    pub(crate) limit: usize,
    /// Where the clock's hand stands: the table and the slot.
    pub(crate) hand: (usize, usize),
    /// How many entries are cached.
    len: usize,
    /// What they take beside their slots.
    owned_bytes: usize,
    /// Where there are entries that were written and have to be measured: their tables and places.
    unmeasured: Vec<(usize, u64)>,
    /// The snapshot that is being written.
    pub(crate) frozen: Option<Frozen>,
    /// How many entries have been restored.
    pub(crate) restored: usize,
    /// What is about to be written.
    pub(crate) writes: Writes,
    /// Used again for each batch of look-ups.
    pub(crate) lookup: Lookup,
}

/// The entries of a batch that are not in the cache.
#[derive(Default)]
pub(crate) struct Lookup {
    /// Their keys as they come.
    pub(crate) encoded: ByteStrings,
    /// Where in `encoded` the key of one is, and which of the batch it belongs to; in the end sorted, each key once.
    pub(crate) missing: Vec<(u32, u32)>,
    /// The keys sorted.
    pub(crate) asked: ByteStrings,
}

impl Lookup {
    /// Sorts the keys, and leaves each once.
    pub(crate) fn prepare(&mut self) {
        let Self { encoded, missing, asked } = self;
        let bytes = |missing: &(u32, u32)| encoded.get(missing.0 as usize);
        missing.sort_unstable_by(|a, b| bytes(a).cmp(bytes(b)));
        missing.dedup_by(|a, b| bytes(a) == bytes(b));
        missing.iter().for_each(|missing| asked.push(bytes(missing)));
    }

    pub(crate) fn clear(&mut self) {
        self.encoded.clear();
        self.missing.clear();
        self.asked.clear();
    }
}

/// A snapshot on its way.
pub(crate) struct Frozen {
    pub(crate) scan: Box<dyn ByteScan>,
    /// Entries of the present key group that the sink has not got yet.
    pub(crate) group: u32,
    pub(crate) piece: GroupEntries,
}

/// What the cache does with writes has no epochs: snapshots are taken from the store.
const EPOCH: Epoch = Epoch::MIN;

impl<K: Key, N: Namespace, V> DiskEntries<K, N, V> {
    /// What an entry takes in the tables: a slot, and that not all slots are taken.
    pub(crate) const SLOT_BYTES: usize = 2 * Table::<K, N, Cached<V>>::SLOT_BYTES;

    /// Whether entries own memory that must be measured.
    const OWNS: bool = std::mem::needs_drop::<K>() || std::mem::needs_drop::<V>();

    /// Nothing cached of the column that the store has for the state, or of a new one.
    ///
    /// # Errors
    /// When the store can't make one.
    pub(crate) fn create(
        name: &str,
        store: &Arc<dyn ByteStore>,
        expiry: Option<Expiry>,
        range: KeyGroupRange,
        max_parallelism: u32,
    ) -> Result<Self, StateError> {
        let found = store.find_column(name, expiry.as_ref());
        Ok(Self {
            name: name.to_owned(),
            cached: ValueStore::new(range, max_parallelism),
            store: Arc::clone(store),
            column: found.map_or_else(|| store.create_column(name, expiry), Ok)?,
            has_stored: found.is_some(),
            limit: store.cache_bytes() / 4,
            hand: (0, 0),
            len: 0,
            owned_bytes: 0,
            unmeasured: Vec::new(),
            frozen: None,
            restored: 0,
            writes: Writes::default(),
            lookup: Lookup::default(),
        })
    }

    pub(crate) const fn key_writer(&self) -> KeyWriter {
        KeyWriter { max_parallelism: self.cached.max_parallelism() }
    }

    /// About how much memory the cache takes.
    pub(crate) const fn cached_bytes(&self) -> usize {
        self.len * Self::SLOT_BYTES + self.owned_bytes
    }

    /// Whether the entry is cached; it then counts as used.
    #[inline]
    pub(crate) fn touch(&mut self, hash: u64, key: &K, namespace: &N) -> Result<bool, StateError> {
        let cached = self.cached.get_mut(hash, key, namespace, EPOCH)?;
        Ok(cached.map(|cached| cached.is_used = true).is_some())
    }

    #[inline]
    pub(crate) fn get(&self, hash: u64, key: &K, namespace: &N) -> Result<Option<&V>, StateError> {
        Ok(self.cached.get(hash, key, namespace)?.and_then(Cached::value))
    }

    #[inline]
    pub(crate) fn get_mut(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
    ) -> Result<Option<&mut V>, StateError> {
        if self.get(hash, key, namespace)?.is_none() {
            return Ok(None);
        }
        Ok(self.for_writing(hash, key, namespace)?.value_mut().as_mut())
    }

    #[inline]
    pub(crate) fn get_or_insert_with(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        default: impl FnOnce() -> V,
    ) -> Result<&mut V, StateError> {
        let cached = self.for_writing(hash, key, namespace)?;
        Ok(cached.value_mut().get_or_insert_with(default))
    }

    #[inline]
    pub(crate) fn insert(
        &mut self,
        hash: u64,
        key: &K,
        namespace: &N,
        value: V,
    ) -> Result<Option<V>, StateError> {
        Ok(self.for_writing(hash, key, namespace)?.value_mut().replace(value))
    }

    #[inline]
    pub(crate) fn remove(&mut self, hash: u64, key: &K, namespace: &N) -> Result<Option<V>, StateError> {
        Ok(self.for_writing(hash, key, namespace)?.value_mut().take())
    }

    /// Puts an entry into the cache as it is in the store.
    pub(crate) fn put_stored(
        &mut self,
        (hash, key, namespace): (u64, &K, &N),
        value: Option<V>,
        owned_bytes_of: impl Fn(&V) -> usize,
    ) -> Result<(), StateError> {
        let mut cached = Cached::stored(value);
        if Self::OWNS {
            cached.set_owned_bytes(owned_bytes(key) + cached.value().map_or(0, owned_bytes_of));
            self.owned_bytes += cached.owned_bytes();
        }
        self.len += 1;
        self.cached.insert(hash, key, namespace, EPOCH, cached)?;
        Ok(())
    }

    #[inline]
    fn for_writing(&mut self, hash: u64, key: &K, namespace: &N) -> Result<&mut Cached<V>, StateError> {
        let at = Self::OWNS.then(|| self.cached.locate(hash, namespace));
        let Self { cached, len, unmeasured, has_stored, .. } = self;
        let entry = cached.get_or_insert_with(hash, key, namespace, EPOCH, || {
            *len += 1;
            Cached::written(*has_stored)
        })?;
        if let Some(at) = at.filter(|_| !entry.is_unmeasured) {
            entry.is_unmeasured = true;
            unmeasured.push(at);
        }
        Ok(entry)
    }

    /// Measures what has been written since it was called last.
    pub(crate) fn measure(&mut self, owned_bytes_of: impl Fn(&V) -> usize) {
        let Self { cached, unmeasured, owned_bytes: total, .. } = self;
        for (index, place) in unmeasured.drain(..) {
            let Some((_, table)) = cached.table_at(index) else { continue };
            table.each_at(place, |key, entry| {
                if entry.is_unmeasured {
                    *total -= entry.owned_bytes();
                    entry.set_owned_bytes(owned_bytes(key) + entry.value().map_or(0, &owned_bytes_of));
                    *total += entry.owned_bytes();
                }
            });
        }
    }

    /// Shows the cached entries of a table, from the clock's hand on, to `visit`, which says whether each stays. `true` if there
    /// is no table left; the hand then stands at the first again.
    pub(crate) fn sweep_table(
        &mut self,
        mut visit: impl FnMut(u32, &K, &N, &mut Cached<V>, &mut Writes) -> Result<Visit, StateError>,
    ) -> Result<bool, StateError> {
        let (index, mut slot) = self.hand;
        let Self { cached, len, owned_bytes, writes, .. } = self;
        let Some((group, table)) = cached.table_at(index) else {
            self.hand = (0, 0);
            return Ok(true);
        };
        let swept = table.visit(&mut slot, |key, namespace, entry| {
            let visited = visit(group, key, namespace, entry, writes)?;
            if !visited.stays {
                *len -= 1;
                *owned_bytes -= entry.owned_bytes();
            }
            Ok(visited)
        });
        self.hand = if slot >= table.capacity() { (index + 1, 0) } else { (index, slot) };
        swept.map(|()| false)
    }
}

/// What is done with an entry that was looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit {
    /// Whether it stays in the table.
    pub(crate) stays: bool,
    /// Whether the next one is looked at.
    pub(crate) goes_on: bool,
}
