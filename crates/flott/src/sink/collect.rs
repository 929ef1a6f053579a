use std::sync::{Arc, Mutex, PoisonError};

use flott_core::Batch;
use flott_runtime::error::FnResult;
use flott_runtime::sink::{NoCommittable, Sink, SinkContext, SinkWriter, WriteContext};

/// The records that a [`CollectSink`] has received so far, from all its subtasks.
#[derive(Debug)]
pub struct Collected<T> {
    records: Arc<Mutex<Vec<T>>>,
}

impl<T> Clone for Collected<T> {
    fn clone(&self) -> Self {
        Self { records: Arc::clone(&self.records) }
    }
}

impl<T> Collected<T> {
    /// Takes the records out.
    pub fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Hands the records of a stream to the calling program, which keeps them in memory.
#[derive(Debug)]
pub struct CollectSink<T> {
    collected: Collected<T>,
    limit: Option<usize>,
}

impl<T> CollectSink<T> {
    /// Collects all records, or the first `limit`.
    pub fn new(limit: Option<usize>) -> Self {
        Self { collected: Collected { records: Arc::default() }, limit }
    }

    /// Where the records are.
    pub fn collected(&self) -> Collected<T> {
        self.collected.clone()
    }
}

impl<T: Send + 'static> Sink<T> for CollectSink<T> {
    type Committable = NoCommittable;

    fn create_writer(
        &self,
        _context: &SinkContext,
    ) -> FnResult<Box<dyn SinkWriter<T, Committable = NoCommittable>>> {
        Ok(Box::new(CollectWriter { collected: self.collected(), limit: self.limit.unwrap_or(usize::MAX) }))
    }
}

struct CollectWriter<T> {
    collected: Collected<T>,
    limit: usize,
}

impl<T> SinkWriter<T> for CollectWriter<T> {
    type Committable = NoCommittable;

    fn write(&mut self, batch: &mut Batch<T>, _context: WriteContext) -> FnResult {
        let mut records = self.collected.records.lock().unwrap_or_else(PoisonError::into_inner);
        let room = self.limit.saturating_sub(records.len());
        records.extend(batch.records.drain(..).take(room));
        drop(records);
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }
}
