use flott_core::Batch;
use flott_runtime::error::FnResult;
use flott_runtime::sink::{
    BoxWriter, NoCommittable, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext,
};

/// Drops everything.
#[derive(Clone, Copy, Debug)]
pub struct DiscardSink;

impl<T: 'static> Sink<T> for DiscardSink {
    type Committable = NoCommittable;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<T, Self>> {
        Ok(Box::new(Self))
    }
}

impl<T> SinkWriter<T> for DiscardSink {
    type Committable = NoCommittable;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<T>, _context: WriteContext) -> FnResult {
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }
}
