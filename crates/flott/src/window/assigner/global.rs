//! One window for everything.

use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;

use super::{WindowAssigner, WindowAssignerContext};
use crate::window::{GlobalWindow, NeverTrigger};

/// One window for each key, which never ends (Flink: `GlobalWindows`). It emits nothing unless a trigger is set.
#[derive(Clone, Copy, Debug, Default)]
pub struct GlobalWindows;

impl<T: 'static> WindowAssigner<T> for GlobalWindows {
    type Window = GlobalWindow;
    type DefaultTrigger = NeverTrigger;

    #[inline]
    fn assign(
        &mut self,
        _: &T,
        _: Timestamp,
        _: &WindowAssignerContext,
        windows: &mut Vec<GlobalWindow>,
    ) -> FnResult {
        windows.clear();
        windows.push(GlobalWindow);
        Ok(())
    }

    fn default_trigger(&self) -> NeverTrigger {
        NeverTrigger
    }

    fn is_event_time(&self) -> bool {
        false
    }
}
