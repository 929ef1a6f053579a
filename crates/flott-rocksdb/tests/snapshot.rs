//! flott-state's suite of snapshots, on RocksDB.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::{path::Path, sync::Arc};

use flott_core::config::{Configuration, keys};
use flott_rocksdb::EmbeddedRocksDbStateBackend;
use flott_state::StateBackend;

#[path = "../../flott-state/tests/snapshot/exchange.rs"]
mod exchange;
#[path = "../../flott-state/tests/snapshot/interleaved.rs"]
mod interleaved;
#[path = "../../flott-state/tests/snapshot/keyed.rs"]
mod keyed;
#[path = "../../flott-state/tests/snapshot/support.rs"]
mod support;

/// The backend that the suite runs on. It opens thousands of databases, for each of which RocksDB waits for the disk a few times: there is none where
/// the system has files in memory.
fn backend() -> Arc<dyn StateBackend> {
    let mut configuration = Configuration::new();
    let in_memory = Path::new("/dev/shm");
    if in_memory.is_dir() {
        let directory = in_memory.display().to_string();
        configuration.set(&keys::ROCKSDB_LOCAL_DIRECTORIES, directory).unwrap();
    }
    EmbeddedRocksDbStateBackend.configured(&configuration).unwrap().unwrap()
}
