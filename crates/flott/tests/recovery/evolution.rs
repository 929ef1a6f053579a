//! Savepoints and programs that have changed since: what `check_restore` says, and what the job does.

use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use flott::prelude::*;
use flott::sink::{BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext};
use flott::testing::check_restore;
use flott_core::config::keys;
use flott_runtime::checkpoint::options::{SavepointFormat, StopMode};
use serde::{Deserialize, Serialize};

use crate::support::{Log, env, go_on, in_virtual_time, numbers};

/// What is known of a digit.
trait Stored: Data {
    fn add(stored: Option<&Self>, n: i64) -> Self;
    fn sum(&self) -> i64;
}

/// As the first release stored it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sum {
    sum: i32,
}

impl Stored for Sum {
    fn add(stored: Option<&Self>, n: i64) -> Self {
        Self { sum: stored.map_or(0, |stored| stored.sum) + n as i32 }
    }

    fn sum(&self) -> i64 {
        self.sum.into()
    }
}

/// A later release: a wider number, and how many there were.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Statistics {
    #[serde(default)]
    count: u32,
    sum: i64,
}

impl Stored for Statistics {
    fn add(stored: Option<&Self>, n: i64) -> Self {
        let (count, sum) = stored.map_or((0, 0), |stored| (stored.count, stored.sum));
        Self { count: count + 1, sum: sum + n }
    }

    fn sum(&self) -> i64 {
        self.sum
    }
}

/// Sums by last digit.
struct Sums<V> {
    value: ValueState<V>,
    of: PhantomData<fn() -> V>,
}

impl<V> Default for Sums<V> {
    fn default() -> Self {
        Self { value: ValueState::default(), of: PhantomData }
    }
}

impl<V> Clone for Sums<V> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<V: Stored> KeyedProcessFunction<i64, i64, i64> for Sums<V> {
    fn open(&mut self, context: &mut OpenContext<'_, i64>) -> FnResult {
        self.value = context.value_state(ValueStateDescriptor::new("sum"))?;
        Ok(())
    }

    fn process_element(
        &mut self,
        n: i64,
        context: &mut KeyedContext<'_, i64>,
        out: &mut Collector<'_, i64>,
    ) -> FnResult {
        let value = V::add(self.value.value(context)?.as_ref(), n);
        out.collect(value.sum());
        Ok(self.value.update(context, value)?)
    }
}

fn sums<V: Stored>(env: &StreamExecutionEnvironment, uid: &str) -> DataStream<i64> {
    numbers(env).key_by(|n| n % 10).process(Sums::<V>::default()).name("Sums").uid(uid)
}

/// A sink that must not be created.
struct Untouchable;

impl Sink<i64> for Untouchable {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _: &SinkContext) -> FnResult<BoxWriter<i64, Self>> {
        Err("it was created".into())
    }

    fn restore_writer(&self, _: &SinkContext, _: Vec<NoWriterState>) -> FnResult<BoxWriter<i64, Self>> {
        Err("it was created".into())
    }
}

/// The savepoint of the first release, taken after three seconds, which is kept in the repository.
fn first_release() -> PathBuf {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recovery/fixtures/sums");
    // To make it anew, after a change of the format: remove the directory and run the tests.
    if !kept.exists() {
        let (env, directory) = (env(2), tempfile::tempdir().unwrap());
        sums::<Sum>(&env, "sums").sink_to(Log::default());
        let savepoint = in_virtual_time(1, || {
            let handle = env.execute_async().unwrap();
            go_on(&handle, 3_000);
            let directory = directory.path().to_str();
            handle.stop_with_savepoint(directory, SavepointFormat::Canonical, StopMode::Suspend).unwrap()
        });
        let savepoint = PathBuf::from(savepoint.strip_prefix("file://").unwrap());
        std::fs::create_dir_all(&kept).unwrap();
        for file in std::fs::read_dir(&savepoint).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), kept.join(file.file_name())).unwrap();
        }
    }
    kept
}

/// What `check_restore` says of a later release.
fn check<V: Stored>(uid: &str) -> Result<String, String> {
    let env = env(3);
    sums::<V>(&env, uid).sink_to(Untouchable);
    let report = check_restore(&env, first_release().to_str().unwrap());
    report.map(|report| report.to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_savepoint_fits_the_program_that_wrote_it_and_one_whose_types_have_grown() {
    let says = check::<Statistics>("sums").unwrap();
    assert_eq!(check::<Sum>("sums").unwrap(), says);
    assert!(
        says.ends_with(" can be restored; it knows: Numbers, Sums, Writer; new: none; no longer there: none"),
        "{says}"
    );
    // And so it is.
    let (env, told) = (env(3), Log::default());
    env.set(&keys::RESTORE_PATH, first_release().to_str().unwrap().to_owned());
    sums::<Statistics>(&env, "sums").sink_to(told.clone());
    in_virtual_time(1, || env.execute()).unwrap();
    let sum = |digit: i64| (0..100).map(|tens| tens * 10 + digit).sum::<i64>();
    assert!((0..10).all(|digit| told.records().contains(&sum(digit))));
    assert!(told.records().len() < 800, "it goes on behind the savepoint");
}

#[test]
fn a_program_with_a_mistake_in_it_does_not_spoil_the_next_one() {
    let env = env(1);
    sums::<Sum>(&env, "sums").uid("numbers").sink_to(Log::default());
    env.execute().unwrap_err();
    let told = Log::default();
    env.set(&keys::PARALLELISM, 0);
    env.execute().unwrap_err();
    sums::<Sum>(&env, "sums").sink_to(told.clone());
    in_virtual_time(1, || env.execute()).unwrap();
    assert_eq!(told.records().len(), 1_000);
}
