//! What a program asks with.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use flott_core::Data;
use flott_runtime::program::Prototype;

use super::emission::OutputMode;
use super::operator::{AsyncSettings, AsyncWaitOperator};
use super::{AsyncFunction, AsyncRetryStrategy};
use crate::stream::DataStream;

/// The name of the operator.
const NAME: &str = "async wait operator";

/// Calls something outside for each record of a stream, without waiting for one call before the next (Flink:
/// `AsyncDataStream`).
///
/// All methods take how long a record may take with all its retries (milliseconds count; zero: for ever), and how many
/// records may be under way at once in a subtask. When that many are, the stream is back-pressured. Records under way
/// are part of checkpoints, and are called for again after a restore.
///
/// ```
/// use flott::prelude::*;
///
/// let env = StreamExecutionEnvironment::new();
/// let look_up = |id: i64| async move { Ok::<_, BoxError>(vec![format!("user {id}")]) };
/// let timeout = Duration::from_secs(10);
/// let users = AsyncDataStream::unordered_wait(
///     &env.from_sequence(1, 3),
///     look_up,
///     timeout,
///     AsyncDataStream::DEFAULT_CAPACITY,
/// );
/// let mut users = users.execute_and_collect()?;
/// users.sort();
/// assert_eq!(users, ["user 1", "user 2", "user 3"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AsyncDataStream;

impl AsyncDataStream {
    /// The usual number of records under way.
    pub const DEFAULT_CAPACITY: usize = 100;

    /// Emits results in the order of the records, so that a slow call holds back those behind it.
    pub fn ordered_wait<I: Data + Debug, O: Data>(
        stream: &DataStream<I>,
        function: impl AsyncFunction<I, O>,
        timeout: Duration,
        capacity: usize,
    ) -> DataStream<O> {
        add(stream, function, AsyncSettings { mode: OutputMode::Ordered, timeout, capacity, retry: None })
    }

    /// Emits results as the calls end. Watermarks keep their places: a result leaves between the same two as its record came.
    pub fn unordered_wait<I: Data + Debug, O: Data>(
        stream: &DataStream<I>,
        function: impl AsyncFunction<I, O>,
        timeout: Duration,
        capacity: usize,
    ) -> DataStream<O> {
        add(stream, function, AsyncSettings { mode: OutputMode::Unordered, timeout, capacity, retry: None })
    }

    /// As [`AsyncDataStream::ordered_wait`], trying again as the strategy says. The timeout must not be zero.
    pub fn ordered_wait_with_retry<I: Data + Debug, O: Data>(
        stream: &DataStream<I>,
        function: impl AsyncFunction<I, O>,
        timeout: Duration,
        capacity: usize,
        strategy: impl AsyncRetryStrategy<O>,
    ) -> DataStream<O> {
        let retry: Option<Arc<dyn AsyncRetryStrategy<O>>> = Some(Arc::new(strategy));
        add(stream, function, AsyncSettings { mode: OutputMode::Ordered, timeout, capacity, retry })
    }

    /// As [`AsyncDataStream::unordered_wait`], trying again as the strategy says. The timeout must not be zero.
    pub fn unordered_wait_with_retry<I: Data + Debug, O: Data>(
        stream: &DataStream<I>,
        function: impl AsyncFunction<I, O>,
        timeout: Duration,
        capacity: usize,
        strategy: impl AsyncRetryStrategy<O>,
    ) -> DataStream<O> {
        let retry: Option<Arc<dyn AsyncRetryStrategy<O>>> = Some(Arc::new(strategy));
        add(stream, function, AsyncSettings { mode: OutputMode::Unordered, timeout, capacity, retry })
    }
}

fn add<I: Data + Debug, O: Data>(
    stream: &DataStream<I>,
    function: impl AsyncFunction<I, O>,
    settings: AsyncSettings<O>,
) -> DataStream<O> {
    let problem = if settings.capacity == 0 {
        Some("its capacity is 0, so no call could ever start: give it at least 1")
    } else if settings.retry.is_some() && settings.timeout.is_zero() {
        Some("with retries it needs a timeout above zero, for attempts could go on for ever")
    } else {
        None
    };
    if let Some(problem) = problem {
        stream.env.builder.borrow_mut().invalid(NAME, problem.to_owned());
    }
    let function = Prototype::new(function);
    stream.add(NAME, move |setup| Ok(AsyncWaitOperator::new(function.get(), settings.clone(), setup)?))
}
