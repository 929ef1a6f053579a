//! What is called for each pair.

use flott_core::time::Timestamp;
use flott_runtime::error::FnResult;
use flott_runtime::operator::Collector;

use crate::function::life_cycle::life_cycle;
use crate::function::{FunctionInitializationContext, FunctionSnapshotContext, RuntimeContext};

/// The times of a pair (Flink: `ProcessJoinFunction.Context`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinContext {
    pub(super) left: Timestamp,
    pub(super) right: Timestamp,
}

impl JoinContext {
    /// The timestamp of the left record.
    pub fn left_timestamp(&self) -> Timestamp {
        self.left
    }

    /// The timestamp of the right record.
    pub fn right_timestamp(&self) -> Timestamp {
        self.right
    }

    /// The timestamp of the pair, and of what is emitted for it: the greater of the two.
    pub fn timestamp(&self) -> Timestamp {
        self.left.max(self.right)
    }
}

/// Makes something of each pair of an interval join (Flink: `ProcessJoinFunction`). A closure that takes the two records
/// and the collector is one too. Side outputs are reached through the collector.
pub trait ProcessJoinFunction<L, R, O>: Clone + Send + 'static {
    life_cycle!(open(&RuntimeContext), finish(O));

    /// Processes a pair. Pairs with the same record come in no particular order.
    ///
    /// # Errors
    /// An error fails the job.
    fn process_element(
        &mut self,
        left: &L,
        right: &R,
        context: &JoinContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult;
}

impl<L, R, O, F> ProcessJoinFunction<L, R, O> for F
where
    F: FnMut(&L, &R, &mut Collector<'_, O>) + Clone + Send + 'static,
{
    #[inline]
    fn process_element(
        &mut self,
        left: &L,
        right: &R,
        _: &JoinContext,
        out: &mut Collector<'_, O>,
    ) -> FnResult {
        self(left, right, out);
        Ok(())
    }
}
