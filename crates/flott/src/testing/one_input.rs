//! The harness for pieces of programs with one input.

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

/// Drives a piece of a program that reads one stream (Flink: `OneInputStreamOperatorTestHarness`).
///
/// ```
/// use flott::prelude::*;
/// use flott::testing::OneInputHarness;
///
/// let mut harness = OneInputHarness::new(|words: DataStream<(String, i64)>| {
///     words.key_by_ref(|(word, _)| word).sum(|(_, count)| count)
/// });
/// harness.process(("to".to_owned(), 1), 10)?;
/// harness.process(("be".to_owned(), 1), 11)?;
/// harness.process(("to".to_owned(), 1), 12)?;
/// let last = harness.take_stamped().pop();
/// assert_eq!(last, Some((("to".to_owned(), 2), Some(12))));
/// # Ok::<(), Error>(())
/// ```
pub struct OneInputHarness<I, O> {
    harness: Harness<O>,
    feed: Feed<I>,
}

impl<I: Data, O: Data> OneInputHarness<I, O> {
    /// Tests what `build` puts behind the stream.
    pub fn new(build: impl FnOnce(DataStream<I>) -> DataStream<O>) -> Self {
        let env = environment();
        let (feed, stream) = input(&env, "Input");
        let feeds: Vec<Box<dyn AnyFeed>> = vec![Box::new(feed.clone())];
        Self { harness: Harness::new(build(stream), feeds), feed }
    }

    harness_settings!();

    /// A record with a timestamp arrives.
    ///
    /// # Errors
    /// That with which the job would end, here and in all steps.
    pub fn process(&mut self, record: I, timestamp: Timestamp) -> Result<(), Error> {
        self.push(StreamElement::Record(record, Some(timestamp)))
    }

    /// A record without timestamp arrives.
    ///
    /// # Errors
    /// As [`OneInputHarness::process`].
    pub fn process_without_timestamp(&mut self, record: I) -> Result<(), Error> {
        self.push(StreamElement::Record(record, None))
    }

    /// Event time advances. A watermark that is not larger than the last, or comes while the input is idle, is ignored.
    ///
    /// # Errors
    /// As [`OneInputHarness::process`].
    pub fn watermark(&mut self, watermark: Timestamp) -> Result<(), Error> {
        self.push(StreamElement::Watermark(watermark))
    }

    /// The input becomes idle or active.
    ///
    /// # Errors
    /// As [`OneInputHarness::process`].
    pub fn status(&mut self, status: StreamStatus) -> Result<(), Error> {
        self.push(StreamElement::Status(status))
    }

    /// The input ends, as a bounded source does: the last watermark comes, then the operators finish.
    ///
    /// # Errors
    /// As [`OneInputHarness::process`].
    pub fn finish(&mut self) -> Result<(), Error> {
        let feed = self.feed.clone();
        self.step(|| feed.end())
    }

    fn push(&mut self, element: StreamElement<I>) -> Result<(), Error> {
        let feed = self.feed.clone();
        self.step(|| feed.push(element))
    }
}

impl<I, O> Deref for OneInputHarness<I, O> {
    type Target = Harness<O>;

    fn deref(&self) -> &Harness<O> {
        &self.harness
    }
}

impl<I, O> DerefMut for OneInputHarness<I, O> {
    fn deref_mut(&mut self) -> &mut Harness<O> {
        &mut self.harness
    }
}
