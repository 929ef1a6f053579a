mod collected;

use std::collections::BTreeMap;

use flott_core::Batch;
use flott_runtime::error::FnResult;
use flott_runtime::sink::{BoxWriter, NoCommittable, Sink, SinkContext, SinkWriter, WriteContext};
use serde::{Deserialize, Serialize};

pub use collected::Collected;

/// Hands the records of a stream to the calling program, which keeps them in memory. When the job starts again from a
/// checkpoint, the records are taken back that came after it, so that each is there once.
#[derive(Debug)]
pub struct CollectSink<T> {
    collected: Collected<T>,
}

impl<T> CollectSink<T> {
    /// Collects all records, or the first `limit`.
    pub fn new(limit: Option<usize>) -> Self {
        Self { collected: Collected::new(limit.unwrap_or(usize::MAX)) }
    }

    /// Where the records are.
    pub fn collected(&self) -> Collected<T> {
        self.collected.clone()
    }
}

/// How many records a writer had written at a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CollectWriterState {
    writer: u32,
    written: u64,
}

impl<T: Send + 'static> Sink<T> for CollectSink<T> {
    type Committable = NoCommittable;
    type WriterState = CollectWriterState;

    fn create_writer(&self, context: &SinkContext) -> FnResult<BoxWriter<T, Self>> {
        self.restore_writer(context, Vec::new())
    }

    fn restore_writer(
        &self,
        context: &SinkContext,
        states: Vec<CollectWriterState>,
    ) -> FnResult<BoxWriter<T, Self>> {
        let own = Writers { first: context.subtask(), parallelism: context.parallelism() };
        let mut records = self.collected.lock();
        let known = records.writers().into_iter().map(|writer| (writer, 0));
        let kept = states.into_iter().map(|state| (state.writer, state.written));
        let marks: BTreeMap<u32, u64> = known.chain(kept).collect();
        for (writer, written) in marks.into_iter().filter(|(writer, _)| own.contain(*writer)) {
            records.roll_back(writer, written);
        }
        drop(records);
        Ok(Box::new(CollectWriter { collected: self.collected(), own }))
    }

    /// What came after the checkpoint can only be told by who knows all that came before.
    fn restores_all_states(&self) -> bool {
        true
    }
}

/// The writers of which a subtask keeps the books: itself, and those of earlier runs that are no more.
#[derive(Clone, Copy)]
struct Writers {
    first: u32,
    parallelism: u32,
}

impl Writers {
    fn contain(self, writer: u32) -> bool {
        writer % self.parallelism == self.first
    }
}

struct CollectWriter<T> {
    collected: Collected<T>,
    own: Writers,
}

impl<T> SinkWriter<T> for CollectWriter<T> {
    type Committable = NoCommittable;
    type State = CollectWriterState;

    fn write(&mut self, batch: &mut Batch<T>, _context: WriteContext) -> FnResult {
        self.collected.lock().add(self.own.first, batch.records.drain(..));
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<CollectWriterState>> {
        let records = self.collected.lock();
        let own = records.writers().into_iter().filter(|writer| self.own.contain(*writer));
        Ok(own.map(|writer| CollectWriterState { writer, written: records.written(writer) }).collect())
    }
}
