//! When a window's result is emitted.

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_state::{HasKeyedState, MergingState, StateRegistry};

use super::Window;

mod continuous;
mod continuous_event_time;
mod continuous_processing_time;
mod count;
mod delta;
mod event_time;
mod never;
mod processing_time;
mod processing_timeout;
mod purging;

pub use continuous_event_time::ContinuousEventTimeTrigger;
pub use continuous_processing_time::ContinuousProcessingTimeTrigger;
pub use count::CountTrigger;
pub use delta::DeltaTrigger;
pub use event_time::EventTimeTrigger;
pub use never::NeverTrigger;
pub use processing_time::ProcessingTimeTrigger;
pub use processing_timeout::ProcessingTimeoutTrigger;
pub use purging::PurgingTrigger;

/// What to do with a window (Flink: `TriggerResult`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerResult {
    /// Nothing.
    Continue,
    /// Emit the result and keep the contents.
    Fire,
    /// Drop the contents without emitting.
    Purge,
    /// Emit the result and drop the contents.
    FireAndPurge,
}

impl TriggerResult {
    /// Whether to emit.
    #[inline]
    pub const fn fires(self) -> bool {
        matches!(self, Self::Fire | Self::FireAndPurge)
    }

    /// Whether to drop the contents.
    #[inline]
    pub const fn purges(self) -> bool {
        matches!(self, Self::Purge | Self::FireAndPurge)
    }
}

/// Decides when a window's result is emitted (Flink: `Trigger`).
///
/// One trigger serves all keys and windows of a subtask. What it remembers of one of them is state: registered in
/// [`open`](Trigger::open), used with the context of the other methods, which know the key and window at hand.
///
/// An error of any method fails the job.
pub trait Trigger<T, W: Window>: Clone + Send + 'static {
    /// Whether this is [`EventTimeTrigger`], for which there are operators that have no trigger.
    #[doc(hidden)]
    const IS_EVENT_TIME: bool = false;
    /// Whether the timers that are registered with the first record of a window are there until they fire or it is removed. A trigger
    /// of a user's may delete them, also the one that the window is removed by; or it is made of another one, which
    /// it keeps the first record from, or clears. Then each record registers them anew.
    #[doc(hidden)]
    const KEEPS_TIMERS: bool = false;

    /// Called once before the first record: the place to obtain state for each key and window.
    ///
    /// # Errors
    /// When a state can't be registered.
    fn open<K: Key>(&mut self, _state: &mut StateRegistry<'_, K, W>) -> FnResult {
        Ok(())
    }

    /// A record was added to the window. Its timestamp is `i64::MIN` if it has none.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_element<C: TriggerContext<W>>(
        &mut self,
        record: &T,
        timestamp: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult>;

    /// An event-time timer of the window has fired.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_event_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult>;

    /// A processing-time timer of the window has fired.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_processing_time<C: TriggerContext<W>>(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut C,
    ) -> FnResult<TriggerResult>;

    /// Whether the trigger serves windows that merge; then it has [`on_merge`](Trigger::on_merge).
    fn can_merge(&self) -> bool {
        false
    }

    /// Windows have merged into `window`: bring its state together and register its timers. Those of the windows
    /// that it is made of are cleared afterwards.
    ///
    /// # Errors
    /// An error fails the job.
    fn on_merge<C: OnMergeContext<W>>(&mut self, _window: &W, _context: &mut C) -> FnResult {
        Ok(())
    }

    /// The window is being removed: drop its state and delete its timers.
    ///
    /// # Errors
    /// An error fails the job.
    fn clear<C: TriggerContext<W>>(&mut self, window: &W, context: &mut C) -> FnResult;

    /// Whether the settings make sense.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    fn validate(&self) -> Result<(), String> {
        Ok(())
    }
}

/// What a trigger knows and can do: the state and timers of one key and window.
pub trait TriggerContext<W: Window>: HasKeyedState<Namespace = W> {
    /// The last watermark, `i64::MIN` before the first.
    fn current_watermark(&self) -> Timestamp;

    /// The wall clock in milliseconds since the epoch, as read when the present batch was taken.
    fn current_processing_time(&self) -> Timestamp;

    /// Asks for [`Trigger::on_event_time`] once the watermark reaches `time`.
    fn register_event_time_timer(&mut self, time: Timestamp);

    /// Asks for [`Trigger::on_processing_time`] once the clock reaches `time`.
    fn register_processing_time_timer(&mut self, time: Timestamp);

    /// Takes back an event-time timer.
    fn delete_event_time_timer(&mut self, time: Timestamp);

    /// Takes back a processing-time timer.
    fn delete_processing_time_timer(&mut self, time: Timestamp);

    // Registering a timer with each record is right, as Flink does it, but one is enough where it is sure to stay.
    /// Whether timers that an earlier record of the window has registered may be missing.
    #[doc(hidden)]
    fn may_lack_timers(&self) -> bool {
        true
    }

    // A timer that has fired is gone, and to delete it would only leave a tombstone behind. While the timers that are due
    // fire one after the other, some of them are still to come although their time has been reached.
    /// Up to which time event-time timers have fired.
    #[doc(hidden)]
    fn fired_event_time(&self) -> Timestamp {
        self.current_watermark()
    }

    /// Up to which time processing-time timers have fired.
    #[doc(hidden)]
    fn fired_processing_time(&self) -> Timestamp {
        self.current_processing_time()
    }
}

/// What a trigger knows and can do when windows merge.
pub trait OnMergeContext<W: Window>: TriggerContext<W> {
    /// Merges a state of the windows that the new one is made of into that of the new one.
    ///
    /// # Errors
    /// When the state is not of this operator.
    fn merge_partitioned_state<S: MergingState<Self::Key, W>>(&mut self, state: S) -> FnResult;
}
