//! A snapshot of each released version of the format stays in `tests/fixtures` and is read for ever.

use std::fs;
use std::path::PathBuf;

use flott_core::key_group::KeyGroupRange;
use flott_state::format::{
    CheckpointMetadata, JobKey, OperatorMetadata, SnapshotForm, SnapshotHandle, StateFileEncoder,
    SubtaskState, TaskMetadata,
};
use flott_state::storage::{
    self, CheckpointDirectory, CheckpointStorage, FileScope, SnapshotTarget, StoredSnapshot,
};
use flott_state::{
    KeyedStateMeta, OperatorSnapshot, OperatorStateSnapshot, RedistributionMode, SnapshotSink, StateKind,
    StateType,
};

const JOB: JobKey = JobKey(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
const SOURCE: u128 = 0xaaaa;
const SUM: u128 = 0xbbbb;
const ALL: KeyGroupRange = KeyGroupRange { start: 0, end: 128 };

fn fixture() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/snapshot-v1")
}

/// The state of the summing operator in a subtask: S83's counts, and a timer.
fn fill(sink: &mut dyn SnapshotSink, subtask: u32) {
    let sum = KeyedStateMeta {
        name: "sum".to_owned(),
        kind: StateKind::Value,
        ttl: false,
        types: StateType::of_each::<String, (), i64>(),
    };
    let timers = KeyedStateMeta {
        name: "timers".to_owned(),
        kind: StateKind::EventTimers,
        ttl: false,
        types: StateType::of_each::<String, (), i64>(),
    };
    let sum = sink.keyed_state(&sum).unwrap();
    let timers = sink.keyed_state(&timers).unwrap();
    let (group, key, count) = if subtask == 0 { (17, "hello", 2_i64) } else { (90, "world", 1) };
    let entry = |number: i64| flott_core::encoding::to_vec(&(key, (), number)).unwrap();
    sink.entries(sum, group, 1, &entry(count)).unwrap();
    sink.entries(timers, group, 1, &entry(1_000)).unwrap();
    let offsets = OperatorStateSnapshot {
        name: "offsets".to_owned(),
        mode: RedistributionMode::SplitDistribute,
        element_type: StateType::of::<u64>(),
        elements: vec![3_u64.to_le_bytes().to_vec(), 4_u64.to_le_bytes().to_vec()],
    };
    sink.operator_state(&offsets).unwrap();
}

fn expected(subtask: u32) -> OperatorSnapshot {
    let mut snapshot = OperatorSnapshot::default();
    fill(&mut snapshot, subtask);
    snapshot
}

/// Subtask 0 is inlined, subtask 1 is in a file.
fn handle(target: &SnapshotTarget, subtask: u32) -> SubtaskState {
    let mut encoder = StateFileEncoder::new();
    fill(&mut encoder.operator(SUM), subtask);
    if subtask == 1 {
        let large = OperatorStateSnapshot {
            name: "large".to_owned(),
            mode: RedistributionMode::Broadcast,
            element_type: StateType::of::<(String, Vec<u8>)>(),
            elements: vec![flott_core::encoding::to_vec(&("key", vec![7_u8; 1_000])).unwrap()],
        };
        encoder.operator(SUM + 1).operator_state(&large).unwrap();
    }
    let part = target.store(&format!("1-{subtask}"), FileScope::Exclusive, encoder).unwrap();
    SubtaskState::Stored(SnapshotHandle { checkpointed_bytes: part.size(), parts: vec![part] })
}

fn operator(id: u128, name: &str, uid: Option<&str>, coordinator_state: &[u8]) -> OperatorMetadata {
    OperatorMetadata {
        id,
        name: name.to_owned(),
        uid: uid.map(str::to_owned),
        coordinator_state: coordinator_state.to_owned(),
    }
}

fn metadata(target: &SnapshotTarget) -> CheckpointMetadata {
    let source = TaskMetadata {
        name: "words".to_owned(),
        max_parallelism: 128,
        operators: vec![operator(SOURCE, "words", None, b"splits")],
        subtasks: vec![SubtaskState::Finished],
    };
    let sum = TaskMetadata {
        name: "sum -> map".to_owned(),
        max_parallelism: 128,
        operators: vec![operator(SUM, "sum", Some("sum"), b""), operator(SUM + 1, "map", None, b"")],
        subtasks: vec![handle(target, 0), handle(target, 1)],
    };
    CheckpointMetadata {
        checkpoint: 3,
        form: SnapshotForm::Savepoint,
        job: JOB,
        job_name: "word count".to_owned(),
        flott_version: "0.1.0".to_owned(),
        triggered_ms: 1_700_000_000_000,
        completed_ms: 1_700_000_000_250,
        aligned: true,
        tasks: vec![source, sum],
    }
}

fn check(stored: &StoredSnapshot) {
    stored.verify().unwrap();
    let (task, found) = stored.metadata.operator(SUM).unwrap();
    assert_eq!((found.uid.as_deref(), task.parallelism(), task.max_parallelism), (Some("sum"), 2, 128));
    for (subtask, handle) in task.handles() {
        assert_eq!(stored.source.operator(handle, SUM, ALL).unwrap(), expected(subtask));
    }
    let (source, operator) = stored.metadata.operator(SOURCE).unwrap();
    assert_eq!(source.subtasks, [SubtaskState::Finished]);
    assert_eq!(operator.coordinator_state, b"splits");
}

#[test]
fn a_snapshot_of_version_1_is_read_for_ever() {
    let stored = StoredSnapshot::open(fixture().to_str().unwrap()).unwrap();
    check(&stored);
    assert_eq!(stored.metadata.job_name, "word count");
}

/// A difference is another format: it needs another version, and a fixture of its own. `FLOTT_WRITE_FIXTURES=1` writes this one, for
/// as long as no release has it.
#[test]
fn version_1_is_still_written_byte_for_byte() {
    let url = "memory://the fixture";
    let store = storage::open(url).unwrap();
    let nowhere = CheckpointStorage::JobManager { largest_state: 0 };
    let directory = CheckpointDirectory::new(JOB, &nowhere, 700, 0x5a17).unwrap();
    let target = directory.savepoint(3, url, 0x0102_0304_0506).unwrap();
    let location = directory.complete(&target, &metadata(&target)).unwrap();
    check(&StoredSnapshot::open(&location).unwrap());

    let files = store.list("").unwrap();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let bytes = store.get(&file.path).unwrap();
        let kept = fixture().join(file.path.rsplit_once('/').unwrap().1);
        if std::env::var_os("FLOTT_WRITE_FIXTURES").is_some() {
            fs::create_dir_all(fixture()).unwrap();
            fs::write(&kept, &bytes).unwrap();
        }
        assert_eq!(fs::read(&kept).unwrap(), bytes, "{}", kept.display());
    }
}
