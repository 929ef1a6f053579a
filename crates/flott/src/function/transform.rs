//! One record in; one, some or none out.

use flott_runtime::error::{BoxError, FnResult};
use flott_runtime::operator::Collector;

use super::life_cycle::life_cycle;
use super::{FunctionInitializationContext, FunctionSnapshotContext, RuntimeContext};

/// Turns each record into another (Flink: `RichMapFunction`).
pub trait MapFunction<I, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext));

    /// Makes the new record. It keeps the timestamp of the old one.
    ///
    /// # Errors
    /// An error fails the job.
    fn map(&mut self, record: I) -> FnResult<O>;
}

/// Turns each record into any number of others (Flink: `RichFlatMapFunction`).
pub trait FlatMapFunction<I, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext), finish(O));

    /// Emits what the record becomes. All of it keeps the record's timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn flat_map(&mut self, record: I, out: &mut Collector<'_, O>) -> FnResult;
}

/// Keeps some records and drops the others (Flink: `RichFilterFunction`).
pub trait FilterFunction<T>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext));

    /// Whether to keep the record.
    ///
    /// # Errors
    /// An error fails the job.
    fn filter(&mut self, record: &T) -> FnResult<bool>;
}

/// A closure as a [`MapFunction`].
#[derive(Clone)]
pub(crate) struct MapClosure<F>(pub(crate) F);

impl<I, O, F: FnMut(I) -> O + Clone + Send + 'static> MapFunction<I, O> for MapClosure<F> {
    #[inline]
    fn map(&mut self, record: I) -> FnResult<O> {
        Ok((self.0)(record))
    }
}

/// A closure that can fail as a [`MapFunction`].
#[derive(Clone)]
pub(crate) struct TryMapClosure<F>(pub(crate) F);

impl<I, O, E, F> MapFunction<I, O> for TryMapClosure<F>
where
    E: Into<BoxError>,
    F: FnMut(I) -> Result<O, E> + Clone + Send + 'static,
{
    #[inline]
    fn map(&mut self, record: I) -> FnResult<O> {
        (self.0)(record).map_err(Into::into)
    }
}

/// A closure as a [`FlatMapFunction`].
#[derive(Clone)]
pub(crate) struct FlatMapClosure<F>(pub(crate) F);

impl<I, O, F> FlatMapFunction<I, O> for FlatMapClosure<F>
where
    F: FnMut(I, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    #[inline]
    fn flat_map(&mut self, record: I, out: &mut Collector<'_, O>) -> FnResult {
        (self.0)(record, out);
        Ok(())
    }
}

/// A closure as a [`FilterFunction`].
#[derive(Clone)]
pub(crate) struct FilterClosure<F>(pub(crate) F);

impl<T, F: FnMut(&T) -> bool + Clone + Send + 'static> FilterFunction<T> for FilterClosure<F> {
    #[inline]
    fn filter(&mut self, record: &T) -> FnResult<bool> {
        Ok((self.0)(record))
    }
}
