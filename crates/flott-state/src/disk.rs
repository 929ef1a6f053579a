//! State that need not fit into memory: a store of bytes, and a cache of values in front of it.
//!
//! A backend that keeps state on disk implements [`ByteStore`], which knows nothing of keys, values and kinds of state: it
//! has a column for each state, and in it byte strings in order. Everything else is here, the same for each such backend:
//!
//! * [`byte_strings`] — many short byte strings in one piece of memory, as they go to the store and come from it;
//! * `key` — the bytes under which an entry is stored;
//! * [`files`] — a store as files, in a checkpoint and on the local disk;
//! * `cached` — a value in memory, and what of it the store knows;
//! * `entries` — the cached values of one state: what the accesses to it see.
//!
//! An access finds its entry in the cache, always: it is fetched when a record's key becomes current, and in
//! most cases long before, with those of all other records of the batch ([`KeyedState::load`](crate::KeyedState::load)). What was changed stays in the cache
//! until it has to make room or a snapshot begins, and goes to the store in batches.
//!
//! Keys are the same here if their bytes are, whereas a hash table asks `Eq` (Flink's backends differ likewise).

use std::sync::Arc;

use crate::error::{StateError, StateErrorKind};

pub mod byte_strings;
mod cached;
mod entries;
pub mod files;
mod key;

pub use byte_strings::{ByteStrings, Writes};
pub(crate) use cached::Cached;
pub(crate) use entries::{DiskEntries, Frozen, Visit};
pub use files::{LocalFiles, StoreImage};
pub(crate) use key::{KeyWriter, group_prefix, split_group};

/// A cache that is full gives up this part of itself, so that much is written at once.
pub(crate) const EVICTED: usize = 32;

/// What a store calls one of its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Column(pub u32);

/// Tells whether a stored value has expired, as a whole and for good. It may be asked on any thread.
pub type Expiry = Arc<dyn Fn(&[u8]) -> bool + Send + Sync>;

/// Takes the number of a key and its value.
pub type TakeValue<'a> = dyn FnMut(usize, &[u8]) -> Result<(), StateError> + 'a;

/// A key and its value.
pub type StoredEntry<'a> = (&'a [u8], &'a [u8]);

/// The bytes of all states of one operator subtask, ordered by key within each column. Only the subtask's own thread
/// reads and writes it, but for scans, which may end up elsewhere.
pub trait ByteStore: Send + Sync {
    /// Finds the column that a store which was opened from the files of a checkpoint has for the state of this name; `None` if there is none. Otherwise
    /// as [`ByteStore::create_column`], which is called then.
    fn find_column(&self, _state: &str, _expiry: Option<&Expiry>) -> Option<Column> {
        None
    }

    /// Makes an empty column for the state of this name, which has none yet. Values for which `expiry` is true may be dropped with their keys at any
    /// moment, but need not be.
    ///
    /// # Errors
    /// When the store fails, as in all methods.
    fn create_column(&self, state: &str, expiry: Option<Expiry>) -> Result<Column, StateError>;

    /// Looks up `keys`, which are sorted and different from each other, and gives `take` the number and the value of each that there is.
    fn get(&self, column: Column, keys: &ByteStrings, take: &mut TakeValue<'_>) -> Result<(), StateError>;

    /// Does all of these writes, which are sorted by key, or fails.
    fn write(&self, column: Column, writes: &Writes) -> Result<(), StateError>;

    /// Reads the entries whose keys begin with `prefix`, in order, as they are now: what is written later is not seen.
    fn scan(&self, column: Column, prefix: &[u8]) -> Result<Box<dyn ByteScan>, StateError>;

    /// Whether checkpoints may have all that is in the store as files.
    fn has_files(&self) -> bool {
        false
    }

    /// Makes files of all that is in the store now, some of which earlier calls may have given already; only asked for where
    /// [`ByteStore::has_files`] says so.
    fn files(&self) -> Result<LocalFiles, StateError> {
        let (doing, place) = ("make files".to_owned(), "memory".to_owned());
        Err(StateErrorKind::Store { doing, place, reason: "it has none".to_owned() }.into())
    }

    /// The name of the backend, for messages.
    fn backend(&self) -> String;

    /// How many bytes the cached values of the subtask may take at present. Asked for once for each batch of records.
    fn cache_bytes(&self) -> usize;
}

/// Entries of a column in order.
pub trait ByteScan: Send {
    /// The next key and its value; `None` at the end.
    ///
    /// # Errors
    /// When the store fails.
    fn next(&mut self) -> Result<Option<StoredEntry<'_>>, StateError>;
}
