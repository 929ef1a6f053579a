//! The RocksDB state backend: keyed state in the directory of a disk, bounded by it and not by memory.
//!
//! [`EmbeddedRocksDbStateBackend`] is what jobs choose, as `rocksdb`. Bottom-up:
//!
//! * `error` — what RocksDB says, in one line with what to do;
//! * `memory` — the one block cache and the one limit of write buffers of the process;
//! * `options` — what is set on RocksDB, and what a job can set;
//! * `directory` — a directory of its own for each operator subtask, gone when it is closed;
//! * `compaction` — dropping what has expired while files are compacted;
//! * `columns` — the column families;
//! * `store` — the bytes of one operator subtask, as flott-state asks for them;
//! * `scan` — reading them in order as they were;
//! * `files` — an instance as the files of a checkpoint, both ways;
//! * `backend` — all of it together.
//!
//! Keys, values, kinds of state, and the cache of decoded values in front are flott-state's ([`flott_state::disk`]).

mod backend;
mod columns;
mod compaction;
mod directory;
mod error;
mod files;
mod memory;
mod options;
mod scan;
mod store;

pub use backend::{EmbeddedRocksDbStateBackend, plain_options};
pub use options::PredefinedOptions;
