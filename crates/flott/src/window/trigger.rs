//! When a window's result is emitted.

use flott_core::Key;
use flott_core::time::Timestamp;
use flott_state::TimerQueue;

use super::Window;

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
    pub const fn fires(self) -> bool {
        matches!(self, Self::Fire | Self::FireAndPurge)
    }

    /// Whether to drop the contents.
    pub const fn purges(self) -> bool {
        matches!(self, Self::Purge | Self::FireAndPurge)
    }
}

/// Decides when a window's result is emitted (Flink: `Trigger`).
pub trait Trigger<T, W: Window>: Clone + Send + 'static {
    /// A record was added to the window.
    fn on_element(
        &mut self,
        record_timestamp: Timestamp,
        window: &W,
        context: &mut dyn TriggerContext,
    ) -> TriggerResult;

    /// An event-time timer that this trigger has registered for the window has fired.
    fn on_event_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut dyn TriggerContext,
    ) -> TriggerResult;

    /// A processing-time timer that this trigger has registered for the window has fired.
    fn on_processing_time(
        &mut self,
        time: Timestamp,
        window: &W,
        context: &mut dyn TriggerContext,
    ) -> TriggerResult;

    /// The window is being removed: delete what is registered for it.
    fn clear(&mut self, window: &W, context: &mut dyn TriggerContext);
}

/// What a trigger knows and can do.
pub trait TriggerContext {
    /// The last watermark, `i64::MIN` before the first.
    fn current_watermark(&self) -> Timestamp;

    /// Whether the record at hand is the first of its key in the window, so that nothing is registered yet.
    fn is_first_element(&self) -> bool;

    /// Asks for [`Trigger::on_event_time`] once the watermark reaches `time`.
    fn register_event_time_timer(&mut self, time: Timestamp);

    /// Asks for [`Trigger::on_processing_time`] once the clock reaches `time`.
    fn register_processing_time_timer(&mut self, time: Timestamp);

    /// Takes back an event-time timer.
    fn delete_event_time_timer(&mut self, time: Timestamp);

    /// Takes back a processing-time timer.
    fn delete_processing_time_timer(&mut self, time: Timestamp);
}

/// Fires when the watermark passes the end of the window, and again for each late record that is still allowed (Flink:
/// `EventTimeTrigger`). The default for event-time windows.
#[derive(Clone, Copy, Debug)]
pub struct EventTimeTrigger;

impl<T, W: Window> Trigger<T, W> for EventTimeTrigger {
    #[inline]
    fn on_element(&mut self, _: Timestamp, window: &W, context: &mut dyn TriggerContext) -> TriggerResult {
        if window.max_timestamp() <= context.current_watermark() {
            return TriggerResult::Fire;
        }
        // One timer for each window and key is enough; it stays until it fires.
        if context.is_first_element() {
            context.register_event_time_timer(window.max_timestamp());
        }
        TriggerResult::Continue
    }

    fn on_event_time(&mut self, time: Timestamp, window: &W, _: &mut dyn TriggerContext) -> TriggerResult {
        if time == window.max_timestamp() { TriggerResult::Fire } else { TriggerResult::Continue }
    }

    fn on_processing_time(&mut self, _: Timestamp, _: &W, _: &mut dyn TriggerContext) -> TriggerResult {
        TriggerResult::Continue
    }

    fn clear(&mut self, window: &W, context: &mut dyn TriggerContext) {
        // A timer that the watermark has reached is gone already, and a tombstone for it would only stay behind.
        if window.max_timestamp() > context.current_watermark() {
            context.delete_event_time_timer(window.max_timestamp());
        }
    }
}

/// The timers of one window and key, as a trigger sees them.
pub(super) struct WindowTimers<'a, K, W> {
    pub(super) key: &'a K,
    pub(super) hash: u64,
    pub(super) window: &'a W,
    pub(super) watermark: Timestamp,
    pub(super) first: bool,
    pub(super) event: &'a mut TimerQueue<K, W>,
    pub(super) processing: &'a mut TimerQueue<K, W>,
}

impl<K: Key, W: Window> TriggerContext for WindowTimers<'_, K, W> {
    fn current_watermark(&self) -> Timestamp {
        self.watermark
    }

    fn is_first_element(&self) -> bool {
        self.first
    }

    fn register_event_time_timer(&mut self, time: Timestamp) {
        self.event.register(time, self.hash, self.key.clone(), self.window.clone());
    }

    fn register_processing_time_timer(&mut self, time: Timestamp) {
        self.processing.register(time, self.hash, self.key.clone(), self.window.clone());
    }

    fn delete_event_time_timer(&mut self, time: Timestamp) {
        self.event.delete(time, self.hash, self.key, self.window);
    }

    fn delete_processing_time_timer(&mut self, time: Timestamp) {
        self.processing.delete(time, self.hash, self.key, self.window);
    }
}
