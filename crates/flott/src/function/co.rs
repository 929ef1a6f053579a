//! Functions on two connected streams without keys.

use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use super::life_cycle::{delegate_life_cycle, life_cycle};
use super::{FunctionInitializationContext, FunctionSnapshotContext, ProcessContext, RuntimeContext};

/// Turns each record of two streams into one of a third (Flink: `RichCoMapFunction`).
pub trait CoMapFunction<A, B, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext));

    /// Makes the new record of one of the first stream. It keeps the timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn map1(&mut self, record: A) -> FnResult<O>;

    /// Makes the new record of one of the second stream. It keeps the timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn map2(&mut self, record: B) -> FnResult<O>;
}

/// Turns each record of two streams into any number of a third (Flink: `RichCoFlatMapFunction`).
pub trait CoFlatMapFunction<A, B, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext), finish(O));

    /// Emits what a record of the first stream becomes. All of it keeps the record's timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn flat_map1(&mut self, record: A, out: &mut Collector<'_, O>) -> FnResult;

    /// Emits what a record of the second stream becomes. All of it keeps the record's timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn flat_map2(&mut self, record: B, out: &mut Collector<'_, O>) -> FnResult;
}

/// Processes the records of two streams, with time and side outputs (Flink: `CoProcessFunction`). It has no timers and
/// no keyed state: connected keyed streams and a [`KeyedCoProcessFunction`](super::KeyedCoProcessFunction) do.
pub trait CoProcessFunction<A, B, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext), finish(O));

    /// Processes a record of the first stream. Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element1(
        &mut self,
        record: A,
        context: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult;

    /// Processes a record of the second stream. Emitted records keep its timestamp.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element2(
        &mut self,
        record: B,
        context: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult;
}

/// Two closures as a [`CoMapFunction`].
#[derive(Clone)]
pub(crate) struct CoMapClosures<F, G>(pub(crate) F, pub(crate) G);

impl<A, B, O, F, G> CoMapFunction<A, B, O> for CoMapClosures<F, G>
where
    F: FnMut(A) -> O + Clone + Send + 'static,
    G: FnMut(B) -> O + Clone + Send + 'static,
{
    #[inline]
    fn map1(&mut self, record: A) -> FnResult<O> {
        Ok((self.0)(record))
    }

    #[inline]
    fn map2(&mut self, record: B) -> FnResult<O> {
        Ok((self.1)(record))
    }
}

/// Two closures as a [`CoFlatMapFunction`].
#[derive(Clone)]
pub(crate) struct CoFlatMapClosures<F, G>(pub(crate) F, pub(crate) G);

impl<A, B, O, F, G> CoFlatMapFunction<A, B, O> for CoFlatMapClosures<F, G>
where
    F: FnMut(A, &mut Collector<'_, O>) + Clone + Send + 'static,
    G: FnMut(B, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    #[inline]
    fn flat_map1(&mut self, record: A, out: &mut Collector<'_, O>) -> FnResult {
        (self.0)(record, out);
        Ok(())
    }

    #[inline]
    fn flat_map2(&mut self, record: B, out: &mut Collector<'_, O>) -> FnResult {
        (self.1)(record, out);
        Ok(())
    }
}

/// A co-map as what the engine runs on connected streams.
#[derive(Clone)]
pub(crate) struct CoMapProcess<F>(pub(crate) F);

impl<A, B, O: Clone + 'static, F: CoMapFunction<A, B, O>> CoProcessFunction<A, B, O> for CoMapProcess<F> {
    delegate_life_cycle!(|this| &mut this.0; F as CoMapFunction<A, B, O>, open(&RuntimeContext));

    #[inline]
    fn process_element1(
        &mut self,
        record: A,
        _: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        out.collect(self.0.map1(record)?);
        Ok(())
    }

    #[inline]
    fn process_element2(
        &mut self,
        record: B,
        _: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        out.collect(self.0.map2(record)?);
        Ok(())
    }
}

/// A co-flat-map as what the engine runs on connected streams.
#[derive(Clone)]
pub(crate) struct CoFlatMapProcess<F>(pub(crate) F);

impl<A, B, O, F: CoFlatMapFunction<A, B, O>> CoProcessFunction<A, B, O> for CoFlatMapProcess<F> {
    delegate_life_cycle!(
        |this| &mut this.0;
        F as CoFlatMapFunction<A, B, O>, open(&RuntimeContext), finish(O)
    );

    #[inline]
    fn process_element1(
        &mut self,
        record: A,
        _: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.0.flat_map1(record, out)
    }

    #[inline]
    fn process_element2(
        &mut self,
        record: B,
        _: &mut ProcessContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self.0.flat_map2(record, out)
    }
}
