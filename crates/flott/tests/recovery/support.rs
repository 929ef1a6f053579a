//! Jobs that fail when they are told to, and sinks that show what a user would see.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott::sink::{BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext};
use flott::testing::VirtualTime;
use flott_core::Batch;
use flott_runtime::job::JobHandle;
use flott_state::storage::MemoryBlobStore;

mod chunks;
mod ledger;
mod log;
mod numbers;
mod slow;
pub(crate) mod stored;
mod warnings;

pub(crate) use chunks::Chunks;
pub(crate) use ledger::Ledger;
pub(crate) use log::Log;
pub(crate) use numbers::{digit_sums, expected_sums, numbers};
pub(crate) use slow::slow_metadata;
pub(crate) use warnings::Warnings;

/// An environment that shows nothing, and takes a checkpoint every 100 ms.
pub(crate) fn env(parallelism: u32) -> StreamExecutionEnvironment {
    let env = flott::testing::environment();
    env.set_quiet(true).set_parallelism(parallelism).enable_checkpointing(Duration::from_millis(100));
    env
}

/// Fails when its count of calls reaches a number, once for each number it was given.
#[derive(Clone)]
pub(crate) struct Bomb {
    calls: Arc<AtomicI64>,
    at: Arc<Vec<i64>>,
}

impl Bomb {
    pub(crate) fn at(calls: impl IntoIterator<Item = i64>) -> Self {
        Self { calls: Arc::default(), at: Arc::new(calls.into_iter().collect()) }
    }

    pub(crate) fn tick(&self) {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(!self.at.contains(&call), "the bomb went off at call {call}");
    }
}

/// What a table in a database would hold: the last value of each key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table(Arc<Mutex<BTreeMap<String, i64>>>);

impl Table {
    pub(crate) fn rows(&self) -> BTreeMap<String, i64> {
        self.0.lock().unwrap().clone()
    }
}

impl Sink<(String, i64)> for Table {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<(String, i64), Self>> {
        Ok(Box::new(self.clone()))
    }
}

impl SinkWriter<(String, i64)> for Table {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<(String, i64)>, _context: WriteContext) -> FnResult {
        self.0.lock().unwrap().extend(batch.records.drain(..));
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }
}

/// Pairs as the programs have them.
pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, i64)>) -> Vec<(String, i64)> {
    pairs.into_iter().map(|(word, count)| (word.to_owned(), count)).collect()
}

/// The URL of memory that is there until the present test has ended.
pub(crate) fn memory(name: &str) -> String {
    thread_local! {
        static KEPT: RefCell<Vec<MemoryBlobStore>> = const { RefCell::new(Vec::new()) };
    }
    KEPT.with_borrow_mut(|kept| kept.push(MemoryBlobStore::named(name, "")));
    format!("memory://{name}")
}

/// Runs a program in virtual time.
pub(crate) fn in_virtual_time<R>(seed: u64, program: impl FnOnce() -> R) -> R {
    VirtualTime::with_seed(seed).run(program).unwrap()
}

/// Lets a running job go on for so many milliseconds, in which it must not end.
pub(crate) fn go_on(handle: &JobHandle, ms: u64) {
    let ended = handle.wait_for(Duration::from_millis(ms));
    assert!(ended.is_none(), "the job has ended: {ended:?}");
}

/// Lets the operator that calls it stand still.
pub(crate) fn pause(time: Duration) {
    let (clock, pause) = (flott_runtime::seam::clock(), flott_runtime::seam::Signal::new());
    let until_ns = clock.monotonic_ns() + time.as_nanos() as u64;
    pause.adopt();
    while clock.monotonic_ns() < until_ns {
        pause.wait(Some(Duration::from_nanos(until_ns - clock.monotonic_ns())));
    }
}

/// A sequence of numbers that is another one for each seed.
pub(crate) fn numbers_of(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}
