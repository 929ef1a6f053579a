//! An exchange from one subtask to one subtask: a call inside one task.

use std::sync::Arc;

use flott_core::time::Timestamp;
use flott_core::watermark::StreamStatus;
use flott_core::{Batch, Data};

use super::channel::Element;
use super::{KeyHasher, Partitioner};
use crate::error::{ChainError, ChainResult};
use crate::metrics::Gauge;
use crate::operator::Input;
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::{enter_operator, leave_operator};

/// Hashes the keys, as a router would, and hands the batch to the operator downstream.
pub(crate) struct InlineExchange<T> {
    name: Arc<str>,
    hasher: Option<Arc<dyn KeyHasher<T>>>,
    watermark: Gauge,
    target: Box<dyn Input<T>>,
    /// What was in flight when this was an exchange of several subtasks.
    restored: Vec<Batch<T>>,
}

impl<T: Data> InlineExchange<T> {
    /// An exchange before `target`, of which `watermark` shows the watermark; `name` names it in errors.
    pub(crate) fn new(
        name: Arc<str>,
        partitioner: Partitioner<T>,
        watermark: Gauge,
        target: Box<dyn Input<T>>,
    ) -> Self {
        let hasher = match partitioner {
            Partitioner::Hash(hasher) => Some(hasher),
            Partitioner::Plain | Partitioner::Custom(_) => None,
        };
        Self { name, hasher, watermark, target, restored: Vec::new() }
    }

    /// The same, that hands over records before all others. Their watermarks are told anew.
    pub(crate) fn with_restored(mut self, restored: impl Iterator<Item = Element<T>>) -> Self {
        let batch = |element| if let Element::Batch(batch) = element { Some(batch) } else { None };
        self.restored.extend(restored.filter_map(batch));
        self
    }

    fn hash(&self, batch: &mut Batch<T>) -> ChainResult {
        batch.hashes.clear();
        let Some(hasher) = &self.hasher else { return Ok(()) };
        let outer = enter_operator(&self.name);
        let hashed = hasher.hash(&batch.records, &mut batch.hashes);
        leave_operator(outer);
        hashed.map_err(|error| ChainError::Failed { operator: self.name.to_string(), cause: error.into() })
    }
}

impl<T: Data> Input<T> for InlineExchange<T> {
    fn batch(&mut self, batch: &mut Batch<T>) -> ChainResult {
        self.hash(batch)?;
        self.target.batch(batch)
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.watermark.set(watermark);
        self.target.watermark(watermark)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        self.target.status(status)
    }

    fn flush(&mut self) -> ChainResult {
        self.target.flush()
    }

    fn open(&mut self) -> ChainResult {
        self.target.open()?;
        // Whatever is behind is open now and has had its own records, which are older.
        std::mem::take(&mut self.restored).iter_mut().try_for_each(|batch| self.batch(batch))
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        self.target.processing_time(now)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.target.next_timer()
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        self.target.snapshot(snapshot)
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        self.target.drain_snapshot(work)
    }

    fn abort_snapshot(&mut self) {
        self.target.abort_snapshot();
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        self.target.notify(notice)
    }

    fn finish(&mut self) -> ChainResult {
        self.target.finish()
    }

    fn end(&mut self) -> ChainResult {
        self.target.end()
    }

    fn close(&mut self) -> ChainResult {
        self.target.close()
    }
}
