//! What the nested trigger is shown.

use flott_core::time::Timestamp;
use flott_state::{CurrentKey, HasKeyedState};

use crate::window::{TriggerContext, Window};

/// The context of a nested trigger, which may have been cleared while the window has kept its contents: the next record
/// is the first that it knows of.
pub(super) struct Nested<'a, C> {
    pub(super) context: &'a mut C,
    pub(super) is_clear: bool,
}

impl<C: HasKeyedState> HasKeyedState for Nested<'_, C> {
    type Key = C::Key;
    type Namespace = C::Namespace;

    #[inline]
    fn current(&mut self) -> CurrentKey<'_, C::Key, C::Namespace> {
        self.context.current()
    }
}

impl<W: Window, C: TriggerContext<W>> TriggerContext<W> for Nested<'_, C> {
    fn current_watermark(&self) -> Timestamp {
        self.context.current_watermark()
    }

    fn current_processing_time(&self) -> Timestamp {
        self.context.current_processing_time()
    }

    fn is_first_element(&self) -> bool {
        self.is_clear || self.context.is_first_element()
    }

    fn register_event_time_timer(&mut self, time: Timestamp) {
        self.context.register_event_time_timer(time);
    }

    fn register_processing_time_timer(&mut self, time: Timestamp) {
        self.context.register_processing_time_timer(time);
    }

    fn delete_event_time_timer(&mut self, time: Timestamp) {
        self.context.delete_event_time_timer(time);
    }

    fn delete_processing_time_timer(&mut self, time: Timestamp) {
        self.context.delete_processing_time_timer(time);
    }

    fn fired_event_time(&self) -> Timestamp {
        self.context.fired_event_time()
    }

    fn fired_processing_time(&self) -> Timestamp {
        self.context.fired_processing_time()
    }
}
