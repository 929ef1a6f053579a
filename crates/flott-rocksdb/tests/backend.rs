//! The backend as flott-state uses it: its directory, what is in it, and what is said when it can't be used.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::{fs, path::Path, sync::Arc};

use flott_core::{
    config::{Configuration, MemorySize, keys},
    hash::key_hash,
    key_group::KeyGroupRange,
};
use flott_rocksdb::EmbeddedRocksDbStateBackend;
use flott_state::{
    BackendScope, CurrentKey, KeyedState, KeyedStateSnapshot, KeyedStateStore, StateBackend, StateError,
    ValueState, ValueStateDescriptor,
};

fn configured(directory: &Path, change: impl FnOnce(&mut Configuration)) -> Arc<dyn StateBackend> {
    let mut configuration = Configuration::new();
    let directory = directory.to_str().unwrap().to_owned();
    configuration.set(&keys::ROCKSDB_LOCAL_DIRECTORIES, directory).unwrap();
    change(&mut configuration);
    EmbeddedRocksDbStateBackend.configured(&configuration).unwrap().unwrap()
}

fn backend(directory: &Path) -> Arc<dyn StateBackend> {
    configured(directory, |_| {})
}

fn open(
    backend: &dyn StateBackend,
    subtask: u32,
    restored: Vec<KeyedStateSnapshot>,
) -> Result<(KeyedState<u64>, ValueState<String>), StateError> {
    let key_groups = KeyGroupRange { start: 0, end: 128 };
    let scope = BackendScope { operator: "count".to_owned(), subtask, key_groups, max_parallelism: 128 };
    let mut state = KeyedState::new(&scope, backend, restored)?;
    let value = state.value_state(ValueStateDescriptor::new("value"))?;
    Ok((state, value))
}

fn at<'a>(state: &'a mut KeyedState<u64>, key: &'a u64) -> CurrentKey<'a, u64> {
    CurrentKey::new(state, key, key_hash(key).unwrap())
}

fn listed(directory: &Path) -> Vec<String> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn each_subtask_has_a_directory_that_goes_with_it() {
    let base = tempfile::tempdir().unwrap();
    let backend = backend(&base.path().join("made where it is missing"));
    let base = base.path().join("made where it is missing");
    let (first, _) = open(backend.as_ref(), 0, vec![]).unwrap();
    let (second, _) = open(backend.as_ref(), 1, vec![]).unwrap();
    let directories = listed(&base);
    assert_eq!(directories.len(), 2, "{directories:?}");
    assert!(directories.iter().all(|name| name.contains("-count-")), "{directories:?}");
    drop(first);
    assert_eq!(listed(&base).len(), 1);
    drop(second);
    assert_eq!(listed(&base), Vec::<String>::new());
}

#[test]
fn a_snapshot_outlives_the_state_it_was_begun_on() {
    let base = tempfile::tempdir().unwrap();
    let backend = backend(base.path());
    let (mut state, value) = open(backend.as_ref(), 0, vec![]).unwrap();
    for key in 0..1000 {
        value.update(&mut at(&mut state, &key), format!("value of {key}")).unwrap();
    }
    state.begin_snapshot(flott_state::SnapshotRequest::whole(1)).unwrap();
    for key in 0..1000 {
        value.clear(&mut at(&mut state, &key)).unwrap();
    }
    let mut taken = flott_state::OperatorSnapshot::default();
    let budget = &mut flott_state::SnapshotBudget::unlimited();
    assert!(state.drain_snapshot(budget, &mut taken).unwrap());
    assert!(state.snapshot().unwrap()[0].groups.is_empty());
    drop(state);
    let (mut state, value) = open(backend.as_ref(), 0, taken.keyed).unwrap();
    for key in 0..1000 {
        let found = value.value(&mut at(&mut state, &key)).unwrap();
        assert_eq!(found, Some(format!("value of {key}")));
    }
}

#[test]
fn more_state_than_memory_comes_back_from_the_files() {
    let base = tempfile::tempdir().unwrap();
    let backend = configured(base.path(), |configuration| {
        configuration.set(&keys::MANAGED_MEMORY, MemorySize::of_mebibytes(2)).unwrap();
        configuration.set(&keys::ROCKSDB_WRITE_BUFFER_SIZE, MemorySize::of_bytes(1 << 18)).unwrap();
    });
    let (mut state, value) = open(backend.as_ref(), 0, vec![]).unwrap();
    let text = |key: u64| format!("{key:->400}");
    let batches: Vec<Vec<u64>> = (0..30_000).collect::<Vec<_>>().chunks(500).map(<[_]>::to_vec).collect();
    let hashes = |keys: &[u64]| -> Vec<u64> { keys.iter().map(|key| key_hash(key).unwrap()).collect() };
    for keys in &batches {
        state.load(keys, &hashes(keys)).unwrap();
        for key in keys {
            value.update(&mut at(&mut state, key), text(*key)).unwrap();
        }
    }
    let files = fs::read_dir(base.path().join(&listed(base.path())[0])).unwrap();
    let is_table = |name: &std::ffi::OsStr| name.to_str().unwrap().ends_with(".sst");
    assert!(files.filter(|file| is_table(&file.as_ref().unwrap().file_name())).count() > 0);
    for keys in batches.iter().rev() {
        state.load(keys, &hashes(keys)).unwrap();
        for key in keys {
            assert_eq!(value.get(&mut at(&mut state, key)).unwrap(), Some(&text(*key)));
        }
    }
}

#[test]
fn a_directory_that_can_not_be_is_named() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("a file");
    fs::write(&file, b"").unwrap();
    let failed = open(backend(&file).as_ref(), 0, vec![]).err().unwrap().to_string();
    let start = format!("the state backend can't create a directory in {}: ", file.display());
    assert!(failed.starts_with(&start), "{failed}");
    assert!(failed.ends_with("with state.backend.rocksdb.localdir") && !failed.contains('\n'), "{failed}");
}

#[test]
fn timers_in_rocksdb_are_refused_for_now() {
    let mut configuration = Configuration::new();
    let set = configuration.set_dynamic("state.backend.rocksdb.timer-service.factory=ROCKSDB");
    let refused = set.unwrap_err().to_string();
    assert!(refused.contains("HEAP"), "{refused}");
}

#[test]
fn every_profile_opens() {
    for profile in
        ["DEFAULT", "SPINNING_DISK_OPTIMIZED", "SPINNING_DISK_OPTIMIZED_HIGH_MEM", "FLASH_SSD_OPTIMIZED"]
    {
        let base = tempfile::tempdir().unwrap();
        let backend = configured(base.path(), |configuration| {
            configuration
                .set_dynamic(&format!("state.backend.rocksdb.predefined-options={profile}"))
                .unwrap();
        });
        let (mut state, value) = open(backend.as_ref(), 0, vec![]).unwrap();
        value.update(&mut at(&mut state, &1), profile.to_owned()).unwrap();
        assert_eq!(state.snapshot().unwrap()[0].groups.len(), 1);
    }
}

#[test]
fn subtasks_are_spread_over_the_directories() {
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let both = format!("{}, {}", first.path().display(), second.path().display());
    let backend = configured(Path::new(&both), |_| {});
    let _open: Vec<_> = (0..4).map(|subtask| open(backend.as_ref(), subtask, vec![]).unwrap()).collect();
    assert_eq!([listed(first.path()).len(), listed(second.path()).len()], [2, 2]);
}
