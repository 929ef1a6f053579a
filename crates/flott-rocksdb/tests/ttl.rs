//! flott-state's suite of time to live, on RocksDB.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::{path::Path, sync::Arc};

use flott_core::config::{Configuration, keys};
use flott_rocksdb::EmbeddedRocksDbStateBackend;
use flott_state::StateBackend;

#[path = "../../flott-state/tests/ttl/elements.rs"]
mod elements;
#[path = "../../flott-state/tests/ttl/kept.rs"]
mod kept;
#[path = "../../flott-state/tests/ttl/kinds.rs"]
mod kinds;
#[path = "../../flott-state/tests/ttl/model.rs"]
mod model;
#[path = "../../flott-state/tests/ttl/rules.rs"]
mod rules;
#[path = "../../flott-state/tests/ttl/support.rs"]
mod support;
#[path = "../../flott-state/tests/ttl/vectors.rs"]
mod vectors;

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
