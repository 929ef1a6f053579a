//! Failures at other places than in an operator's loop: of enumerators, sinks and checkpoints themselves.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott::sink::{BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext};
use flott::source::{
    Boundedness, EnumeratorOutput, GeneratorSplit, ReaderContext, Source, SourceReader, SplitEnumerator,
};
use flott_core::Batch;
use flott_core::config::{RestartStrategyKind, keys};

use crate::support::{Bomb, Table, digit_sums, env, expected_sums, go_on, in_virtual_time, numbers, pause};

fn rows(table: &Table) -> Vec<(String, i64)> {
    table.rows().into_iter().collect()
}

/// Runs a program to its end, which must be a good one, and says how often it was started again.
fn restarts(env: &StreamExecutionEnvironment) -> u32 {
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        handle.wait().unwrap();
        handle.restarts()
    })
}

/// The numbers from 0 to 999, from an enumerator that fails when it is asked for its state.
struct Fragile {
    inner: GeneratorSource<fn(u64) -> i64>,
    bomb: Bomb,
}

type Enumerator = Box<dyn SplitEnumerator<Split = GeneratorSplit, State = Option<Vec<GeneratorSplit>>>>;

struct FragileEnumerator {
    inner: Enumerator,
    bomb: Bomb,
}

impl Source for Fragile {
    type Out = i64;
    type Split = GeneratorSplit;
    type EnumeratorState = Option<Vec<GeneratorSplit>>;

    fn boundedness(&self) -> Boundedness {
        self.inner.boundedness()
    }

    fn create_enumerator(&self) -> FnResult<Enumerator> {
        Ok(Box::new(FragileEnumerator { inner: self.inner.create_enumerator()?, bomb: self.bomb.clone() }))
    }

    fn restore_enumerator(&self, state: Self::EnumeratorState) -> FnResult<Enumerator> {
        let inner = self.inner.restore_enumerator(state)?;
        Ok(Box::new(FragileEnumerator { inner, bomb: self.bomb.clone() }))
    }

    fn create_reader(&self, context: ReaderContext) -> FnResult<Box<dyn SourceReader<i64, GeneratorSplit>>> {
        self.inner.create_reader(context)
    }
}

impl SplitEnumerator for FragileEnumerator {
    type Split = GeneratorSplit;
    type State = Option<Vec<GeneratorSplit>>;

    fn start(&mut self, out: &mut EnumeratorOutput<'_, GeneratorSplit>) -> FnResult {
        self.inner.start(out)
    }

    fn on_split_request(&mut self, subtask: u32, out: &mut EnumeratorOutput<'_, GeneratorSplit>) -> FnResult {
        self.inner.on_split_request(subtask, out)
    }

    fn add_splits_back(&mut self, splits: Vec<GeneratorSplit>, subtask: u32) -> FnResult {
        self.inner.add_splits_back(splits, subtask)
    }

    fn snapshot_state(&mut self, checkpoint_id: u64) -> FnResult<Self::State> {
        self.bomb.tick();
        self.inner.snapshot_state(checkpoint_id)
    }
}

#[test]
fn an_enumerator_that_fails_is_started_again_with_the_job() {
    for parallelism in [1, 3] {
        let (env, table) = (env(parallelism), Table::default());
        let number: fn(u64) -> i64 = |n| n as i64;
        let inner = GeneratorSource::new(1_000, number).with_rate(100.0);
        let source = Fragile { inner, bomb: Bomb::at([20, 50]) };
        digit_sums(&env.from_source(source, WatermarkStrategy::no_watermarks(), "Fragile"))
            .sink_to(table.clone());
        assert_eq!(restarts(&env), 2);
        assert_eq!(rows(&table), expected_sums(), "parallelism {parallelism}");
    }
}

/// A table whose connection breaks.
#[derive(Clone)]
struct Unreliable {
    table: Table,
    on_write: Bomb,
    on_flush: Bomb,
}

impl Sink<(String, i64)> for Unreliable {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _: &SinkContext) -> FnResult<BoxWriter<(String, i64), Self>> {
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter<(String, i64)> for Unreliable {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<(String, i64)>, context: WriteContext) -> FnResult {
        self.on_write.tick();
        self.table.write(batch, context)
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        self.on_flush.tick();
        Ok(())
    }
}

#[test]
fn a_sink_that_fails_in_writing_and_in_the_middle_of_a_checkpoint_writes_again_what_was_lost() {
    for parallelism in [1, 2] {
        let (env, table) = (env(parallelism), Table::default());
        let (on_write, on_flush) = (Bomb::at([30, 400]), Bomb::at([50]));
        digit_sums(&numbers(&env)).sink_to(Unreliable { table: table.clone(), on_write, on_flush });
        assert_eq!(restarts(&env), 3);
        assert_eq!(rows(&table), expected_sums(), "parallelism {parallelism}");
    }
}

/// Fails when it is to store its state.
#[derive(Clone)]
struct Unstorable(Bomb);

impl MapFunction<i64, i64> for Unstorable {
    fn map(&mut self, n: i64) -> FnResult<i64> {
        Ok(n)
    }

    fn snapshot_state(&mut self, _: &mut FunctionSnapshotContext<'_>) -> FnResult {
        self.0.tick();
        Ok(())
    }
}

#[test]
fn s86_a_checkpoint_that_is_not_complete_is_not_used() {
    let (env, read) = (env(1), Arc::new(Mutex::new(Vec::new())));
    // Only the checkpoints that the test asks for.
    env.enable_checkpointing(Duration::from_secs(24 * 3_600)).set(&keys::INLINE_EXCHANGES, false);
    let seen = Arc::clone(&read);
    let source = GeneratorSource::new(20, |n| n as i64).with_rate(10.0);
    env.from_source(source, WatermarkStrategy::no_watermarks(), "Numbers")
        .map(move |n| {
            seen.lock().unwrap().push(n);
            n
        })
        .rebalance()
        .map_with(Unstorable(Bomb::at([2])))
        .start_new_chain()
        .map(|n| (n.to_string(), n))
        .sink_to(Table::default());
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 550);
        handle.trigger_checkpoint().unwrap();
        go_on(&handle, 500);
        // The source has stored that it has read ten records; the task behind it fails.
        let error = handle.trigger_checkpoint().unwrap_err().to_string();
        assert!(error.starts_with("job 'flott job': no checkpoint was taken: "), "{error}");
        handle.wait().unwrap();
        assert_eq!(handle.restarts(), 1);
    });
    assert_eq!(*read.lock().unwrap(), (0..10).chain(5..20).collect::<Vec<_>>());
}

/// Stands still for a second at the number 300.
fn with_a_long_pause(env: &StreamExecutionEnvironment) -> Table {
    let table = Table::default();
    let paused = numbers(env).map(|n| {
        if n == 300 {
            pause(Duration::from_secs(1));
        }
        n
    });
    digit_sums(&paused).sink_to(table.clone());
    table
}

#[test]
fn checkpoints_that_expire_fail_a_job_that_tolerates_none() {
    let env = env(1);
    env.set(&keys::CHECKPOINTING_TIMEOUT, Duration::from_millis(50));
    env.set(&keys::RESTART_STRATEGY, RestartStrategyKind::None);
    with_a_long_pause(&env);
    let error = in_virtual_time(1, || env.execute()).unwrap_err().to_string();
    assert_eq!(
        error,
        "the job failed: 1 checkpoints in a row failed, the last because the checkpoint expired before it was \
         complete; execution.checkpointing.tolerable-failed-checkpoints allows 0"
    );
}

#[test]
fn checkpoints_that_expire_are_given_up_and_a_tolerant_job_goes_on() {
    let env = env(1);
    env.set(&keys::CHECKPOINTING_TIMEOUT, Duration::from_millis(50));
    env.set(&keys::TOLERABLE_FAILED_CHECKPOINTS, 20);
    let table = with_a_long_pause(&env);
    assert_eq!(restarts(&env), 0);
    assert_eq!(rows(&table), expected_sums());
}

#[test]
fn s114_a_job_whose_source_can_not_be_replayed_runs_and_loses_what_came_after_the_checkpoint() {
    let (env, table) = (env(1), Table::default());
    // Each record is there once, as if it came from a socket.
    let (next, bomb) = (AtomicI64::new(0), Bomb::at([505]));
    let next = Arc::new(next);
    let live = GeneratorSource::new(1_000, move |_| next.fetch_add(1, Ordering::SeqCst)).with_rate(100.0);
    env.from_source(live, WatermarkStrategy::no_watermarks(), "Live")
        .map(move |n: i64| {
            bomb.tick();
            ("all".to_owned(), n)
        })
        .key_by_ref(|(key, _)| key)
        .reduce(|sum, next| (next.0, sum.1 + next.1))
        .sink_to(table.clone());
    assert_eq!(restarts(&env), 1);
    // A thousand records are counted, but those between checkpoint and failure are lost and later ones in their place.
    let sum = table.rows()["all"];
    assert!(sum > 499_500 && sum < 499_500 + 20 * 600, "{sum}");
}
