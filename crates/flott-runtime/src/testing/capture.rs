//! The end of a stream, which keeps all that arrives.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::watermark::StreamStatus;
use flott_core::{Batch, Data};

use super::StreamElement;
use crate::error::ChainResult;
use crate::operator::{Input, OperatorSetup};
use crate::program::{Built, ErasedInput, ErasedOutputs, OperatorFactory};
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};

/// What has arrived at the end of a stream, in order. Cloning gives another handle to the same elements.
///
/// Its operator should run in one subtask: what comes out of several is merged before it as an exchange does it.
pub struct Capture<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    elements: Vec<StreamElement<T>>,
    only_records: bool,
}

impl<T> Clone for Capture<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Capture<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { elements: Vec::new(), only_records: false })))
    }
}

impl<T> Capture<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes out what has arrived.
    pub fn take(&self) -> Vec<StreamElement<T>> {
        std::mem::take(&mut self.lock().elements)
    }

    /// Whether watermarks and statuses are dropped from now on, as they are already known.
    pub fn keep_only_records(&self, only_records: bool) {
        self.lock().only_records = only_records;
    }
}

impl<T: Data> Capture<T> {
    /// The factory of the operator that captures.
    pub fn factory(&self) -> Arc<dyn OperatorFactory> {
        Arc::new(self.clone())
    }
}

impl<T: Data> OperatorFactory for Capture<T> {
    fn build(&self, _setup: OperatorSetup, _outputs: ErasedOutputs) -> ChainResult<Built> {
        let input: Box<dyn Input<T>> = Box::new(self.clone());
        Ok(Built::Input(ErasedInput::new(input)))
    }
}

impl<T: Data> Input<T> for Capture<T> {
    fn batch(&mut self, batch: &mut Batch<T>) -> ChainResult {
        let timestamps = std::mem::take(&mut batch.timestamps);
        let records = batch.records.drain(..).enumerate().map(|(index, record)| {
            let timestamp = timestamps.get(index).copied().filter(|timestamp| *timestamp != NO_TIMESTAMP);
            StreamElement::Record(record, timestamp)
        });
        self.lock().elements.extend(records);
        batch.clear();
        Ok(())
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        let mut state = self.lock();
        if !state.only_records {
            state.elements.push(StreamElement::Watermark(watermark));
        }
        Ok(())
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        let mut state = self.lock();
        if !state.only_records {
            state.elements.push(StreamElement::Status(status));
        }
        Ok(())
    }

    fn flush(&mut self) -> ChainResult {
        Ok(())
    }

    fn open(&mut self) -> ChainResult {
        Ok(())
    }

    fn processing_time(&mut self, _now: Timestamp) -> ChainResult {
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        None
    }

    fn snapshot(&mut self, _snapshot: &mut TaskSnapshot) -> ChainResult {
        Ok(())
    }

    fn drain_snapshot(&mut self, _work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        Ok(true)
    }

    fn abort_snapshot(&mut self) {}

    fn notify(&mut self, _notice: CheckpointNotice) -> ChainResult {
        Ok(())
    }

    fn finish(&mut self) -> ChainResult {
        Ok(())
    }

    fn end(&mut self) -> ChainResult {
        Ok(())
    }

    fn close(&mut self) -> ChainResult {
        Ok(())
    }
}
