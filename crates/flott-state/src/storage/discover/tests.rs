use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::format::{
    CheckpointMetadata, OperatorMetadata, SnapshotForm, SnapshotHandle, StateFileEncoder, SubtaskState,
    TaskMetadata,
};
use crate::snapshot::{OperatorStateSnapshot, RedistributionMode, SnapshotSink};
use crate::storage::{CheckpointDirectory, CheckpointStorage, FileScope};

/// Takes a checkpoint of a job, with one file of state.
fn take(url: &str, job: u128, checkpoint: u64, completed_ms: u64) -> String {
    let storage = CheckpointStorage::FileSystem { directory: url.to_owned(), create_subdir: true };
    let directory = CheckpointDirectory::new(JobKey(job), &storage, 0, 0).unwrap();
    let target = directory.checkpoint(checkpoint);
    let mut encoder = StateFileEncoder::new();
    let state = OperatorStateSnapshot {
        name: "list".to_owned(),
        mode: RedistributionMode::Union,
        element_type: crate::StateType::of::<u8>(),
        elements: vec![vec![1; 40]],
    };
    encoder.operator(1).operator_state(&state).unwrap();
    let part = target.store("0-0", FileScope::Shared, encoder).unwrap();
    let operator = OperatorMetadata { id: 1, name: String::new(), uid: None, coordinator_state: Vec::new() };
    let task = TaskMetadata {
        name: String::new(),
        max_parallelism: 128,
        operators: vec![operator],
        subtasks: vec![SubtaskState::Stored(SnapshotHandle { parts: vec![part], checkpointed_bytes: 0 })],
    };
    let metadata = CheckpointMetadata {
        checkpoint,
        form: SnapshotForm::Checkpoint,
        job: JobKey(job),
        job_name: String::new(),
        flott_version: String::new(),
        triggered_ms: 0,
        completed_ms,
        aligned: true,
        tasks: vec![task],
    };
    directory.complete(&target, &metadata).unwrap()
}

fn latest_id(url: &str) -> Option<u64> {
    latest_checkpoint(url).unwrap().checkpoint.map(|stored| stored.metadata.checkpoint)
}

/// The files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn where_nothing_is_there_is_no_checkpoint() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    assert_eq!(latest_id(path), None);
    assert_eq!(latest_id(&format!("{path}/not/there")), None);
}

#[test]
fn the_newest_is_found_by_time_and_then_by_id_whichever_job_took_it() {
    let url = "memory://the newest";
    let _keep = url::open(url).unwrap();
    take(url, 1, 7, 100);
    take(url, 2, 3, 200);
    take(url, 2, 4, 200);
    take(url, 3, 9, 50);
    let found = find_checkpoints(url).unwrap();
    let ids: Vec<_> = found.checkpoints.iter().map(|stored| stored.metadata.checkpoint).collect();
    assert_eq!(ids, [4, 3, 7, 9]);
    assert_eq!(latest_id(url), Some(4));
    assert_eq!(latest_id(&format!("{url}/{}", JobKey(1))), Some(7));
}

#[test]
fn what_never_completed_is_not_found() {
    let url = "memory://never completed";
    let store = url::open(url).unwrap();
    take(url, 1, 7, 100);
    store.create(&format!("{}/chk-8/0-0", JobKey(1)), b"half").unwrap();
    store.create(&format!("{}/chk-9/_metadata.0.tmp", JobKey(1)), b"half").unwrap();
    store.create("chk-x/_metadata", b"").unwrap();
    store.create("notes/chk-9/_metadata", b"").unwrap();
    let latest = latest_checkpoint(url).unwrap();
    assert_eq!(latest.checkpoint.unwrap().metadata.checkpoint, 7);
    assert!(latest.passed_over.is_empty(), "{:?}", latest.passed_over);
}

#[test]
fn each_damaged_or_missing_file_of_the_newest_is_named_and_the_next_older_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    take(path, 1, 1, 100);
    let newest = take(path, 2, 2, 200);
    assert_eq!(latest_id(path), Some(2));
    let own = Path::new(newest.strip_prefix("file://").unwrap()).parent().unwrap().to_owned();
    let files = files(&own);
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let whole = fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 4;
        let damages: [(&str, Option<&[u8]>); 4] = [
            ("flipped", Some(&flipped)),
            ("cut", Some(&whole[..whole.len() / 2])),
            ("empty", Some(b"")),
            ("missing", None),
        ];
        for (damage, bytes) in damages {
            match bytes {
                Some(bytes) => fs::write(&file, bytes).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let latest = latest_checkpoint(path).unwrap();
            let found = latest.checkpoint.unwrap().metadata.checkpoint;
            assert_eq!(found, 1, "{damage} {}", file.display());
            // A checkpoint whose metadata is gone is none.
            if damage != "missing" || !file.ends_with(METADATA_FILE) {
                let [why] = latest.passed_over.as_slice() else { panic!("{:?}", latest.passed_over) };
                assert!(why.to_string().contains(file.to_str().unwrap()), "{damage}: {why}");
            }
            fs::write(&file, &whole).unwrap();
        }
    }
    assert_eq!(latest_id(path), Some(2));
}
