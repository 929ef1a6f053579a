//! Where the checkpoints of whole jobs are, how many of them, and what happens when they are damaged.

use std::path::{Path, PathBuf};

use flott::prelude::*;
use flott_core::config::{CheckpointRetention, MaxParallelism, MemorySize, keys};
use flott_runtime::checkpoint::options::SavepointFormat;
use flott_state::storage::{BlobStore, MemoryBlobStore, find_checkpoints, latest_checkpoint};

use crate::support::{
    Table, Warnings, digit_sums, env, expected_sums, go_on, in_virtual_time, numbers, slow_metadata,
};

/// Sums of digits, whose checkpoints are in a directory: the newest three, with all state in files.
fn digits(directory: &Path, parallelism: u32) -> (StreamExecutionEnvironment, Table) {
    let (env, table) = (env(parallelism), Table::default());
    env.set(&keys::CHECKPOINT_DIRECTORY, directory.to_str().unwrap().to_owned())
        .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation)
        .set(&keys::RETAINED_CHECKPOINTS, 3)
        .set(&keys::DATA_INLINE_THRESHOLD, MemorySize { bytes: 0 });
    digit_sums(&numbers(&env)).sink_to(table.clone());
    (env, table)
}

/// A directory with the last checkpoints of a job that was cancelled in the middle.
fn cancelled_job() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let (env, _) = digits(directory.path(), 2);
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 5_000);
        handle.cancel();
        handle.wait().unwrap_err();
    });
    directory
}

/// The files of the newest checkpoint: its metadata and its state.
fn newest_files(directory: &Path) -> (Vec<u64>, PathBuf, Vec<PathBuf>) {
    let found = find_checkpoints(directory.to_str().unwrap()).unwrap();
    let ids = found.checkpoints.iter().map(|stored| stored.metadata.checkpoint).collect();
    let place = found.checkpoints[0].location();
    let place = PathBuf::from(place.strip_prefix("file://").unwrap());
    let files = std::fs::read_dir(&place).unwrap().map(|file| file.unwrap().path());
    let (metadata, mut state): (Vec<_>, Vec<_>) = files.partition(|file| file.ends_with("_metadata"));
    state.sort();
    (ids, metadata[0].clone(), state)
}

fn flip(file: &Path) {
    let mut bytes = std::fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(file, bytes).unwrap();
}

fn truncate(file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() - 1]).unwrap();
}

fn delete(file: &Path) {
    std::fs::remove_file(file).unwrap();
}

/// Starts the job from its latest checkpoint and lets it end; what it has warned of at its start.
fn resume(directory: &Path) -> Result<(Table, Vec<String>), String> {
    let (env, table) = digits(directory, 3);
    env.set(&keys::RESTORE_PATH, "latest".to_owned());
    let warnings = Warnings::default();
    let ended = in_virtual_time(2, || {
        let handle = warnings.during(|| env.execute_async()).map_err(|error| error.to_string())?;
        handle.wait().map_err(|error| error.to_string())
    });
    ended.map(|_| (table, warnings.take()))
}

#[test]
fn the_newest_checkpoints_are_kept_when_the_job_is_cancelled_and_it_goes_on_from_the_latest() {
    let directory = cancelled_job();
    let (ids, _, state) = newest_files(directory.path());
    assert_eq!(ids.len(), 3);
    assert!(ids[0] > 30 && ids[1] == ids[0] - 1 && ids[2] == ids[0] - 2, "{ids:?}");
    assert!(!state.is_empty());
    let (table, warnings) = resume(directory.path()).unwrap();
    assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums());
    assert_eq!(warnings, [] as [String; 0]);
}

/// What may happen to a file.
type Damage = fn(&Path);

#[test]
fn a_damaged_file_of_the_newest_checkpoint_is_named_and_the_one_before_is_used() {
    let damages: [(Damage, &str); 3] = [(flip, "flipped"), (truncate, "truncated"), (delete, "deleted")];
    for (damage, what) in damages {
        for which in ["metadata", "state"] {
            let directory = cancelled_job();
            let (ids, metadata, state) = newest_files(directory.path());
            let file = if which == "metadata" { metadata } else { state[0].clone() };
            damage(&file);
            if which == "metadata" && what == "deleted" {
                // Then it never was a checkpoint.
                let latest = latest_checkpoint(directory.path().to_str().unwrap()).unwrap();
                assert_eq!(latest.passed_over.len(), 0);
                assert_eq!(latest.checkpoint.unwrap().metadata.checkpoint, ids[1]);
                continue;
            }
            let (table, warnings) = resume(directory.path()).unwrap();
            assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums(), "{which} {what}");
            let [warning] = warnings.as_slice() else { panic!("{which} {what}: {warnings:?}") };
            assert!(warning.contains(file.to_str().unwrap()), "{which} {what}: {warning}");
        }
    }
}

#[test]
fn a_job_whose_checkpoints_are_all_damaged_refuses_to_start_and_says_why() {
    let directory = cancelled_job();
    for stored in find_checkpoints(directory.path().to_str().unwrap()).unwrap().checkpoints {
        let place = stored.location();
        truncate(&PathBuf::from(place.strip_prefix("file://").unwrap()).join("_metadata"));
    }
    let error = resume(directory.path()).unwrap_err();
    assert!(error.starts_with("the job can't start: ") && error.contains("_metadata"), "{error}");
}

#[test]
fn latest_in_an_empty_directory_is_the_beginning() {
    let directory = tempfile::tempdir().unwrap();
    let (table, _) = resume(directory.path()).unwrap();
    assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums());
}

#[test]
fn s113_only_so_many_checkpoints_are_there_as_are_retained_and_none_after_the_end() {
    for retained in [1, 2] {
        let directory = tempfile::tempdir().unwrap();
        let (env, _) = digits(directory.path(), 2);
        env.set(&keys::RETAINED_CHECKPOINTS, retained);
        env.set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::None);
        let place = directory.path().to_str().unwrap();
        let (there, newest) = in_virtual_time(1, || {
            let handle = env.execute_async().unwrap();
            go_on(&handle, 3_000);
            let newest = handle.trigger_checkpoint().unwrap();
            let found = find_checkpoints(place).unwrap().checkpoints;
            handle.wait().unwrap();
            (found, newest)
        });
        assert!(there.len() as u32 >= retained && there.len() as u32 <= retained + 1, "{}", there.len());
        assert_eq!(there[0].location(), newest);
        assert_eq!(find_checkpoints(place).unwrap().checkpoints.len(), 0, "retained {retained}");
    }
}

/// Remembers a megabyte with each record that has not been seen before.
fn greedy(env: &StreamExecutionEnvironment) {
    numbers(env)
        .map(|n| (n / 100, vec![n as u8; 1 << 20]))
        .key_by(|(key, _)| *key)
        .reduce(|_, next| next)
        .name("Greedy")
        .map(|(key, _)| (key.to_string(), 0))
        .sink_to(Table::default());
}

#[test]
fn s109_more_than_5_mb_in_the_memory_of_the_job_manager_fail_the_checkpoint_with_a_message_of_sizes() {
    // Nothing tolerates it: each start fails at the next checkpoint, until the strategy gives up.
    let env = env(1);
    env.set(&keys::RESTART_STRATEGY, flott_core::config::RestartStrategyKind::None);
    greedy(&env);
    let error = in_virtual_time(1, || env.execute()).unwrap_err().to_string();
    assert!(error.contains("1 checkpoints in a row failed"), "{error}");
    assert!(error.contains("5 mb") || error.contains("5242880"), "{error}");
}

#[test]
fn s109_a_job_that_tolerates_failed_checkpoints_goes_on_without_them() {
    let env = env(1);
    env.set(&keys::TOLERABLE_FAILED_CHECKPOINTS, 1_000);
    env.set(&keys::CHECKPOINTS_AFTER_TASKS_FINISH, false);
    greedy(&env);
    let errors = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 8_000);
        let checkpoint = handle.trigger_checkpoint().unwrap_err().to_string();
        // Savepoints go to a directory, where there is no limit.
        handle.trigger_savepoint(Some("memory://s109"), SavepointFormat::Canonical).unwrap();
        handle.wait().unwrap();
        assert_eq!(handle.restarts(), 0);
        checkpoint
    });
    let reason = "job 'flott job': no checkpoint was taken: a task failed to store its snapshot: checkpoint ";
    assert!(errors.starts_with(reason), "{errors}");
    assert!(errors.contains("5 mb") || errors.contains("5242880"), "what storage has said: {errors}");
}

#[test]
fn v3_5_a_checkpoint_keeps_its_max_parallelism_and_the_error_says_what_to_do() {
    let directory = cancelled_job();
    let (env, _) = digits(directory.path(), 2);
    env.set(&keys::RESTORE_PATH, "latest".to_owned()).set(&keys::MAX_PARALLELISM, MaxParallelism::Fixed(64));
    let error = in_virtual_time(2, || env.execute()).unwrap_err().to_string();
    assert!(
        error.contains("max parallelism 128, but it is 64 now: set it to 128 again, or take a savepoint"),
        "{error}"
    );
}

#[test]
fn a_checkpoint_that_is_being_stored_as_the_job_ends_is_gone_when_the_end_is_told() {
    let mut under_way = 0;
    for ms in (1_000..1_100).step_by(10) {
        let name = format!("the end {ms}");
        let env = env(1);
        env.set(&keys::CHECKPOINT_DIRECTORY, slow_metadata(&name))
            .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::None);
        digit_sums(&numbers(&env)).sink_to(Table::default());
        in_virtual_time(1, || {
            let handle = env.execute_async().unwrap();
            go_on(&handle, ms);
            let checkpoints = handle.checkpoints();
            under_way += checkpoints.triggered - checkpoints.completed - checkpoints.failed;
            handle.cancel();
            handle.wait().unwrap_err();
        });
        let left = MemoryBlobStore::named(&name, "").list("").unwrap();
        assert_eq!(left.len(), 0, "cancelled after {ms} ms: {left:?}");
    }
    assert!(under_way > 3, "of ten times, one was under way in {under_way}");
}
