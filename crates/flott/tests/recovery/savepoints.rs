//! Savepoints of whole jobs: taking them, stopping with them, starting from them.

use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott::sink::{
    BoxWriter, CommitError, Committer, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext,
};
use flott::testing::VirtualTime;
use flott_core::Batch;
use flott_core::config::{RestoreMode, keys};
use flott_runtime::checkpoint::options::{SavepointFormat, StopMode};
use flott_runtime::job::{JobHandle, JobStatus};
use flott_state::storage::StoredSnapshot;

use crate::support::{Log, Table, digit_sums, env, expected_sums, go_on, in_virtual_time, memory, numbers};

/// The job that the tests stop and start: sums of digits.
fn digits(env: &StreamExecutionEnvironment) -> Table {
    let table = Table::default();
    digit_sums(&numbers(env)).sink_to(table.clone());
    table
}

fn savepoint(handle: &JobHandle, directory: &str) -> String {
    handle.trigger_savepoint(Some(&memory(directory)), SavepointFormat::Canonical).unwrap()
}

fn rows(table: &Table) -> Vec<(String, i64)> {
    table.rows().into_iter().collect()
}

/// Takes a savepoint of the sums after three seconds and cancels the job.
fn savepoint_of_digits(directory: &str) -> String {
    let env = env(1);
    digits(&env);
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 3_000);
        let savepoint = savepoint(&handle, directory);
        handle.cancel();
        assert_eq!(handle.wait().unwrap_err().to_string(), "job 'flott job' was cancelled");
        assert_eq!(handle.status(), JobStatus::Canceled);
        savepoint
    })
}

#[test]
fn another_run_starts_from_a_savepoint_of_one_that_goes_on() {
    let (first_env, second_env) = (env(2), env(2));
    let (first, second) = (digits(&first_env), digits(&second_env));
    in_virtual_time(1, || {
        let handle = first_env.execute_async().unwrap();
        go_on(&handle, 3_000);
        let savepoint = savepoint(&handle, "going-on");
        let second = second_env.set(&keys::RESTORE_PATH, savepoint).execute_async().unwrap();
        // It has a third behind it.
        assert!(second.wait().unwrap().net_runtime < Duration::from_millis(7_500));
        handle.wait().unwrap();
    });
    assert_eq!(rows(&first), expected_sums());
    assert_eq!(rows(&second), expected_sums());
}

/// Windows of ten seconds over numbers whose event time is ten milliseconds each.
fn windows(env: &StreamExecutionEnvironment) -> (Log<i64>, Log<(String, i64)>) {
    let (passed, fired) = (Log::default(), Log::default());
    let times = WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|n: &i64, _| n * 10);
    let source = GeneratorSource::new(1_000, |n| n as i64).with_rate(100.0);
    let numbers = env.from_source(source, times, "Numbers").uid("numbers");
    numbers.sink_to(passed.clone());
    numbers
        .map(|n| ("all".to_owned(), n))
        .key_by_ref(|(key, _)| key)
        .window(TumblingEventTimeWindows::of(Duration::from_secs(60)))
        .reduce(|sum, next| (next.0, sum.1 + next.1))
        .uid("windows")
        .sink_to(fired.clone());
    (passed, fired)
}

fn stop_windows(mode: StopMode, directory: &str) -> (Vec<i64>, Vec<(String, i64)>, String) {
    let env = env(1);
    let (passed, fired) = windows(&env);
    let savepoint = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 3_000);
        let at =
            handle.stop_with_savepoint(Some(&memory(directory)), SavepointFormat::Canonical, mode).unwrap();
        handle.wait().unwrap();
        assert_eq!(handle.status(), JobStatus::Finished);
        at
    });
    (passed.records(), fired.records(), savepoint)
}

#[test]
fn a_stop_without_drain_fires_no_window_and_the_next_run_goes_on_with_the_next_record() {
    let (passed, fired, savepoint) = stop_windows(StopMode::Suspend, "suspend");
    assert_eq!(passed, (0..passed.len() as i64).collect::<Vec<_>>());
    assert!((290..=310).contains(&passed.len()), "{} records", passed.len());
    assert_eq!(fired, []);
    let env = env(1);
    let (rest, fired) = windows(&env);
    env.set(&keys::RESTORE_PATH, savepoint);
    in_virtual_time(2, || env.execute()).unwrap();
    assert_eq!(rest.records(), (passed.len() as i64..1_000).collect::<Vec<_>>());
    assert_eq!(fired.records(), [("all".to_owned(), 499_500)]);
}

#[test]
fn a_stop_with_drain_fires_all_windows() {
    let (passed, fired, _) = stop_windows(StopMode::Drain, "drain");
    assert!((290..=310).contains(&passed.len()), "{} records", passed.len());
    assert_eq!(fired, [("all".to_owned(), passed.iter().sum())]);
}

#[test]
fn without_a_directory_there_is_no_savepoint_and_the_job_goes_on() {
    let env = env(1);
    let table = digits(&env);
    let errors = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 1_000);
        let errors = [
            handle.trigger_savepoint(None, SavepointFormat::Canonical).unwrap_err(),
            handle.stop_with_savepoint(None, SavepointFormat::Canonical, StopMode::Drain).unwrap_err(),
        ];
        handle.wait().unwrap();
        errors
    });
    for error in errors {
        assert_eq!(
            error.to_string(),
            "job 'flott job': no directory was named for the savepoint, and \
             execution.checkpointing.savepoint-dir is not set: set one of them"
        );
    }
    assert_eq!(rows(&table), expected_sums());
}

#[test]
fn the_configured_directory_is_where_savepoints_go_that_name_none() {
    let env = env(1);
    env.set(&keys::SAVEPOINT_DIRECTORY, memory("configured"));
    digits(&env);
    let at = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 1_000);
        handle.trigger_savepoint(None, SavepointFormat::Canonical).unwrap()
    });
    assert!(at.starts_with("memory://configured/savepoint-"), "{at}");
    StoredSnapshot::open(&at).unwrap().verify().unwrap();
}

#[test]
fn a_savepoint_that_is_not_claimed_outlives_the_job_and_a_claimed_one_goes_when_it_is_subsumed() {
    for (mode, stays) in [(RestoreMode::NoClaim, true), (RestoreMode::Claim, false)] {
        let savepoint = savepoint_of_digits("claims");
        let env = env(1);
        env.set(&keys::RESTORE_PATH, savepoint.clone()).set(&keys::RESTORE_CLAIM_MODE, mode);
        let table = digits(&env);
        in_virtual_time(1, || {
            let handle = env.execute_async().unwrap();
            go_on(&handle, 2_000);
            assert_eq!(StoredSnapshot::open(&savepoint).is_ok(), stays, "{mode:?}");
            handle.wait().unwrap();
        });
        assert_eq!(StoredSnapshot::open(&savepoint).is_ok(), stays, "{mode:?}");
        assert_eq!(rows(&table), expected_sums());
    }
}

#[test]
fn s113_later_checkpoints_and_the_end_of_the_job_leave_its_savepoints() {
    let env = env(1);
    digits(&env);
    let savepoints = in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        let savepoints = [1, 2, 3].map(|_| {
            go_on(&handle, 1_000);
            savepoint(&handle, "s113-savepoints")
        });
        handle.wait().unwrap();
        savepoints
    });
    for savepoint in savepoints {
        StoredSnapshot::open(&savepoint).unwrap().verify().unwrap();
    }
}

/// The error with which a job refuses to start.
fn refusal(env: &StreamExecutionEnvironment) -> String {
    match VirtualTime::with_seed(1).run(|| env.execute_async().err()).unwrap() {
        Some(error) => error.to_string(),
        None => panic!("the job has started"),
    }
}

#[test]
fn the_state_of_an_operator_that_is_gone_is_an_error_that_names_it_and_who_could_take_it() {
    let savepoint = savepoint_of_digits("gone");
    let program = |env: &StreamExecutionEnvironment| {
        let table = Table::default();
        let pairs = numbers(env).map(|n| (format!("digit {}", n % 10), n));
        pairs
            .key_by_ref(|(digit, _)| digit)
            .reduce(|sum, next| (next.0, sum.1 + next.1))
            .name("Totals")
            .uid("totals")
            .sink_to(table.clone());
        table
    };
    let with_another_uid = env(1);
    with_another_uid.set(&keys::RESTORE_PATH, savepoint.clone());
    program(&with_another_uid);
    let error = refusal(&with_another_uid);
    assert!(error.contains("operator 'Reduce' (uid 'sums')"), "{error}");
    assert!(error.contains("'Totals' (uid 'totals')"), "{error}");
    assert!(error.contains("allow non-restored state"), "{error}");

    let ignoring = env(1);
    ignoring.set(&keys::RESTORE_PATH, savepoint).set(&keys::IGNORE_UNCLAIMED_STATE, true);
    let table = program(&ignoring);
    in_virtual_time(1, || ignoring.execute()).unwrap();
    // The source goes on behind the savepoint, the sums begin anew.
    let total: i64 = table.rows().values().sum();
    assert!(total < 499_500 && total > 499_500 - 310 * 310 / 2, "{total}");
}

#[test]
fn a_max_parallelism_that_was_only_derived_gives_way_to_that_of_the_savepoint() {
    let savepoint = savepoint_of_digits("derived");
    let env = env(1);
    // Alone, 90 subtasks would have 256 key groups.
    env.set(&keys::RESTORE_PATH, savepoint);
    let table = Table::default();
    let pairs = numbers(&env).map(|n| (format!("digit {}", n % 10), n));
    let sums = pairs.key_by_ref(|(digit, _)| digit).reduce(|sum, next| (next.0, sum.1 + next.1));
    sums.uid("sums").set_parallelism(90).sink_to(table.clone()).set_parallelism(1);
    in_virtual_time(1, || env.execute()).unwrap();
    assert_eq!(rows(&table), expected_sums());
}

#[test]
fn operators_of_different_max_parallelism_are_restored_by_the_same_program() {
    // Runs of one seed draw the same names.
    let savepoint = |from: Option<String>, directory: &str| {
        let (env, table) = (env(1), Table::default());
        from.map(|from| env.set(&keys::RESTORE_PATH, from).clone());
        let pairs = numbers(&env).map(|n| (format!("digit {}", n % 10), n)).set_max_parallelism(32);
        let sums = pairs.key_by_ref(|(digit, _)| digit).reduce(|sum, next| (next.0, sum.1 + next.1));
        sums.set_max_parallelism(16).sink_to(table.clone()).set_max_parallelism(8);
        in_virtual_time(1, || {
            let handle = env.execute_async().unwrap();
            go_on(&handle, 3_000);
            let savepoint = savepoint(&handle, directory);
            handle.wait().unwrap();
            assert_eq!(rows(&table), expected_sums());
            savepoint
        })
    };
    let first = savepoint(None, "many");
    savepoint(Some(first), "many again");
}

#[test]
fn what_is_no_savepoint_is_an_error_that_names_the_place() {
    let env = env(1);
    env.set(&keys::RESTORE_PATH, "memory://nothing/savepoint-1".to_owned());
    digits(&env);
    let error = refusal(&env);
    assert!(error.contains("memory://nothing/savepoint-1"), "{error}");
}

/// Rows in a place that can't be reached at first.
#[derive(Clone, Default)]
struct FarAway {
    rows: Arc<Mutex<Vec<i64>>>,
    attempts: Arc<Mutex<u32>>,
}

impl Sink<i64> for FarAway {
    type Committable = Vec<i64>;
    type WriterState = NoWriterState;

    fn create_writer(&self, _: &SinkContext) -> FnResult<BoxWriter<i64, Self>> {
        Ok(Box::new(Rows(Vec::new())))
    }

    fn create_committer(&self, _: &SinkContext) -> FnResult<Option<Box<dyn Committer<Vec<i64>>>>> {
        Ok(Some(Box::new(self.clone())))
    }
}

impl Committer<Vec<i64>> for FarAway {
    fn commit(&mut self, rows: &Vec<i64>) -> Result<(), CommitError> {
        let mut attempts = self.attempts.lock().unwrap();
        *attempts += 1;
        if *attempts < 4 {
            return Err(CommitError::RetryLater("the line is busy".into()));
        }
        self.rows.lock().unwrap().extend(rows);
        Ok(())
    }
}

struct Rows(Vec<i64>);

impl SinkWriter<i64> for Rows {
    type Committable = Vec<i64>;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<i64>, _: WriteContext) -> FnResult {
        self.0.append(&mut batch.records);
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }

    fn prepare_commit(&mut self) -> FnResult<Vec<Vec<i64>>> {
        Ok(vec![std::mem::take(&mut self.0)])
    }
}

#[test]
fn a_job_that_stops_with_a_savepoint_has_committed_what_could_not_be_committed_at_once_and_is_finished() {
    let (env, far_away) = (env(1), FarAway::default());
    // No checkpoint but the savepoint.
    env.enable_checkpointing(Duration::from_secs(24 * 3_600));
    numbers(&env).sink_to(far_away.clone());
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 3_000);
        let directory = memory("far away");
        handle.stop_with_savepoint(Some(&directory), SavepointFormat::Canonical, StopMode::Suspend).unwrap();
        assert_eq!(handle.status(), JobStatus::Finished);
    });
    assert_eq!(*far_away.attempts.lock().unwrap(), 4);
    let rows = far_away.rows.lock().unwrap().clone();
    assert!(rows.len() > 290, "{} rows", rows.len());
    assert_eq!(rows, (0..rows.len() as i64).collect::<Vec<_>>());
}

#[test]
fn a_savepoint_is_disposed_of_and_what_is_none_is_refused() {
    let savepoint = savepoint_of_digits("disposed");
    flott::dispose_savepoint(&savepoint).unwrap();
    StoredSnapshot::open(&savepoint).unwrap_err();
    let error = flott::dispose_savepoint(&savepoint).unwrap_err().to_string();
    assert!(error.starts_with("the savepoint was not deleted: ") && error.contains(&savepoint), "{error}");
}
