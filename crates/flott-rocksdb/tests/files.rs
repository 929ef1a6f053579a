//! Instances opened from the files that others have given to checkpoints: at the same and at another parallelism, and what is done with what they hold.

#![allow(clippy::unwrap_used, reason = "the whole crate is tests, and its helpers may panic like them")]

use std::{collections::BTreeMap, path::Path, sync::Arc};

use flott_core::{
    config::{Configuration, MemorySize, keys},
    hash::key_hash,
    key_group::KeyGroupRange,
};
use flott_rocksdb::EmbeddedRocksDbStateBackend;
use flott_state::{
    BackendScope, CurrentKey, KeyedState, KeyedStateMeta, KeyedStateStore, MapState, MapStateDescriptor,
    OperatorSnapshot, OperatorStateSnapshot, SnapshotBudget, SnapshotRequest, SnapshotSink, StateBackend,
    StateError, ValueState, ValueStateDescriptor,
    disk::{LocalFiles, StoreImage},
    format::{JobKey, StoreFile, StoreFiles},
    redistribute,
    storage::{CheckpointDirectory, CheckpointStorage, FileScope},
};

const GROUPS: u32 = 128;
const KEYS: u64 = 3_000;

fn backend(directory: &Path) -> Arc<dyn StateBackend> {
    let mut configuration = Configuration::new();
    let directory = directory.to_str().unwrap().to_owned();
    configuration.set(&keys::ROCKSDB_LOCAL_DIRECTORIES, directory).unwrap();
    // So little is cached that most is in the store before the snapshot.
    configuration.set(&keys::MANAGED_MEMORY, MemorySize { bytes: 1 << 20 }).unwrap();
    EmbeddedRocksDbStateBackend.configured(&configuration).unwrap().unwrap()
}

/// A subtask with state for each of its keys.
struct Subject {
    state: KeyedState<u64>,
    range: KeyGroupRange,
}

impl Subject {
    fn open(base: &Path, subtask: u32, parallelism: u32, restored: OperatorSnapshot) -> Self {
        let range = KeyGroupRange::of_subtask(subtask, parallelism, GROUPS);
        let scope = BackendScope {
            operator: "count".to_owned(),
            subtask,
            key_groups: range,
            max_parallelism: GROUPS,
        };
        let backend = backend(base);
        let state = KeyedState::with_stores(&scope, backend.as_ref(), restored.keyed, &restored.stores);
        Self { state: state.unwrap(), range }
    }

    fn texts(&mut self) -> ValueState<String> {
        self.state.value_state(ValueStateDescriptor::new("texts")).unwrap()
    }

    fn numbers(&mut self) -> ValueState<i64> {
        self.state.value_state(ValueStateDescriptor::new("numbers")).unwrap()
    }

    fn maps(&mut self) -> MapState<u8, String> {
        self.state.map_state(MapStateDescriptor::new("maps")).unwrap()
    }

    fn owns(&self, key: u64) -> bool {
        self.range.contains(flott_core::key_group::key_place(key_hash(&key).unwrap(), GROUPS).group)
    }

    fn at<'a>(&'a mut self, key: &'a u64) -> CurrentKey<'a, u64> {
        CurrentKey::new(&mut self.state, key, key_hash(key).unwrap())
    }

    fn fill(&mut self, keys: std::ops::Range<u64>, round: u64) {
        let (texts, numbers, maps) = (self.texts(), self.numbers(), self.maps());
        for key in keys.filter(|key| self.owns(*key)).collect::<Vec<_>>() {
            texts.update(&mut self.at(&key), text(key, round)).unwrap();
            numbers.update(&mut self.at(&key), (key + round) as i64).unwrap();
            for entry in 0..3 {
                maps.put(&mut self.at(&key), entry, text(key, round + u64::from(entry))).unwrap();
            }
        }
    }

    fn read(&mut self) -> BTreeMap<u64, String> {
        let texts = self.texts();
        let mut found = BTreeMap::new();
        let visit = |mut current: CurrentKey<'_, u64>| {
            let text = texts.value(&mut current)?;
            found.extend(text.map(|text| (*current.key, text)));
            Ok::<_, StateError>(())
        };
        self.state.for_each_key(texts, visit).unwrap();
        found
    }

    fn read_maps(&mut self) -> BTreeMap<u64, String> {
        let maps = self.maps();
        let own: Vec<_> = (0..KEYS).filter(|key| self.owns(*key)).collect();
        let mut joined = |key: u64| {
            let texts = (0..3).filter_map(|entry| maps.get(&mut self.at(&key), &entry).unwrap().cloned());
            let texts: Vec<_> = texts.collect();
            (!texts.is_empty()).then(|| (key, texts.join(",")))
        };
        own.into_iter().filter_map(&mut joined).collect()
    }

    fn read_numbers(&mut self) -> BTreeMap<u64, i64> {
        let numbers = self.numbers();
        let own: Vec<_> = (0..KEYS).filter(|key| self.owns(*key)).collect();
        let read = own.into_iter().filter_map(|key| Some((key, numbers.value(&mut self.at(&key)).unwrap()?)));
        read.collect()
    }

    /// The files of the store as checkpoint 1 has them, below a directory.
    fn files(&mut self, stored: &Path) -> OperatorSnapshot {
        let mut taken = Taken::default();
        self.state.begin_snapshot(SnapshotRequest::changes(1, None).or_files()).unwrap();
        assert!(self.state.drain_snapshot(&mut SnapshotBudget::unlimited(), &mut taken).unwrap());
        let local = taken.files.unwrap();
        assert!(taken.state.keyed.iter().all(|state| state.groups.is_empty()), "entries are in the files");
        let storage = CheckpointStorage::FileSystem {
            directory: stored.to_str().unwrap().to_owned(),
            create_subdir: true,
        };
        let directory =
            CheckpointDirectory::new(JobKey(1), &storage, 0, u64::from(self.range.start)).unwrap();
        let target = directory.checkpoint(1);
        let files = local.files.iter().map(|file| {
            let scope = if file.is_lasting { FileScope::Shared } else { FileScope::Exclusive };
            let content = target.store_local(&file.name, scope, &local.directory.path().join(&file.name));
            StoreFile { name: file.name.clone(), content: content.unwrap() }
        });
        let store = StoreFiles {
            checkpoint: 1,
            operator: 1,
            backend: local.backend.clone(),
            instance: 1,
            key_groups: local.key_groups,
            files: files.collect(),
        };
        let stores = vec![StoreImage::of(&target.source(), store)];
        OperatorSnapshot { stores, ..taken.state }
    }
}

fn text(key: u64, round: u64) -> String {
    format!("{key} in round {round} {}", "x".repeat(key as usize % 200))
}

fn expected(round: u64) -> BTreeMap<u64, String> {
    (0..KEYS).map(|key| (key, text(key, round))).collect()
}

fn expected_maps(round: u64) -> BTreeMap<u64, String> {
    (0..KEYS).map(|key| (key, [0, 1, 2].map(|entry| text(key, round + entry)).join(","))).collect()
}

/// Takes a snapshot as it comes.
#[derive(Default)]
struct Taken {
    state: OperatorSnapshot,
    files: Option<LocalFiles>,
}

impl SnapshotSink for Taken {
    fn keyed_state(&mut self, meta: &KeyedStateMeta) -> Result<u32, StateError> {
        self.state.keyed_state(meta)
    }

    fn entries(&mut self, state: u32, group: u32, count: u64, bytes: &[u8]) -> Result<(), StateError> {
        self.state.entries(state, group, count, bytes)
    }

    fn files(&mut self, files: LocalFiles) -> Result<(), StateError> {
        self.files = Some(files);
        Ok(())
    }

    fn operator_state(&mut self, state: &OperatorStateSnapshot) -> Result<(), StateError> {
        self.state.operator_state(state)
    }
}

fn all<T: Ord>(
    subjects: &mut [Subject],
    read: impl Fn(&mut Subject) -> BTreeMap<u64, T>,
) -> BTreeMap<u64, T> {
    let mut found = BTreeMap::new();
    for subject in subjects {
        let own = read(subject);
        assert!(own.keys().all(|key| subject.owns(*key)), "a subtask has what another owns");
        let before = found.len() + own.len();
        found.extend(own);
        assert_eq!(found.len(), before, "no key is in two subtasks");
    }
    found
}

#[test]
fn state_comes_back_from_files_at_any_parallelism_and_goes_into_files_again() {
    for (old, new) in [(1, 1), (2, 2), (1, 2), (2, 1), (2, 3), (3, 2), (5, 1)] {
        let (base, stored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut taken = Vec::new();
        for subtask in 0..old {
            let mut subject = Subject::open(base.path(), subtask, old, OperatorSnapshot::default());
            subject.fill(0..KEYS, 1);
            subject.fill(0..KEYS / 2, 2);
            subject.fill(0..KEYS / 2, 1);
            taken.push(subject.files(stored.path()));
            subject.fill(0..KEYS, 3);
        }
        let open = |taken: &[OperatorSnapshot], parallelism: u32| -> Vec<_> {
            let parts = redistribute(taken, parallelism, GROUPS).into_iter().zip(0..);
            parts.map(|(part, at)| Subject::open(base.path(), at, parallelism, part)).collect()
        };
        let mut restored = open(&taken, new);
        assert_eq!(all(&mut restored, Subject::read), expected(1), "{old} to {new}");
        assert_eq!(all(&mut restored, Subject::read_numbers).len(), KEYS as usize, "{old} to {new}");
        assert_eq!(all(&mut restored, Subject::read_maps), expected_maps(1), "{old} to {new}");
        // What was changed before and what has changed since, from instances that were put together.
        restored.iter_mut().for_each(|subject| subject.fill(KEYS / 3..KEYS, 4));
        let again = tempfile::tempdir().unwrap();
        let taken: Vec<_> = restored.iter_mut().map(|subject| subject.files(again.path())).collect();
        let mut whole = open(&taken, 1);
        let mut expected = expected(1);
        expected.extend((KEYS / 3..KEYS).map(|key| (key, text(key, 4))));
        assert_eq!(all(&mut whole, Subject::read), expected, "{old} to {new} to 1");
    }
}

#[test]
fn local_files_and_directories_are_gone_when_nobody_needs_them() {
    let (base, stored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let parts: Vec<_> = (0..2)
        .map(|subtask| {
            let mut subject = Subject::open(base.path(), subtask, 2, OperatorSnapshot::default());
            subject.fill(0..KEYS, 1);
            subject.files(stored.path())
        })
        .collect();
    let left = || std::fs::read_dir(base.path()).unwrap().count();
    assert_eq!(left(), 0);
    let merged = redistribute(&parts, 1, GROUPS).remove(0);
    let subject = Subject::open(base.path(), 0, 1, merged);
    assert_eq!(left(), 1, "that of the subtask");
    drop(subject);
    assert_eq!(left(), 0);
}

#[test]
fn a_state_that_nobody_registers_goes_on_into_files_and_into_full_snapshots() {
    let (base, stored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut subject = Subject::open(base.path(), 0, 1, OperatorSnapshot::default());
    subject.fill(0..KEYS, 1);
    let first = subject.files(stored.path());
    drop(subject);
    // The function that has it is gone for a while.
    let mut without = Subject::open(base.path(), 0, 1, first);
    without.numbers();
    let again = tempfile::tempdir().unwrap();
    let second = without.files(again.path());
    let full = without.state.snapshot().unwrap();
    drop(without);
    let whole = OperatorSnapshot { keyed: full, ..OperatorSnapshot::default() };
    for taken in [second, whole] {
        let mut back = Subject::open(base.path(), 0, 1, taken);
        assert_eq!(back.read(), expected(1));
        assert_eq!(back.read_maps(), expected_maps(1));
        assert_eq!(back.read_numbers().len(), KEYS as usize);
    }
}

#[test]
fn values_are_read_as_the_type_that_they_have_now() {
    let (base, stored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut subject = Subject::open(base.path(), 0, 1, OperatorSnapshot::default());
    let narrow = subject.state.value_state(ValueStateDescriptor::<i32>::new("wider now")).unwrap();
    let maps = subject.state.map_state(MapStateDescriptor::<u8, i32>::new("wider maps")).unwrap();
    for key in 0..KEYS {
        narrow.update(&mut subject.at(&key), -(key as i32)).unwrap();
        maps.put(&mut subject.at(&key), 1, -(key as i32)).unwrap();
    }
    let taken = subject.files(stored.path());
    let mut back = Subject::open(base.path(), 0, 1, taken.clone());
    let wide = back.state.value_state(ValueStateDescriptor::<i64>::new("wider now")).unwrap();
    let maps = back.state.map_state(MapStateDescriptor::<u8, i64>::new("wider maps")).unwrap();
    for key in 0..KEYS {
        assert_eq!(wide.value(&mut back.at(&key)).unwrap(), Some(-(key as i64)));
        assert_eq!(maps.get(&mut back.at(&key), &1).unwrap(), Some(&-(key as i64)));
    }
    // Once more from the files of the one that has read them.
    let again = tempfile::tempdir().unwrap();
    let mut third = Subject::open(base.path(), 0, 1, back.files(again.path()));
    let wide = third.state.value_state(ValueStateDescriptor::<i64>::new("wider now")).unwrap();
    assert_eq!(wide.value(&mut third.at(&7)).unwrap(), Some(-7));
    // A type that it can't be read as is refused.
    let mut other = Subject::open(base.path(), 0, 1, taken);
    let error = other.state.value_state(ValueStateDescriptor::<String>::new("wider now")).err().unwrap();
    assert!(error.to_string().contains("wider now"), "{error}");
}

#[test]
fn a_damaged_file_and_files_of_another_backend_are_refused() {
    let (base, stored) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut subject = Subject::open(base.path(), 0, 1, OperatorSnapshot::default());
    subject.fill(0..KEYS, 1);
    let mut taken = subject.files(stored.path());
    let scope = BackendScope {
        operator: "count".to_owned(),
        subtask: 0,
        key_groups: subject.range,
        max_parallelism: GROUPS,
    };
    let open = |backend: &dyn StateBackend, taken: &OperatorSnapshot| {
        let opened = KeyedState::<u64>::with_stores(&scope, backend, taken.keyed.clone(), &taken.stores);
        opened.err().unwrap().to_string()
    };
    let refused = open(&flott_state::HashMapStateBackend, &taken);
    assert_eq!(
        refused,
        "the checkpoint holds files of state backend 'rocksdb', which 'hashmap' can't read; start with \
         state.backend.type rocksdb, or from a savepoint, which every backend reads"
    );
    let path = taken.stores[0].files.stored().find(|file| file.path.contains(".sst")).unwrap().path.clone();
    let path = stored.path().join(JobKey(1).to_string()).join(path);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x40;
    std::fs::write(&path, bytes).unwrap();
    let damaged = open(backend(base.path()).as_ref(), &taken);
    assert!(damaged.contains("is damaged: the checksum of its content is"), "{damaged}");
    assert!(!damaged.contains('\n'), "{damaged}");
    taken.stores[0].files.backend = "another".to_owned();
    assert!(open(backend(base.path()).as_ref(), &taken).contains("files of state backend 'another'"));
}
