//! Which windows a record belongs to.

use std::time::Duration;

use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{AlignedShape, Trigger, Window};

mod global;
mod session;
mod sliding;
mod tumbling;

pub use global::GlobalWindows;
pub use session::{EventTimeSessionWindows, ProcessingTimeSessionWindows};
pub use sliding::{SlidingEventTimeWindows, SlidingProcessingTimeWindows};
pub use tumbling::{TumblingEventTimeWindows, TumblingProcessingTimeWindows};

/// Says to which windows a record belongs (Flink: `WindowAssigner`).
pub trait WindowAssigner<T>: Clone + Send + 'static {
    /// The windows.
    type Window: Window;
    /// What fires them unless the program says otherwise.
    type DefaultTrigger: Trigger<T, Self::Window>;

    /// Whether the windows of a key merge as [`Window::merged`] says (Flink: `MergingWindowAssigner`).
    const MERGES: bool = false;

    /// Makes `windows` the windows of a record. `timestamp` is `i64::MIN` for a record without one, which windows of
    /// event time never get to see.
    ///
    /// # Errors
    /// An error fails the job.
    fn assign(
        &mut self,
        record: &T,
        timestamp: Timestamp,
        context: &WindowAssignerContext,
        windows: &mut Vec<Self::Window>,
    ) -> FnResult;

    /// What fires these windows unless the program says otherwise.
    fn default_trigger(&self) -> Self::DefaultTrigger;

    /// Whether windows are of event time, so that every record needs a timestamp and can be late.
    fn is_event_time(&self) -> bool;

    /// Whether the sizes make sense.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }

    // What is known before the program runs, so that only the operators are compiled that may serve the windows.
    /// Whether windows are [aligned](Self::aligned) and none overlaps another.
    #[doc(hidden)]
    const TUMBLES: bool = false;
    /// Whether windows are [aligned](Self::aligned) and may overlap.
    #[doc(hidden)]
    const SLIDES: bool = false;
    /// Whether windows are sure to be of event time.
    #[doc(hidden)]
    const OF_EVENT_TIME: bool = false;

    /// The windows of event time as numbers, if they are the same for every record. Then they may be kept in a
    /// cheaper way.
    #[doc(hidden)]
    fn aligned(&self) -> Option<AlignedShape<Self::Window>> {
        None
    }
}

/// What an assigner knows beside the record.
#[derive(Clone, Copy, Debug)]
pub struct WindowAssignerContext {
    processing_time: Timestamp,
}

impl WindowAssignerContext {
    /// A context at this processing time.
    pub const fn at(processing_time: Timestamp) -> Self {
        Self { processing_time }
    }

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    pub const fn current_processing_time(&self) -> Timestamp {
        self.processing_time
    }
}

/// Whole milliseconds; what can't be counted is as good as for ever.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
