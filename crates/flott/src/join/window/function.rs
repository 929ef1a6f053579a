//! What is called for the records of two streams that are in one window.

use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use crate::function::RuntimeContext;

/// Makes something of each pair of a window join (Flink: `FlatJoinFunction`, of which a `JoinFunction` is the case that
/// emits one).
pub trait JoinFunction<A, B, O>: Clone + Send + 'static {
    /// Called once before the first record.
    ///
    /// # Errors
    /// An error of any method fails the job.
    fn open(&mut self, _context: &RuntimeContext) -> FnResult {
        Ok(())
    }

    /// A left and a right record are in a window that fires.
    ///
    /// # Errors
    /// An error fails the job.
    fn join(&mut self, left: &A, right: &B, out: &mut Collector<'_, O>) -> FnResult;

    /// Called once at the end, also after a failure.
    ///
    /// # Errors
    /// An error fails the job if it has not failed before.
    fn close(&mut self) -> FnResult {
        Ok(())
    }
}

/// Makes something of both sides of a window (Flink: `CoGroupFunction`).
pub trait CoGroupFunction<A, B, O>: Clone + Send + 'static {
    /// Called once before the first record.
    ///
    /// # Errors
    /// An error of any method fails the job.
    fn open(&mut self, _context: &RuntimeContext) -> FnResult {
        Ok(())
    }

    /// A window fires: these are its left and its right records, each in the order in which they came. One side may be
    /// empty, and both if an evictor has left nothing.
    ///
    /// # Errors
    /// An error fails the job.
    fn co_group(&mut self, lefts: &[A], rights: &[B], out: &mut Collector<'_, O>) -> FnResult;

    /// Called once at the end, also after a failure.
    ///
    /// # Errors
    /// An error fails the job if it has not failed before.
    fn close(&mut self) -> FnResult {
        Ok(())
    }
}

/// A closure as a [`JoinFunction`].
#[derive(Clone)]
pub(super) struct JoinClosure<F>(pub(super) F);

impl<A, B, O, F> JoinFunction<A, B, O> for JoinClosure<F>
where
    F: FnMut(&A, &B, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    #[inline]
    fn join(&mut self, left: &A, right: &B, out: &mut Collector<'_, O>) -> FnResult {
        (self.0)(left, right, out);
        Ok(())
    }
}

/// A closure as a [`CoGroupFunction`].
#[derive(Clone)]
pub(super) struct CoGroupClosure<F>(pub(super) F);

impl<A, B, O, F> CoGroupFunction<A, B, O> for CoGroupClosure<F>
where
    F: FnMut(&[A], &[B], &mut Collector<'_, O>) + Clone + Send + 'static,
{
    fn co_group(&mut self, lefts: &[A], rights: &[B], out: &mut Collector<'_, O>) -> FnResult {
        (self.0)(lefts, rights, out);
        Ok(())
    }
}

/// A join as the co-group of all pairs.
#[derive(Clone)]
pub(super) struct PairByPair<F>(pub(super) F);

impl<A, B, O, F: JoinFunction<A, B, O>> CoGroupFunction<A, B, O> for PairByPair<F> {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.0.open(context)
    }

    fn co_group(&mut self, lefts: &[A], rights: &[B], out: &mut Collector<'_, O>) -> FnResult {
        for left in lefts {
            for right in rights {
                self.0.join(left, right, out)?;
            }
        }
        Ok(())
    }

    fn close(&mut self) -> FnResult {
        self.0.close()
    }
}
