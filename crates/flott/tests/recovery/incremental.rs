//! Checkpoints that hold what has changed since the one before: how much they store, and what comes back of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use flott::prelude::*;
use flott_core::config::{CheckpointRetention, MemorySize, RestoreMode, keys};
use flott_runtime::checkpoint::options::SavepointFormat;
use flott_runtime::job::{CheckpointFigures, JobHandle};
use flott_state::format::TaskMetadata;
use flott_state::storage::{StoredSnapshot, find_checkpoints, latest_checkpoint};

use crate::support::{Table, digit_sums, env, expected_sums, go_on, in_virtual_time, memory, numbers, pause};

/// How many keys there are, each with a record in the first second.
const KEYS: i64 = 20_000;

/// So far a key is counted; then it is forgotten.
const MOST: i64 = 60;

/// Counts the records of each key.
#[derive(Clone, Default)]
struct Count {
    count: ValueState<i64>,
}

impl KeyedProcessFunction<i64, i64, (String, i64)> for Count {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.count = context.value_state(ValueStateDescriptor::new("count"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        n: i64,
        context: &mut KeyedContext<'_, i64>,
        out: &mut Collector<'_, (String, i64)>,
    ) -> FnResult {
        let count = self.count.get(context)?.copied().unwrap_or(0) + 1;
        match count {
            MOST => self.count.clear(context)?,
            _ => self.count.update(context, count)?,
        }
        // The newest record of a key tells how far its count is: two runs that end alike have counted alike.
        out.collect((context.current_key().to_string(), n * 100 + count));
        Ok(())
    }
}

/// In the first second each key comes once, then in each second a hundredth of the keys a hundred times, the next hundredth in the next.
fn program(parallelism: u32, directory: &str) -> (StreamExecutionEnvironment, Table) {
    let (env, table) = (env(parallelism), Table::default());
    env.enable_checkpointing(Duration::from_secs(3_600))
        .set(&keys::INCREMENTAL_CHECKPOINTS, true)
        .set(&keys::DATA_INLINE_THRESHOLD, MemorySize { bytes: 0 })
        .set(&keys::CHECKPOINT_DIRECTORY, directory.to_owned())
        .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::RetainOnCancellation);
    let numbers = GeneratorSource::new(10 * KEYS as u64, |n| n as i64).with_rate(KEYS as f64);
    env.from_source(numbers, WatermarkStrategy::no_watermarks(), "Numbers")
        .uid("numbers")
        .set_parallelism(1)
        .key_by(|n| if *n < KEYS { *n } else { (*n / KEYS * (KEYS / 100) + *n % (KEYS / 100)) % KEYS })
        .process(Count::default())
        .uid("count")
        .sink_to(table.clone());
    (env, table)
}

fn figures(handle: &JobHandle) -> CheckpointFigures {
    handle.checkpoints().latest.back().unwrap().clone()
}

/// How many state files each checkpoint has of the task that has most.
fn layers(snapshot: &StoredSnapshot) -> usize {
    let handles = snapshot.metadata.tasks.iter().flat_map(TaskMetadata::handles);
    handles.map(|(_, handle)| handle.parts.len()).max().unwrap()
}

/// Runs the program and takes so many checkpoints, one a second; then it is cancelled. Tells their figures.
fn cancelled(parallelism: u32, directory: &str, checkpoints: usize) -> Vec<CheckpointFigures> {
    let (env, _) = program(parallelism, directory);
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        let taken = (0..checkpoints).map(|_| {
            go_on(&handle, 1_000);
            handle.trigger_checkpoint().unwrap();
            figures(&handle)
        });
        let taken = taken.collect();
        handle.cancel();
        handle.wait().unwrap_err();
        taken
    })
}

/// The rows of a run that was not interrupted.
fn uninterrupted() -> Vec<(String, i64)> {
    let (env, table) = program(1, &memory("uninterrupted"));
    env.set(&keys::INCREMENTAL_CHECKPOINTS, false);
    in_virtual_time(1, || env.execute()).unwrap();
    table.rows().into_iter().collect()
}

fn files(directory: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true => all.extend(files(&path).into_iter().map(|below| format!("{name}/{below}"))),
            false => drop(all.insert(name)),
        }
    }
    all
}

/// What the checkpoints in a directory refer to, by its path from there, metadata included.
fn reachable(directory: &Path) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for stored in find_checkpoints(directory.to_str().unwrap()).unwrap().checkpoints {
        let job = stored.metadata.job;
        all.extend(stored.metadata.files().map(|file| format!("{job}/{}", file.path)));
        all.insert(format!("{job}/chk-{}/_metadata", stored.metadata.checkpoint));
    }
    all
}

/// Whether the state backend gives files of its own to incremental checkpoints. The others make layers of what has changed.
fn takes_files() -> bool {
    std::env::var("FLOTT_TEST_STATE_BACKEND").is_ok_and(|backend| backend == "rocksdb")
}

/// How many layers there are of a task, or files of its store that later checkpoints may refer to.
fn shared_parts(snapshot: &StoredSnapshot) -> usize {
    let handles = snapshot.metadata.tasks.iter().flat_map(TaskMetadata::handles);
    let of_store = handles
        .flat_map(|(_, handle)| handle.stores().map(|store| store.files.iter()))
        .map(|files| files.filter(|file| file.name.ends_with(".sst")).count());
    of_store.max().unwrap_or_else(|| layers(snapshot))
}

#[test]
fn s110_a_checkpoint_of_which_a_hundredth_has_changed_stores_far_less_than_the_one_before() {
    let taken = cancelled(2, &memory("s110"), 4);
    let [first, second, third, fourth] = taken.as_slice() else { panic!("{taken:?}") };
    if takes_files() {
        // After the fourth, RocksDB may have made one file of four.
        for later in [second, third] {
            let (first, later) = (first.checkpointed_bytes(), later.checkpointed_bytes());
            assert!(100 * later < 15 * first, "{later} of {first}");
        }
        return;
    }
    // 200 entries of 16 bytes, as many keys that were removed, and the index, in two files.
    for later in [third, fourth] {
        assert!(
            later.checkpointed_bytes() < 20_000,
            "{} of {}",
            later.checkpointed_bytes(),
            later.state_bytes()
        );
        assert!(later.state_bytes() > 16 * KEYS as u64 * 9 / 10, "{}", later.state_bytes());
    }
    assert!(second.state_bytes() > 15 * third.checkpointed_bytes());
    assert!(fourth.state_bytes() > third.state_bytes(), "its layers are on top");
}

#[test]
fn checkpoints_that_are_not_incremental_store_everything_each_time() {
    let directory = memory("full");
    let (env, _) = program(2, &directory);
    env.set(&keys::INCREMENTAL_CHECKPOINTS, false);
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 3_000);
        for _ in 0..2 {
            handle.trigger_checkpoint().unwrap();
            let figures = figures(&handle);
            assert_eq!(figures.checkpointed_bytes(), figures.state_bytes());
            go_on(&handle, 1_000);
        }
        handle.cancel();
        handle.wait().unwrap_err();
    });
    let latest = latest_checkpoint(&directory).unwrap().checkpoint.unwrap();
    assert_eq!(layers(&latest), 1);
    assert!(latest.metadata.files().all(|file| file.path.starts_with("chk-")));
}

#[test]
fn a_job_goes_on_from_several_layers_at_the_same_and_at_another_parallelism() {
    let expected = uninterrupted();
    for parallelism in [1, 2, 3] {
        let directory = memory(&format!("layers {parallelism}"));
        cancelled(2, &directory, 5);
        let latest = latest_checkpoint(&directory).unwrap().checkpoint.unwrap();
        assert!(shared_parts(&latest) >= if takes_files() { 1 } else { 3 });
        let (env, table) = program(parallelism, &directory);
        env.set(&keys::RESTORE_PATH, "latest".to_owned());
        let again = in_virtual_time(2, || {
            let handle = env.execute_async().unwrap();
            go_on(&handle, 500);
            handle.trigger_checkpoint().unwrap();
            let again = figures(&handle);
            handle.wait().unwrap();
            again
        });
        if takes_files() {
            assert!(again.checkpointed_bytes() < again.state_bytes(), "files are still referred to");
        } else {
            assert_eq!(again.checkpointed_bytes(), again.state_bytes(), "a new run builds on nothing");
        }
        let rows: Vec<_> = table.rows().into_iter().collect();
        let newer: Vec<_> =
            expected.iter().filter(|row| table.rows().contains_key(&row.0)).cloned().collect();
        assert_eq!(rows, newer, "parallelism {parallelism}");
    }
}

#[test]
fn a_savepoint_is_whole_and_no_checkpoint_builds_on_it() {
    let (env, _) = program(2, &memory("with a savepoint"));
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 2_000);
        handle.trigger_checkpoint().unwrap();
        go_on(&handle, 1_000);
        let place = handle.trigger_savepoint(Some(&memory("savepoint")), SavepointFormat::Canonical).unwrap();
        let savepoint = StoredSnapshot::open(&place).unwrap();
        savepoint.verify().unwrap();
        assert_eq!(layers(&savepoint), 1);
        let of_savepoint = figures(&handle);
        assert_eq!(of_savepoint.checkpointed_bytes(), of_savepoint.state_bytes());
        go_on(&handle, 1_000);
        handle.trigger_checkpoint().unwrap();
        let next = figures(&handle);
        assert!(
            next.checkpointed_bytes() < of_savepoint.state_bytes() / 10,
            "it builds on the checkpoint before"
        );
        handle.cancel();
        handle.wait().unwrap_err();
    });
}

#[test]
fn only_what_checkpoints_refer_to_is_kept_and_nothing_after_the_end() {
    let directory = tempfile::tempdir().unwrap();
    cancelled(2, directory.path().to_str().unwrap(), 6);
    let kept = files(directory.path());
    assert_eq!(kept, reachable(directory.path()));
    assert!(kept.iter().filter(|file| file.contains("/shared/")).count() > 4, "{kept:?}");
    let (env, _) = program(2, directory.path().to_str().unwrap());
    env.set(&keys::RESTORE_PATH, "latest".to_owned());
    in_virtual_time(1, || env.execute()).unwrap();
    assert_eq!(files(directory.path()), BTreeSet::new());
}

#[test]
fn everything_is_written_again_before_there_are_too_many_layers() {
    let (env, _) = program(1, &memory("many layers"));
    let (written, most) = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 1_000);
        let (mut written, mut most) = (0, 0);
        for _ in 0..40 {
            go_on(&handle, 1);
            let place = handle.trigger_checkpoint().unwrap();
            let of = figures(&handle);
            written += usize::from(of.checkpointed_bytes() == of.state_bytes());
            most = layers(&StoredSnapshot::open(&place).unwrap()).max(most);
        }
        handle.cancel();
        handle.wait().unwrap_err();
        (written, most)
    });
    if takes_files() {
        return assert_eq!(most, 2, "files of the store stand beside one state file");
    }
    assert_eq!(most, 16);
    assert_eq!(written, 3, "the first and every sixteenth");
}

#[test]
fn what_is_claimed_is_deleted_with_its_layers_and_what_is_not_stays_as_it_was() {
    for mode in [RestoreMode::Claim, RestoreMode::NoClaim] {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().to_str().unwrap();
        cancelled(2, place, 4);
        let before = files(directory.path());
        let latest = latest_checkpoint(place).unwrap().checkpoint.unwrap();
        let (env, _) = program(2, place);
        env.set(&keys::RESTORE_PATH, latest.location())
            .set(&keys::RESTORE_CLAIM_MODE, mode)
            .set(&keys::CHECKPOINT_RETENTION, CheckpointRetention::None);
        in_virtual_time(1, || {
            let handle = env.execute_async().unwrap();
            go_on(&handle, 500);
            handle.trigger_checkpoint().unwrap();
            go_on(&handle, 500);
            handle.trigger_checkpoint().unwrap();
            handle.wait().unwrap();
        });
        let expected = if mode == RestoreMode::Claim { BTreeSet::new() } else { before };
        assert_eq!(files(directory.path()), expected, "{mode:?}");
    }
}

#[test]
fn a_checkpoint_that_fails_the_job_as_it_lets_the_next_begin_keeps_no_file_back() {
    let directory = tempfile::tempdir().unwrap();
    let (env, table) = (env(1), Table::default());
    env.set(&keys::INCREMENTAL_CHECKPOINTS, true)
        .set(&keys::DATA_INLINE_THRESHOLD, MemorySize { bytes: 0 })
        .set(&keys::CHECKPOINT_DIRECTORY, directory.path().to_str().unwrap().to_owned())
        // The next one is due before, and waits.
        .set(&keys::CHECKPOINTING_TIMEOUT, Duration::from_millis(150));
    let is_first = Arc::new(AtomicBool::new(true));
    let paused = numbers(&env).map(move |n| {
        if n == 300 && is_first.swap(false, Ordering::SeqCst) {
            pause(Duration::from_secs(1));
        }
        n
    });
    digit_sums(&paused).sink_to(table.clone());
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        handle.wait().unwrap();
        assert_eq!(handle.restarts(), 1, "nothing tolerates a checkpoint that expires");
    });
    assert_eq!(table.rows().into_iter().collect::<Vec<_>>(), expected_sums());
    assert_eq!(files(directory.path()), BTreeSet::new());
}
