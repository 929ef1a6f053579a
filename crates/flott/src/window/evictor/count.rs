use flott_runtime::error::FnResult;

use super::{Evictor, EvictorContext, When, WindowElements};
use crate::window::Window;

/// Keeps the last n records of a window (Flink: `CountEvictor`).
#[derive(Clone, Copy, Debug)]
pub struct CountEvictor {
    max: usize,
    when: When,
}

impl CountEvictor {
    /// Drops all but the last `max` records before the function is called.
    pub const fn of(max: usize) -> Self {
        Self { max, when: When::Before }
    }

    /// Drops them after the function was called instead.
    #[must_use]
    pub const fn after(mut self) -> Self {
        self.when = When::After;
        self
    }

    fn evict<T>(&self, elements: &mut WindowElements<T>) {
        elements.remove_first(elements.len().saturating_sub(self.max));
    }
}

impl<T, W: Window> Evictor<T, W> for CountEvictor {
    fn evict_before(&mut self, elements: &mut WindowElements<T>, _: &W, _: &EvictorContext) -> FnResult {
        if self.when == When::Before {
            self.evict(elements);
        }
        Ok(())
    }

    fn evict_after(&mut self, elements: &mut WindowElements<T>, _: &W, _: &EvictorContext) -> FnResult {
        if self.when == When::After {
            self.evict(elements);
        }
        Ok(())
    }
}
