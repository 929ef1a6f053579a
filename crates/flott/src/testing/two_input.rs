//! The harness for pieces of programs with two inputs.

use std::ops::{Deref, DerefMut};

use flott_core::Data;
use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;
use flott_runtime::testing::{AnyFeed, Feed};

use super::environment;
use super::harness::input;
use super::options::harness_settings;
use super::{Harness, StreamElement};
use crate::error::Error;
use crate::stream::DataStream;

/// Drives a piece of a program that reads two streams (Flink: `TwoInputStreamOperatorTestHarness`).
///
/// ```
/// use flott::prelude::*;
/// use flott::testing::{StreamElement, TwoInputHarness};
///
/// let mut harness = TwoInputHarness::new(|numbers: DataStream<i64>, texts: DataStream<String>| {
///     numbers.union(&texts.map(|text| text.len() as i64))
/// });
/// harness.process1(7, 1)?;
/// harness.process2("four".to_owned(), 2)?;
/// harness.watermark1(9)?;
/// harness.watermark2(5)?;
/// let watermark = StreamElement::Watermark(5);
/// assert_eq!(
///     harness.take_output(),
///     [StreamElement::Record(7, Some(1)), StreamElement::Record(4, Some(2)), watermark]
/// );
/// # Ok::<(), Error>(())
/// ```
pub struct TwoInputHarness<A, B, O> {
    harness: Harness<O>,
    first: Feed<A>,
    second: Feed<B>,
}

impl<A: Data, B: Data, O: Data> TwoInputHarness<A, B, O> {
    /// Tests what `build` puts behind the streams.
    pub fn new(build: impl FnOnce(DataStream<A>, DataStream<B>) -> DataStream<O>) -> Self {
        let env = environment();
        let (first, stream1) = input(&env, "Input 1");
        let (second, stream2) = input(&env, "Input 2");
        let feeds: Vec<Box<dyn AnyFeed>> = vec![Box::new(first.clone()), Box::new(second.clone())];
        Self { harness: Harness::new(build(stream1, stream2), feeds), first, second }
    }

    harness_settings!();

    /// A record with a timestamp arrives at the first input.
    ///
    /// # Errors
    /// That with which the job would end, here and in all steps.
    pub fn process1(&mut self, record: A, timestamp: Timestamp) -> Result<(), Error> {
        self.push1(StreamElement::Record(record, Some(timestamp)))
    }

    /// A record without timestamp arrives at the first input.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process1`].
    pub fn process_without_timestamp1(&mut self, record: A) -> Result<(), Error> {
        self.push1(StreamElement::Record(record, None))
    }

    /// Event time of the first input advances. A watermark that is not larger than the last, or comes while that input is idle, is ignored.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process1`].
    pub fn watermark1(&mut self, watermark: Timestamp) -> Result<(), Error> {
        self.push1(StreamElement::Watermark(watermark))
    }

    /// The first input becomes idle or active.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process1`].
    pub fn status1(&mut self, status: StreamStatus) -> Result<(), Error> {
        self.push1(StreamElement::Status(status))
    }

    /// The first input ends, as a bounded source does: with the last watermark.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process1`].
    pub fn finish1(&mut self) -> Result<(), Error> {
        let feed = self.first.clone();
        self.step(|| feed.end())
    }

    /// A record with a timestamp arrives at the second input.
    ///
    /// # Errors
    /// That with which the job would end, here and in all steps.
    pub fn process2(&mut self, record: B, timestamp: Timestamp) -> Result<(), Error> {
        self.push2(StreamElement::Record(record, Some(timestamp)))
    }

    /// A record without timestamp arrives at the second input.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process2`].
    pub fn process_without_timestamp2(&mut self, record: B) -> Result<(), Error> {
        self.push2(StreamElement::Record(record, None))
    }

    /// Event time of the second input advances. A watermark that is not larger than the last, or comes while that input is idle, is ignored.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process2`].
    pub fn watermark2(&mut self, watermark: Timestamp) -> Result<(), Error> {
        self.push2(StreamElement::Watermark(watermark))
    }

    /// The second input becomes idle or active.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process2`].
    pub fn status2(&mut self, status: StreamStatus) -> Result<(), Error> {
        self.push2(StreamElement::Status(status))
    }

    /// The second input ends, as a bounded source does: with the last watermark.
    ///
    /// # Errors
    /// As [`TwoInputHarness::process2`].
    pub fn finish2(&mut self) -> Result<(), Error> {
        let feed = self.second.clone();
        self.step(|| feed.end())
    }

    fn push1(&mut self, element: StreamElement<A>) -> Result<(), Error> {
        let feed = self.first.clone();
        self.step(|| feed.push(element))
    }

    fn push2(&mut self, element: StreamElement<B>) -> Result<(), Error> {
        let feed = self.second.clone();
        self.step(|| feed.push(element))
    }
}

impl<A, B, O> Deref for TwoInputHarness<A, B, O> {
    type Target = Harness<O>;

    fn deref(&self) -> &Harness<O> {
        &self.harness
    }
}

impl<A, B, O> DerefMut for TwoInputHarness<A, B, O> {
    fn deref_mut(&mut self) -> &mut Harness<O> {
        &mut self.harness
    }
}
