use std::fs;

use flott_core::key_group::KeyGroupRange;
use flott_state::disk::files::{Inherited, TemporaryDirectory};
use flott_state::format::JobKey;
use flott_state::storage::{CheckpointDirectory, CheckpointStorage};

use super::*;

const TASK: TaskId = TaskId { vertex: 2, subtask: 1 };

/// The checkpoints of a job in memory of this name.
fn directory(name: &str) -> CheckpointDirectory {
    let storage =
        CheckpointStorage::FileSystem { directory: format!("memory://{name}"), create_subdir: true };
    CheckpointDirectory::new(JobKey(1), &storage, 100, 7).unwrap()
}

/// What a store has, some of it lasting, each file with its name as its content.
fn local(names: &[&str], inherited: Option<Inherited>) -> LocalFiles {
    let path = tempfile::tempdir().unwrap().keep();
    let files = names.iter().map(|name| {
        fs::write(path.join(name), name).unwrap();
        LocalFile { name: (*name).to_owned(), is_lasting: name.ends_with(".sst") }
    });
    let files = files.collect();
    let key_groups = KeyGroupRange { start: 0, end: 64 };
    let directory = Arc::new(TemporaryDirectory::new(path));
    let inherited = inherited.map(Arc::new);
    LocalFiles { backend: "rocksdb".to_owned(), key_groups, directory, files, inherited }
}

fn stored(
    target: &SnapshotTarget,
    scope: FileScope,
    below: Option<(u64, &SnapshotHandle)>,
    attempt: u32,
    local: LocalFiles,
) -> SnapshotHandle {
    let base = below.map(|(base, _)| base);
    let uploads = StoreUploads { target, scope, base, below, task: TASK, attempt };
    uploads.store(vec![(9 << 96, local)]).unwrap().on_top_of(Vec::new(), 0)
}

/// The checkpoints that the lasting files of a handle were written for.
fn writers(handle: &SnapshotHandle) -> Vec<(String, String)> {
    let stores: Vec<_> = handle.stores().collect();
    let [store] = stores.as_slice() else { panic!("{stores:?}") };
    let writer = |file: &StoreFile| match &file.content {
        StoredBytes::Inline(bytes) => {
            assert_eq!(String::from_utf8(bytes.clone()).unwrap(), file.name);
            None
        }
        StoredBytes::File(stored) => {
            let (directory, rest) = stored.path.split_once('/').unwrap();
            let writer = if directory == "shared" { rest.split_once('-').unwrap().0 } else { directory };
            Some((file.name.clone(), writer.to_owned()))
        }
    };
    store.files.iter().filter_map(writer).collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, writer)| ((*name).to_owned(), (*writer).to_owned())).collect()
}

#[test]
fn only_files_that_the_base_does_not_have_are_written() {
    let directory = directory("only new files");
    let first = stored(
        &directory.checkpoint(1),
        FileScope::Shared,
        None,
        0,
        local(&["1.sst", "2.sst", "CURRENT"], None),
    );
    assert_eq!(writers(&first), pairs(&[("1.sst", "1"), ("2.sst", "1")]));
    assert_eq!(first.checkpointed_bytes, 5 + 5 + 7);
    let again = local(&["2.sst", "3.sst", "4.sst", "CURRENT"], None);
    let place = again.directory.path().to_owned();
    let second = stored(&directory.checkpoint(2), FileScope::Shared, Some((1, &first)), 0, again);
    assert_eq!(writers(&second), pairs(&[("2.sst", "1"), ("3.sst", "2"), ("4.sst", "2")]));
    assert_eq!((second.checkpointed_bytes, second.state_bytes()), (5 + 5 + 7, 5 + 5 + 5 + 7));
    assert!(!place.exists(), "the local files are not needed any more");
}

#[test]
fn another_attempt_may_have_given_the_same_names_to_other_files() {
    let directory = directory("another attempt");
    let files = || local(&["1.sst"], None);
    let first = stored(&directory.checkpoint(1), FileScope::Shared, None, 0, files());
    let second = stored(&directory.checkpoint(2), FileScope::Shared, Some((1, &first)), 1, files());
    assert_eq!(writers(&second), pairs(&[("1.sst", "2")]));
}

#[test]
fn what_a_store_was_opened_from_is_not_written_again_as_long_as_it_is_the_base() {
    let directory = directory("inherited");
    let target = directory.checkpoint(1);
    let first = stored(&target, FileScope::Shared, None, 0, local(&["1.sst"], None));
    let StoredBytes::File(file) = first.stores().next().unwrap().files[0].content.clone() else { panic!() };
    let inherited = |root: String, checkpoint| {
        let files = BTreeMap::from([("1.sst".to_owned(), file.clone())]);
        local(&["1.sst", "2.sst"], Some(Inherited { root, checkpoint, files }))
    };
    let expect = |id, local, writer| {
        let handle = stored(&directory.checkpoint(id), FileScope::Shared, Some((1, &first)), 1, local);
        assert_eq!(writers(&handle), pairs(&[("1.sst", writer), ("2.sst", &id.to_string())]));
    };
    expect(2, inherited(target.root(), 1), "1");
    expect(3, inherited(target.root(), 7), "3");
    expect(4, inherited("memory://elsewhere".to_owned(), 1), "4");
    // Not claimed: there is no base.
    let handle = stored(&directory.checkpoint(5), FileScope::Shared, None, 1, inherited(target.root(), 1));
    assert_eq!(writers(&handle), pairs(&[("1.sst", "5"), ("2.sst", "5")]));
}

#[test]
fn a_file_that_is_gone_is_told() {
    let directory = directory("gone");
    for names in [["1.sst"].as_slice(), ["1.sst", "2.sst", "3.sst"].as_slice()] {
        let local = local(names, None);
        fs::remove_file(local.directory.path().join("1.sst")).unwrap();
        let target = directory.checkpoint(1);
        let uploads = StoreUploads {
            target: &target,
            scope: FileScope::Shared,
            base: None,
            below: None,
            task: TASK,
            attempt: 0,
        };
        let error = uploads.store(vec![(1, local)]).unwrap_err().to_string();
        assert!(error.contains("1.sst: No such file or directory"), "{error}");
    }
}
