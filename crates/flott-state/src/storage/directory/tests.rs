use flott_core::key_group::KeyGroupRange;

use super::*;
use crate::format::{
    OperatorMetadata, SnapshotForm, SnapshotHandle, StateFileEncoder, StatePart, SubtaskState, TaskMetadata,
};
use crate::snapshot::{OperatorSnapshot, OperatorStateSnapshot, RedistributionMode, SnapshotSink};
use crate::storage::{BlobInfo, BlobWriter, FileScope, StoredSnapshot};

const JOB: JobKey = JobKey(0xabc);
const SALT: u64 = 0x5a17;
const INLINE_BELOW: u64 = 20 << 10;

fn files(directory: &str) -> CheckpointStorage {
    CheckpointStorage::FileSystem { directory: directory.to_owned(), create_subdir: true }
}

/// State of about this many bytes.
fn state(bytes: usize) -> OperatorSnapshot {
    let elements = vec![vec![7; bytes]];
    let state = OperatorStateSnapshot {
        name: "list".to_owned(),
        mode: RedistributionMode::Union,
        element_type: crate::StateType::of::<u8>(),
        elements,
    };
    OperatorSnapshot { keyed: Vec::new(), operator: vec![state], ..OperatorSnapshot::default() }
}

fn store(target: &SnapshotTarget, subtask: &str, bytes: usize) -> Result<StatePart, StorageError> {
    let mut encoder = StateFileEncoder::new();
    encoder.operator(1).operator_state(&state(bytes).operator[0]).unwrap();
    target.store(subtask, FileScope::Exclusive, encoder)
}

fn metadata(target: &SnapshotTarget, form: SnapshotForm, parts: Vec<StatePart>) -> CheckpointMetadata {
    let subtasks = parts.into_iter().map(|part| {
        SubtaskState::Stored(SnapshotHandle { checkpointed_bytes: part.size(), parts: vec![part] })
    });
    let operator =
        OperatorMetadata { id: 1, name: "map".to_owned(), uid: None, coordinator_state: Vec::new() };
    let task = TaskMetadata {
        name: "map".to_owned(),
        max_parallelism: 128,
        operators: vec![operator],
        subtasks: subtasks.collect(),
    };
    CheckpointMetadata {
        checkpoint: target.checkpoint(),
        form,
        job: JOB,
        job_name: "test".to_owned(),
        flott_version: "0.1.0".to_owned(),
        triggered_ms: 1,
        completed_ms: 2,
        aligned: true,
        tasks: vec![task],
    }
}

/// The state of each subtask.
fn states(stored: &StoredSnapshot) -> Vec<OperatorSnapshot> {
    let (task, _) = stored.metadata.operator(1).unwrap();
    let all = KeyGroupRange { start: 0, end: 128 };
    task.handles().map(|(_, handle)| stored.source.operator(handle, 1, all).unwrap()).collect()
}

#[test]
fn a_completed_checkpoint_is_read_by_its_location() {
    let temporary = tempfile::tempdir().unwrap();
    for url in [temporary.path().to_str().unwrap(), "memory://a completed checkpoint/cp"] {
        let keep = url::open(url).unwrap();
        let directory = CheckpointDirectory::new(JOB, &files(url), INLINE_BELOW, SALT).unwrap();
        let target = directory.checkpoint(7);
        let parts = vec![store(&target, "0-0", 100).unwrap(), store(&target, "0-1", 50_000).unwrap()];
        assert!(matches!(&parts[0], StatePart::Inline(_)));
        let StatePart::File(file) = &parts[1] else { panic!("{:?} is inlined", parts[1]) };
        assert_eq!(file.path, "chk-7/0-1-0000000000005a17");

        let metadata = metadata(&target, SnapshotForm::Checkpoint, parts);
        let location = directory.complete(&target, &metadata).unwrap();
        assert_eq!(location, format!("{}/{JOB}/chk-7", keep.url()));
        for url in [location.clone(), format!("{location}/"), format!("{location}/_metadata")] {
            let stored = StoredSnapshot::open(&url).unwrap();
            assert_eq!(stored.metadata, metadata);
            assert_eq!(stored.location(), location);
            stored.verify().unwrap();
            assert_eq!(states(&stored), [state(100), state(50_000)]);
        }
    }
}

#[test]
fn a_savepoint_can_be_moved() {
    let temporary = tempfile::tempdir().unwrap();
    let path = |name| temporary.path().join(name).to_str().unwrap().to_owned();
    let directory = CheckpointDirectory::new(JOB, &files(&path("cp")), INLINE_BELOW, SALT).unwrap();
    let target = directory.savepoint(8, &path("sp"), 0x1234_5678_9abc).unwrap();
    let part = store(&target, "0-0", 50_000).unwrap();
    let metadata = metadata(&target, SnapshotForm::Savepoint, vec![part]);
    let location = directory.complete(&target, &metadata).unwrap();
    assert_eq!(location, format!("file://{}/savepoint-000000-123456789abc", path("sp")));

    std::fs::rename(location.strip_prefix("file://").unwrap(), path("elsewhere")).unwrap();
    let stored = StoredSnapshot::open(&path("elsewhere")).unwrap();
    stored.verify().unwrap();
    assert_eq!(states(&stored), [state(50_000)]);
}

#[test]
fn without_a_directory_of_its_own_a_job_writes_beside_others() {
    let url = "memory://without a directory";
    let keep = url::open(url).unwrap();
    let storage = CheckpointStorage::FileSystem { directory: url.to_owned(), create_subdir: false };
    let directory = CheckpointDirectory::new(JOB, &storage, INLINE_BELOW, SALT).unwrap();
    let target = directory.checkpoint(1);
    directory.complete(&target, &metadata(&target, SnapshotForm::Checkpoint, vec![])).unwrap();
    assert_eq!(keep.children("").unwrap(), ["chk-1"]);
}

#[test]
fn a_checkpoint_completes_once() {
    let directory = CheckpointDirectory::new(JOB, &files("memory://once"), INLINE_BELOW, SALT).unwrap();
    let target = directory.checkpoint(1);
    let first = metadata(&target, SnapshotForm::Checkpoint, vec![]);
    directory.complete(&target, &first).unwrap();
    directory.complete(&target, &first).unwrap();
    let other = CheckpointMetadata { triggered_ms: 99, ..first };
    let error = directory.complete(&target, &other).unwrap_err();
    assert!(matches!(error, StorageError::AlreadyExists { .. }), "{error}");
}

#[test]
fn s109_too_much_state_for_the_memory_of_the_coordinator_fails_the_checkpoint() {
    let storage = CheckpointStorage::JobManager { largest_state: CheckpointStorage::LARGEST_STATE };
    let directory = CheckpointDirectory::new(JOB, &storage, INLINE_BELOW, SALT).unwrap();
    let target = directory.checkpoint(1);
    let error = store(&target, "map-0", 5 << 20).unwrap_err().to_string();
    assert!(
        error.starts_with("the state of map-0 takes 52430") && error.contains("above the 5242880"),
        "{error}"
    );

    let part = store(&target, "map-0", 5_000_000).unwrap();
    assert!(matches!(part, StatePart::Inline(_)));
    let handle = SnapshotHandle { checkpointed_bytes: part.size(), parts: vec![part.clone()] };
    let all = KeyGroupRange { start: 0, end: 128 };
    assert_eq!(directory.source().operator(&handle, 1, all).unwrap(), state(5_000_000));
    directory.complete(&target, &metadata(&target, SnapshotForm::Checkpoint, vec![part])).unwrap();
}

#[test]
fn a_checkpoint_on_top_of_what_was_not_kept_does_not_complete() {
    let directory = CheckpointDirectory::new(JOB, &files("memory://lost base"), 0, SALT).unwrap();
    let complete = |target: &SnapshotTarget, part: &StatePart| {
        directory.complete(target, &metadata(target, SnapshotForm::Checkpoint, vec![part.clone()]))
    };
    let share =
        |target: &SnapshotTarget| target.store("0-0", FileScope::Shared, StateFileEncoder::new()).unwrap();

    let first = directory.checkpoint(1);
    let base = share(&first);
    let early = directory.checkpoint(2);
    let location = complete(&first, &base).unwrap();
    let error = complete(&early, &base).unwrap_err();
    assert!(matches!(error, StorageError::LostBase { checkpoint: 2, .. }), "{error}");

    let third = directory.checkpoint(3);
    directory.discard(&location).unwrap();
    let location = complete(&third, &base).unwrap();
    StoredSnapshot::open(&location).unwrap().verify().unwrap();
    let error = complete(&directory.checkpoint(4), &store(&first, "0-1", 1).unwrap()).unwrap_err();
    assert!(matches!(error, StorageError::LostBase { checkpoint: 4, .. }), "{error}");
}

#[test]
fn what_a_crash_left_is_cleaned_only_from_a_directory_of_the_jobs_own() {
    for (create_subdir, left) in [(true, 1), (false, 2)] {
        let url = format!("memory://a crash {create_subdir}");
        let storage = CheckpointStorage::FileSystem { directory: url.clone(), create_subdir };
        let before = CheckpointDirectory::new(JOB, &storage, 0, SALT).unwrap();
        let target = before.checkpoint(1);
        before.complete(&target, &metadata(&target, SnapshotForm::Checkpoint, vec![])).unwrap();
        store(&before.checkpoint(2), "0-0", 10).unwrap();

        let after = CheckpointDirectory::new(JOB, &storage, 0, SALT + 1).unwrap();
        after.clean().unwrap();
        assert_eq!(url::open(&url).unwrap().list("").unwrap().len(), left);
    }
}

#[test]
fn a_savepoint_that_fails_leaves_nothing_and_one_that_is_disposed_of_neither() {
    let url = "memory://savepoints";
    let keep = url::open(url).unwrap();
    keep.create("notes", b"of the user").unwrap();
    let directory = CheckpointDirectory::new(JOB, &files("memory://checkpoints of these"), 0, SALT).unwrap();
    let failed = directory.savepoint(1, url, 1).unwrap();
    store(&failed, "0-0", 10).unwrap();
    directory.discard_pending(&failed).unwrap();
    assert_eq!(keep.children("").unwrap(), ["notes"]);

    let target = directory.savepoint(2, url, 2).unwrap();
    let part = store(&target, "0-0", 10).unwrap();
    let location =
        directory.complete(&target, &metadata(&target, SnapshotForm::Savepoint, vec![part])).unwrap();
    let late = SnapshotHandle { parts: vec![store(&target, "late", 10).unwrap()], checkpointed_bytes: 0 };
    directory.discard_late(&target, &late).unwrap();
    StoredSnapshot::open(&location).unwrap().verify().unwrap();
    directory.discard(&location).unwrap();
    assert_eq!(keep.children("").unwrap(), ["notes"]);
}

#[test]
fn a_checkpoint_that_is_given_up_takes_nothing_of_another_job_with_it_in_a_directory_that_they_share() {
    let url = "memory://shared by jobs";
    let together = CheckpointStorage::FileSystem { directory: url.to_owned(), create_subdir: false };
    let [one, other] = [(JOB, 1), (JobKey(0xdef), 2)]
        .map(|(job, salt)| CheckpointDirectory::new(job, &together, 0, salt).unwrap());
    let write = |directory: &CheckpointDirectory| {
        let target = directory.checkpoint(7);
        let parts = [FileScope::Shared, FileScope::Exclusive].map(|scope| {
            let mut encoder = StateFileEncoder::new();
            encoder.operator(1).operator_state(&state(10).operator[0]).unwrap();
            target.store(&format!("{scope:?}"), scope, encoder).unwrap()
        });
        let metadata = metadata(&target, SnapshotForm::Checkpoint, parts.to_vec());
        (target, metadata)
    };
    let (target, of_one) = write(&one);
    let location = one.complete(&target, &of_one).unwrap();
    let (target, mut of_other) = write(&other);
    of_other.job = JobKey(0xdef);
    let refused = other.complete(&target, &of_other).unwrap_err();
    assert!(matches!(refused, StorageError::AlreadyExists { .. }), "{refused}");
    other.discard_pending(&target).unwrap();
    StoredSnapshot::open(&location).unwrap().verify().unwrap();
    let store = url::open(url).unwrap();
    assert_eq!(store.list("").unwrap().len(), 3, "what the other had written is gone");
}

/// Deletes no blob whose path ends like this.
#[derive(Debug)]
struct Stubborn(MemoryBlobStore, &'static str);

/// The names of the files that are there, without what tells them from those of other runs.
fn names(blobs: &MemoryBlobStore) -> Vec<String> {
    let salt = format!("-{SALT:016x}");
    let name = |path: &str| path.strip_prefix(&format!("{JOB}/")).unwrap().replace(&salt, "");
    blobs.list("").unwrap().iter().map(|blob| name(&blob.path)).collect()
}

impl BlobStore for Stubborn {
    fn url(&self) -> &str {
        self.0.url()
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.0.create(path, bytes)
    }

    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError> {
        self.0.writer(path)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        self.0.get(path)
    }

    fn get_range(&self, path: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>, StorageError> {
        self.0.get_range(path, range)
    }

    fn size(&self, path: &str) -> Result<u64, StorageError> {
        self.0.size(path)
    }

    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError> {
        self.0.list(directory)
    }

    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        self.0.children(directory)
    }

    fn delete(&self, path: &str) -> Result<(), StorageError> {
        if path.contains(self.1) {
            return Err(StorageError::Io {
                action: "delete",
                place: path.to_owned(),
                reason: "no".to_owned(),
            });
        }
        self.0.delete(path)
    }
}

/// What is left of a checkpoint of three files that is discarded where nothing is deleted whose path has this in it.
fn left_of_a_checkpoint(stubborn: &'static str) -> Vec<String> {
    let mut directory =
        CheckpointDirectory::new(JOB, &files("memory://stubborn"), INLINE_BELOW, SALT).unwrap();
    let blobs = MemoryBlobStore::new();
    directory.store = Arc::new(Stubborn(blobs.clone(), stubborn));
    let target = directory.checkpoint(1);
    let parts = ["0-0", "0-1", "0-2"].map(|subtask| store(&target, subtask, 30_000).unwrap());
    let location =
        directory.complete(&target, &metadata(&target, SnapshotForm::Checkpoint, parts.into())).unwrap();
    assert!(directory.discard(&location).is_err());
    names(&blobs)
}

#[test]
fn a_file_that_cannot_be_deleted_keeps_no_other_back() {
    assert_eq!(left_of_a_checkpoint("/0-1"), ["chk-1/0-1"]);
}

#[test]
fn metadata_that_cannot_be_deleted_keeps_all_that_it_refers_to() {
    let all = ["chk-1/0-0", "chk-1/0-1", "chk-1/0-2", "chk-1/_metadata"];
    assert_eq!(left_of_a_checkpoint("/_metadata"), all);
}

/// Writes a checkpoint of a shared file and one of its own, on top of what others have shared.
fn write(
    directory: &CheckpointDirectory,
    checkpoint: u64,
    below: &[StatePart],
) -> (SnapshotTarget, Vec<StatePart>) {
    let target = directory.checkpoint(checkpoint);
    let mut encoder = StateFileEncoder::new();
    encoder.operator(1).operator_state(&state(30_000).operator[0]).unwrap();
    let shared = target.store("s", FileScope::Shared, encoder).unwrap();
    let parts = [below, &[shared, store(&target, "0-0", 30_000).unwrap()]].concat();
    (target, parts)
}

#[test]
fn metadata_that_cannot_be_deleted_keeps_nothing_else_back() {
    let mut directory = CheckpointDirectory::new(JOB, &files("memory://only its own"), 0, SALT).unwrap();
    let blobs = MemoryBlobStore::new();
    directory.store = Arc::new(Stubborn(blobs.clone(), "chk-2/_metadata"));
    let complete = |target: &SnapshotTarget, parts: &[StatePart]| {
        directory.complete(target, &metadata(target, SnapshotForm::Checkpoint, parts.to_vec())).unwrap()
    };
    let (target, first) = write(&directory, 1, &[]);
    let first_location = complete(&target, &first);
    let (target, second) = write(&directory, 2, &first[..1]);
    let second_location = complete(&target, &second);
    let (target, _) = write(&directory, 3, &[]);
    assert!(directory.discard(&second_location).is_err());
    directory.discard(&first_location).unwrap_err();
    directory.discard_pending(&target).unwrap_err();
    let kept = ["chk-2/0-0", "chk-2/_metadata", "shared/1-s", "shared/2-s"];
    assert_eq!(names(&blobs), kept, "what checkpoint 2 refers to");
    // The storage has come to its senses.
    directory.store = Arc::new(blobs.clone());
    directory.sweep_again().unwrap();
    assert_eq!(names(&blobs), [] as [String; 0]);
}

#[test]
fn metadata_of_which_nobody_has_learned_keeps_what_it_refers_to_while_it_cannot_be_deleted() {
    let mut directory = CheckpointDirectory::new(JOB, &files("memory://not learned"), 0, SALT).unwrap();
    let blobs = MemoryBlobStore::new();
    directory.store = Arc::new(Stubborn(blobs.clone(), "chk-2/_metadata"));
    let (target, parts) = write(&directory, 2, &[]);
    let bytes = metadata(&target, SnapshotForm::Checkpoint, parts).to_bytes().unwrap();
    blobs.create(&format!("{JOB}/chk-2/_metadata"), &bytes).unwrap();
    let (other, _) = write(&directory, 3, &[]);
    directory.discard_pending(&target).unwrap_err();
    directory.discard_pending(&other).unwrap_err();
    assert_eq!(names(&blobs), ["chk-2/0-0", "chk-2/_metadata", "shared/2-s"]);
}

#[test]
fn a_savepoint_that_is_given_up_loses_its_metadata_first() {
    let mut directory =
        CheckpointDirectory::new(JOB, &files("memory://given up"), INLINE_BELOW, SALT).unwrap();
    directory.store = Arc::new(MemoryBlobStore::new());
    let mut target = directory.savepoint(1, "memory://given up", 5).unwrap();
    let blobs = MemoryBlobStore::new();
    target.store = Arc::new(Stubborn(blobs.clone(), "/0-0"));
    let parts = vec![store(&target, "0-0", 30_000).unwrap()];
    // It was stored, and nobody has learned of it.
    directory.complete(&target, &metadata(&target, SnapshotForm::Savepoint, parts)).unwrap();
    assert!(directory.discard_pending(&target).is_err());
    let left = blobs.list("").unwrap();
    assert!(left.iter().all(|blob| !blob.path.ends_with(METADATA_FILE)), "{left:?}");
}

/// Stores what it creates, and says that it has failed.
#[derive(Debug)]
struct Unanswering(MemoryBlobStore);

impl BlobStore for Unanswering {
    fn url(&self) -> &str {
        self.0.url()
    }

    fn create(&self, path: &str, bytes: &[u8]) -> Result<(), StorageError> {
        self.0.create(path, bytes)?;
        Err(StorageError::Io { action: "write", place: path.to_owned(), reason: "timed out".to_owned() })
    }

    fn writer(&self, path: &str) -> Result<Box<dyn BlobWriter>, StorageError> {
        self.0.writer(path)
    }

    fn get(&self, path: &str) -> Result<Vec<u8>, StorageError> {
        self.0.get(path)
    }

    fn get_range(&self, path: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>, StorageError> {
        self.0.get_range(path, range)
    }

    fn size(&self, path: &str) -> Result<u64, StorageError> {
        self.0.size(path)
    }

    fn list(&self, directory: &str) -> Result<Vec<BlobInfo>, StorageError> {
        self.0.list(directory)
    }

    fn children(&self, directory: &str) -> Result<Vec<String>, StorageError> {
        self.0.children(directory)
    }

    fn delete(&self, path: &str) -> Result<(), StorageError> {
        self.0.delete(path)
    }
}

#[test]
fn a_checkpoint_is_complete_when_its_metadata_is_stored_although_the_answer_was_lost() {
    let mut directory = CheckpointDirectory::new(JOB, &files("memory://lost"), INLINE_BELOW, SALT).unwrap();
    directory.store = Arc::new(Unanswering(MemoryBlobStore::new()));
    let target = directory.checkpoint(1);
    assert!(directory.complete(&target, &metadata(&target, SnapshotForm::Checkpoint, Vec::new())).is_ok());
}
