//! Sinks that keep a figure of what they get.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flott_core::Batch;
use flott_runtime::error::FnResult;
use flott_runtime::sink::{
    BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext,
};

/// Adds up what a function makes of each record.
pub(crate) struct ChecksumSink<F> {
    of: F,
    sum: Arc<AtomicU64>,
}

impl<F> ChecksumSink<F> {
    pub(crate) fn new(of: F) -> (Self, Arc<AtomicU64>) {
        let sum = Arc::new(AtomicU64::new(0));
        (Self { of, sum: Arc::clone(&sum) }, sum)
    }
}

impl<T: 'static, F: Fn(&T) -> u64 + Clone + Send + Sync + 'static> Sink<T> for ChecksumSink<F> {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<T, Self>> {
        Ok(Box::new(ChecksumWriter { of: self.of.clone(), sum: Arc::clone(&self.sum) }))
    }
}

struct ChecksumWriter<F> {
    of: F,
    sum: Arc<AtomicU64>,
}

impl<T, F: Fn(&T) -> u64> SinkWriter<T> for ChecksumWriter<F> {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<T>, _context: WriteContext) -> FnResult {
        let sum = batch.records.iter().fold(0_u64, |sum, record| sum.wrapping_add((self.of)(record)));
        self.sum.fetch_add(sum, Ordering::Relaxed);
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }
}
