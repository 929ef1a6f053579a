use std::cmp::Ordering;

use flott_runtime::error::FnResult;

use super::{Evictor, EvictorContext, When, WindowElements};
use crate::window::Window;

/// Keeps the records that differ from the last one of the window by less than a threshold (Flink: `DeltaEvictor`).
#[derive(Clone, Copy, Debug)]
pub struct DeltaEvictor<F> {
    threshold: f64,
    delta: F,
    when: When,
}

impl<F> DeltaEvictor<F> {
    /// Drops records with `delta(record, last) >= threshold` before the function is called.
    pub const fn of(threshold: f64, delta: F) -> Self {
        Self { threshold, delta, when: When::Before }
    }

    /// Drops them after the function was called instead.
    #[must_use]
    pub fn after(mut self) -> Self {
        self.when = When::After;
        self
    }

    fn evict<T: Clone>(&self, elements: &mut WindowElements<T>)
    where
        F: Fn(&T, &T) -> f64,
    {
        let Some(last) = elements.values().last().cloned() else { return };
        // A difference that is no number evicts nothing.
        elements.retain(|record, _| {
            (self.delta)(record, &last).partial_cmp(&self.threshold).is_none_or(Ordering::is_lt)
        });
    }
}

impl<T, W, F> Evictor<T, W> for DeltaEvictor<F>
where
    T: Clone,
    W: Window,
    F: Fn(&T, &T) -> f64 + Clone + Send + 'static,
{
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
