//! How a stream spreads over the subtasks of its next operator, where the default (forward between equal
//! parallelisms, rebalance between others) is not what is wanted.

use std::sync::Arc;

use flott_core::Data;
use flott_runtime::exchange::{Partitioner, Partitioning};

use super::DataStream;

impl<T: Data> DataStream<T> {
    /// To the subtask of the same index. Both sides must have the same parallelism.
    pub fn forward(&self) -> Self {
        self.partitioned(Partitioning::Forward, Partitioner::Plain)
    }

    /// In turn to all subtasks.
    pub fn rebalance(&self) -> Self {
        self.partitioned(Partitioning::Rebalance, Partitioner::Plain)
    }

    /// To subtasks at random, uniformly.
    pub fn shuffle(&self) -> Self {
        self.partitioned(Partitioning::Shuffle, Partitioner::Plain)
    }

    /// In turn to a part of the subtasks, so that each is served by few: from 2 to 6, the first serves 0, 1 and 2.
    pub fn rescale(&self) -> Self {
        self.partitioned(Partitioning::Rescale, Partitioner::Plain)
    }

    /// Every record to every subtask.
    pub fn broadcast(&self) -> Self {
        self.partitioned(Partitioning::Broadcast, Partitioner::Plain)
    }

    /// Every record to subtask 0.
    pub fn global(&self) -> Self {
        self.partitioned(Partitioning::Global, Partitioner::Plain)
    }

    /// To the subtask that `partition` names, given the record and the number of subtasks. An index that is not below
    /// that number fails the job.
    pub fn partition_custom(&self, partition: impl Fn(&T, u32) -> u32 + Send + Sync + 'static) -> Self {
        self.partitioned(Partitioning::Custom, Partitioner::Custom(Arc::new(partition)))
    }
}
