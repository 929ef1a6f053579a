//! What window operators ask of what they keep and of the user's function, together.

use flott_core::time::Timestamp;
use flott_core::{Data, Key};
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::{ProcessWindowFunction, WindowContext, WindowOpenContext};
use crate::window::Window;

/// What is kept of the records of a window, and what is made of it.
pub(crate) trait Work<K: Key, T: Data, W: Window>: Clone + Send + 'static {
    /// What is kept for each key and window.
    type Kept: Data;
    /// What is emitted.
    type Out: Data;

    /// Whether what is kept has one size for any number of records, so that it pays to combine it ahead.
    const COMBINES: bool;
    /// Whether [`Work::clear`] does anything.
    const CLEARS: bool;
    /// Whether [`Work::emit`] changes what is kept.
    const EVICTS: bool = false;

    fn open(&mut self, context: &mut WindowOpenContext<'_, K, W>) -> FnResult;
    /// What is kept of a first record.
    fn start(&mut self, record: T, timestamp: Timestamp) -> Self::Kept;
    fn add(&mut self, kept: &mut Self::Kept, record: T, timestamp: Timestamp);
    /// Adds what `later` keeps.
    fn merge(&mut self, kept: &mut Self::Kept, later: Self::Kept);
    /// Whether nothing is left, which is as good as never having been filled.
    fn is_empty(_kept: &Self::Kept) -> bool {
        false
    }
    fn emit(
        &mut self,
        kept: &mut Self::Kept,
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, Self::Out>,
    ) -> FnResult;
    /// The window is being removed.
    fn clear(&mut self, context: &mut WindowContext<'_, K, W>) -> FnResult;
    fn close(&mut self) -> FnResult;
}

/// A [`Work`] that can also be done on all records at once, after an evictor has been at them.
pub(crate) trait OverElements<K: Key, T: Data, W: Window>: Work<K, T, W> {
    fn emit_all(
        &mut self,
        elements: &[T],
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, Self::Out>,
    ) -> FnResult;
}

/// A closure as a [`ProcessWindowFunction`] (Flink: `WindowFunction`).
#[derive(Clone)]
pub(crate) struct Closure<F>(pub(crate) F);

impl<K, W, R, O, F> ProcessWindowFunction<K, W, R, O> for Closure<F>
where
    K: Key,
    W: Window,
    F: FnMut(&K, &W, R, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    const CLEARS: bool = false;

    #[inline]
    fn process(
        &mut self,
        elements: R,
        context: &mut WindowContext<'_, K, W>,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        (self.0)(context.key, context.window, elements, out);
        Ok(())
    }
}
