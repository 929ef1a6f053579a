//! A sink that shows each record at once, so that what is processed twice is seen twice.

use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott::sink::{BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext};
use flott_core::Batch;

/// What a file that is only appended to would hold.
pub(crate) struct Log<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Log<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Log<T> {
    pub(crate) fn records(&self) -> Vec<T> {
        self.0.lock().unwrap().clone()
    }
}

impl<T: Data> Sink<T> for Log<T> {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<T, Self>> {
        Ok(Box::new(self.clone()))
    }
}

impl<T: Data> SinkWriter<T> for Log<T> {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<T>, _context: WriteContext) -> FnResult {
        self.0.lock().unwrap().append(&mut batch.records);
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }
}
