//! What is made of the records of a window.

use std::ops::Deref;

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;
use flott_state::{CurrentKey, KeyedState, StateRegistry};

use super::{EvictorContext, Window};
use crate::function::RuntimeContext;

mod elements;
mod incremental;
mod work;

pub(crate) use elements::{AllElements, Evicting};
pub(crate) use incremental::{Aggregate, Aggregation, EmitResult, Incremental, Reduce};
pub(crate) use work::{Closure, OverElements, Work};

/// Makes the results of a window (Flink: `ProcessWindowFunction`).
///
/// `I` is what it gets of the window: a slice `&[T]` of all its records with
/// [`WindowedStream::process`](crate::stream::WindowedStream::process), or the one result of an incremental aggregation
/// with [`aggregate_and_process`](crate::stream::WindowedStream::aggregate_and_process) and
/// [`reduce_and_process`](crate::stream::WindowedStream::reduce_and_process).
///
/// ```
/// use flott::prelude::*;
///
/// /// The median of each window, and how many windows its key has had.
/// #[derive(Clone, Default)]
/// struct Median {
///     windows: ValueState<u32>,
/// }
///
/// impl ProcessWindowFunction<String, TimeWindow, &[(String, i64)], (String, i64, u32)> for Median {
///     fn open(&mut self, context: &mut WindowOpenContext<'_, String, TimeWindow>) -> FnResult {
///         self.windows = context.global_state().value_state(ValueStateDescriptor::new("windows"))?;
///         Ok(())
///     }
///
///     fn process(
///         &mut self,
///         elements: &[(String, i64)],
///         context: &mut WindowContext<'_, String, TimeWindow>,
///         out: &mut Collector<'_, (String, i64, u32)>,
///     ) -> FnResult {
///         let mut values: Vec<i64> = elements.iter().map(|(_, value)| *value).collect();
///         values.sort_unstable();
///         let key = context.key().clone();
///         let mut of_key = context.global_state();
///         let windows = self.windows.get_or_insert_with(&mut of_key, || 0)?;
///         *windows += 1;
///         out.collect((key, values[values.len() / 2], *windows));
///         Ok(())
///     }
/// }
///
/// let env = StreamExecutionEnvironment::new();
/// let numbers = env
///     .from_elements([3, 1, 2, 14, 13].map(|n| ("a".to_owned(), n)))
///     .assign_timestamps_and_watermarks(
///         WatermarkStrategy::for_monotonous_timestamps().with_timestamp_assigner(|(_, n), _| n / 10 * 10),
///     );
/// let medians = numbers
///     .key_by_ref(|(name, _)| name)
///     .window(TumblingEventTimeWindows::of(Duration::from_millis(10)))
///     .process(Median::default())
///     .execute_and_collect()?;
/// assert_eq!(medians, [("a".to_owned(), 2, 1), ("a".to_owned(), 14, 2)]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ProcessWindowFunction<K: Key, W: Window, I, O>: Clone + Send + 'static {
    #[doc(hidden)]
    const CLEARS: bool = true;

    /// Called once before the first record: the place to obtain state.
    ///
    /// # Errors
    /// An error of any method fails the job.
    fn open(&mut self, _context: &mut WindowOpenContext<'_, K, W>) -> FnResult {
        Ok(())
    }

    /// The window has fired. What is emitted carries the last timestamp of the window.
    ///
    /// # Errors
    /// An error fails the job.
    fn process(
        &mut self,
        elements: I,
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// The window is being removed: drop its [per-window state](WindowContext::window_state).
    ///
    /// # Errors
    /// An error fails the job.
    fn clear(&mut self, _context: &mut WindowContext<'_, K, W>) -> FnResult {
        Ok(())
    }

    /// Called once at the end, also after a failure.
    ///
    /// # Errors
    /// An error fails the job if it has not failed before.
    fn close(&mut self) -> FnResult {
        Ok(())
    }
}

/// Where a window function gets its state, in `open`. No key is current, so the state can't be used yet.
pub struct WindowOpenContext<'a, K, W> {
    runtime: &'a RuntimeContext,
    state: &'a mut KeyedState<K>,
    windows: std::marker::PhantomData<fn() -> W>,
}

impl<'a, K: Key, W: Window> WindowOpenContext<'a, K, W> {
    pub(super) fn new(runtime: &'a RuntimeContext, state: &'a mut KeyedState<K>) -> Self {
        Self { runtime, state, windows: std::marker::PhantomData }
    }

    /// Where state for each key is registered (Flink: `globalState()`).
    pub fn global_state(&mut self) -> StateRegistry<'_, K> {
        StateRegistry::new(self.state)
    }

    /// Where state for each key and window is registered (Flink: `windowState()`).
    pub fn window_state(&mut self) -> StateRegistry<'_, K, W> {
        StateRegistry::new(self.state)
    }
}

impl<K, W> Deref for WindowOpenContext<'_, K, W> {
    type Target = RuntimeContext;

    fn deref(&self) -> &RuntimeContext {
        self.runtime
    }
}

/// What a window function knows and can do beside the records: key, window, time, state.
pub struct WindowContext<'a, K, W> {
    pub(super) key: &'a K,
    pub(super) hash: u64,
    pub(super) window: &'a W,
    pub(super) state: &'a mut KeyedState<K>,
    pub(super) times: Times,
    pub(super) merges: bool,
}

/// Where time has come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) watermark: Timestamp,
    pub(super) now: Timestamp,
}

impl From<Times> for EvictorContext {
    fn from(times: Times) -> Self {
        Self { watermark: times.watermark, processing_time: times.now }
    }
}

impl<K: Key, W: Window> WindowContext<'_, K, W> {
    /// The key of the window's records.
    pub fn key(&self) -> &K {
        self.key
    }

    /// The window.
    pub fn window(&self) -> &W {
        self.window
    }

    /// The last watermark, `i64::MIN` before the first.
    pub fn current_watermark(&self) -> Timestamp {
        self.times.watermark
    }

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    pub fn current_processing_time(&self) -> Timestamp {
        self.times.now
    }

    /// State of the key, whatever the window: what a handle from [`WindowOpenContext::global_state`] is used with.
    pub fn global_state(&mut self) -> CurrentKey<'_, K> {
        CurrentKey::new(self.state, self.key, self.hash)
    }

    /// State of the key and window: what a handle from [`WindowOpenContext::window_state`] is used with. Clear it in
    /// [`ProcessWindowFunction::clear`].
    ///
    /// # Errors
    /// With windows that merge, as sessions do: the state of those that become one can't be merged.
    pub fn window_state(&mut self) -> Result<CurrentKey<'_, K, W>, PerWindowStateRefused> {
        if self.merges {
            return Err(PerWindowStateRefused);
        }
        Ok(CurrentKey { state: self.state, key: self.key, hash: self.hash, namespace: self.window })
    }
}

/// Windows that merge have no state of each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("per-window state is not allowed with windows that merge, such as sessions: use global_state()")]
pub struct PerWindowStateRefused;
