//! What the tests share: a source that plays a script, functions as closures, a clock set by hand.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use flott::prelude::*;
use flott::source::{
    Boundedness, EnumeratorOutput, GeneratorSplit, InputStatus, ReaderContext, Source, SourceOutput,
    SourceReader, SplitEnumerator,
};
use flott_core::seam::Clock;
use serde::{Deserialize, Serialize};

/// An environment that shows nothing.
pub(crate) fn env(parallelism: u32) -> StreamExecutionEnvironment {
    let env = flott::testing::environment();
    env.set_quiet(true).set_parallelism(parallelism);
    env
}

/// One step of a scripted stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step<T> {
    /// A record with a timestamp.
    At(T, Timestamp),
    /// A record without one.
    Untimed(T),
    /// A watermark.
    Watermark(Timestamp),
}

pub(crate) use Step::{At, Untimed, Watermark};

/// Plays steps in order, each as a batch of its own, so that watermarks come exactly where the script has them.
pub(crate) fn script<T: Data + Sync>(env: &StreamExecutionEnvironment, steps: Vec<Step<T>>) -> DataStream<T> {
    let strategy =
        WatermarkStrategy::for_generator(|| OfScript).with_timestamp_assigner(|step, _| match step {
            At(_, timestamp) => *timestamp,
            Untimed(_) | Watermark(_) => NO_TIMESTAMP,
        });
    env.from_source(Script(Arc::new(steps)), strategy, "Script").set_parallelism(1).flat_map(
        |step, out: &mut Collector<'_, T>| match step {
            At(record, _) | Untimed(record) => out.collect(record),
            Watermark(_) => {}
        },
    )
}

struct OfScript;

impl<T> WatermarkGenerator<Step<T>> for OfScript {
    fn on_event(&mut self, step: &Step<T>, _: Timestamp) -> Option<Timestamp> {
        match step {
            Watermark(watermark) => Some(*watermark),
            At(..) | Untimed(_) => None,
        }
    }
}

struct Script<T>(Arc<Vec<Step<T>>>);

impl<T: Data + Sync> Source for Script<T> {
    type Out = Step<T>;
    type Split = GeneratorSplit;
    type EnumeratorState = ();

    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn create_enumerator(&self) -> FnResult<Box<dyn SplitEnumerator<Split = GeneratorSplit, State = ()>>> {
        Ok(Box::new(NoSplits))
    }

    fn restore_enumerator(
        &self,
        (): (),
    ) -> FnResult<Box<dyn SplitEnumerator<Split = GeneratorSplit, State = ()>>> {
        Ok(Box::new(NoSplits))
    }

    fn create_reader(&self, _: ReaderContext) -> FnResult<Box<dyn SourceReader<Step<T>, GeneratorSplit>>> {
        Ok(Box::new(ScriptReader { steps: Arc::clone(&self.0), next: 0 }))
    }
}

/// The reader needs no splits: there is one.
struct NoSplits;

impl SplitEnumerator for NoSplits {
    type Split = GeneratorSplit;
    type State = ();

    fn on_split_request(&mut self, _: u32, _: &mut EnumeratorOutput<'_, GeneratorSplit>) -> FnResult {
        Ok(())
    }

    fn add_splits_back(&mut self, _: Vec<GeneratorSplit>, _: u32) -> FnResult {
        Ok(())
    }

    fn snapshot_state(&mut self, _: u64) -> FnResult {
        Ok(())
    }
}

struct ScriptReader<T> {
    steps: Arc<Vec<Step<T>>>,
    next: usize,
}

impl<T: Data> SourceReader<Step<T>, GeneratorSplit> for ScriptReader<T> {
    fn add_splits(&mut self, _: Vec<GeneratorSplit>) -> FnResult {
        Ok(())
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, Step<T>>) -> FnResult<InputStatus> {
        let Some(step) = self.steps.get(self.next) else { return Ok(InputStatus::EndOfInput) };
        out.collect(step.clone());
        self.next += 1;
        Ok(InputStatus::MoreAvailable)
    }

    fn snapshot_state(&mut self, _: u64) -> FnResult<Vec<GeneratorSplit>> {
        Ok(Vec::new())
    }
}

/// A closure as a [`ProcessFunction`].
#[derive(Clone)]
pub(crate) struct Process<F>(F);

pub(crate) fn process<I, O, F>(function: F) -> Process<F>
where
    F: FnMut(I, &mut ProcessContext, &mut Collector<'_, O>) -> FnResult + Clone + Send + 'static,
{
    Process(function)
}

impl<I, O, F> ProcessFunction<I, O> for Process<F>
where
    F: FnMut(I, &mut ProcessContext, &mut Collector<'_, O>) -> FnResult + Clone + Send + 'static,
{
    fn process_element(
        &mut self,
        record: I,
        context: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        (self.0)(record, context, out)
    }
}

/// The records with their timestamps.
pub(crate) fn stamped<T: Data>(stream: &DataStream<T>) -> DataStream<(T, Option<Timestamp>)> {
    stream.process(process(
        |record, context: &mut ProcessContext, out: &mut Collector<'_, (T, Option<Timestamp>)>| {
            out.collect((record, context.timestamp()));
            Ok(())
        },
    ))
}

/// Two closures as a [`KeyedProcessFunction`]: for records, and for timers.
#[derive(Clone)]
pub(crate) struct Keyed<E, T>(E, T);

pub(crate) fn keyed<K, I, O, E, T>(on_element: E, on_timer: T) -> Keyed<E, T>
where
    E: FnMut(I, &mut KeyedContext<'_, K>, &mut Collector<'_, O>) -> FnResult + Clone + Send + 'static,
    T: FnMut(Timestamp, &mut OnTimerContext<'_, K>, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    Keyed(on_element, on_timer)
}

impl<K, I, O, E, T> KeyedProcessFunction<K, I, O> for Keyed<E, T>
where
    K: Key,
    E: FnMut(I, &mut KeyedContext<'_, K>, &mut Collector<'_, O>) -> FnResult + Clone + Send + 'static,
    T: FnMut(Timestamp, &mut OnTimerContext<'_, K>, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    fn process_element(
        &mut self,
        record: I,
        context: &mut KeyedContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        (self.0)(record, context, out)
    }

    fn on_timer(
        &mut self,
        time: Timestamp,
        context: &mut OnTimerContext<'_, K>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        (self.1)(time, context, out);
        Ok(())
    }
}

/// A clock that shows what it was set to.
pub(crate) struct ManualClock(AtomicI64);

impl ManualClock {
    pub(crate) fn at(wall_ms: Timestamp) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(wall_ms)))
    }

    pub(crate) fn set(&self, wall_ms: Timestamp) {
        self.0.store(wall_ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> Timestamp {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> u64 {
        self.wall_ms().unsigned_abs() * 1_000_000
    }
}

/// The records in their natural order, for streams whose order is not defined.
pub(crate) fn sorted<T: Ord>(mut records: Vec<T>) -> Vec<T> {
    records.sort();
    records
}

/// The error's text, which must be one line.
pub(crate) fn line<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    let text = result.expect_err("the program is wrong").to_string();
    assert!(!text.contains('\n') && !text.is_empty(), "not one line: {text:?}");
    text
}
