use std::time::Duration;

use flott_runtime::error::FnResult;

use super::{Evictor, EvictorContext, When, WindowElements};
use crate::window::Window;
use crate::window::assigner::millis;

/// Keeps the records of a span of time before the latest one of the window (Flink: `TimeEvictor`). If the first record
/// has no timestamp, all are kept.
#[derive(Clone, Copy, Debug)]
pub struct TimeEvictor {
    span_ms: i64,
    when: When,
}

impl TimeEvictor {
    /// Keeps records with timestamps greater than the largest one less `span`, before the function is called.
    pub fn of(span: Duration) -> Self {
        Self { span_ms: millis(span), when: When::Before }
    }

    /// Drops the others after the function was called instead.
    #[must_use]
    pub const fn after(mut self) -> Self {
        self.when = When::After;
        self
    }

    fn evict<T>(&self, elements: &mut WindowElements<T>) {
        let has_timestamps = elements.iter().next().is_some_and(|(_, time)| time.is_some());
        let latest = elements.iter().filter_map(|(_, time)| time).max();
        if let Some(latest) = latest.filter(|_| has_timestamps) {
            let cutoff = latest.saturating_sub(self.span_ms);
            elements.retain(|_, time| time.is_some_and(|time| time > cutoff));
        }
    }
}

impl<T, W: Window> Evictor<T, W> for TimeEvictor {
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
