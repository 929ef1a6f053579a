//! Side outputs: further outputs of an operator, each with a name and a type of its own.

use std::any::Any;
use std::marker::PhantomData;

use flott_core::Data;
use flott_core::time::Timestamp;
use flott_core::watermark::{MergeOutput, StreamStatus};

use super::Output;

use crate::error::{BoxError, ChainError, ChainResult};
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::task::in_any_case;

/// Names a side output of records of type `X` (Flink: `OutputTag`).
#[derive(Debug)]
pub struct OutputTag<X> {
    id: String,
    records: PhantomData<fn() -> X>,
}

impl<X> OutputTag<X> {
    /// A tag with this name. Two tags of one name in a program must have the same type.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), records: PhantomData }
    }

    /// The name.
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl<X> Clone for OutputTag<X> {
    fn clone(&self) -> Self {
        Self::new(self.id.clone())
    }
}

/// An [`Output`] whose record type is forgotten.
pub(crate) trait AnyOutput {
    fn as_any(&mut self) -> &mut dyn Any;
    /// Lets the next settling fail, under the name of the operator that emits.
    fn fail(&mut self, cause: BoxError);
    fn settle(&mut self) -> ChainResult;
    fn take_failure(&mut self) -> Option<ChainError>;
    fn take_emitted(&mut self) -> u64;
    fn take_progress(&mut self) -> MergeOutput;
    fn watermark(&mut self, watermark: Timestamp) -> ChainResult;
    fn status(&mut self, status: StreamStatus) -> ChainResult;
    fn flush(&mut self) -> ChainResult;
    fn open(&mut self) -> ChainResult;
    fn processing_time(&mut self, now: Timestamp) -> ChainResult;
    fn next_timer(&self) -> Option<Timestamp>;
    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult;
    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool>;
    fn abort_snapshot(&mut self);
    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult;
    fn finish(&mut self) -> ChainResult;
    fn end(&mut self) -> ChainResult;
    fn close(&mut self) -> ChainResult;
}

/// The side outputs of one operator that the program reads. Emitting to any other is free and does nothing.
#[derive(Default)]
pub struct SideOutputs {
    outputs: Vec<(String, Box<dyn AnyOutput>)>,
}

impl SideOutputs {
    pub(crate) fn new(outputs: Vec<(String, Box<dyn AnyOutput>)>) -> Self {
        Self { outputs }
    }

    /// Emits a record to the side output of this tag.
    pub fn emit<X: Data>(&mut self, tag: &OutputTag<X>, record: X, timestamp: Timestamp) {
        let Some((_, output)) = self.outputs.iter_mut().find(|(id, _)| id == tag.id()) else { return };
        match output.as_any().downcast_mut::<Output<X>>() {
            Some(output) => output.emit(record, timestamp),
            None => output.fail(
                format!(
                    "it emits {} to side output '{}', which the program reads as another type: a tag has one type",
                    std::any::type_name::<X>(),
                    tag.id()
                )
                .into(),
            ),
        }
    }

    /// Whether the program reads the side output of this name.
    pub fn is_connected(&self, id: &str) -> bool {
        self.outputs.iter().any(|(known, _)| known == id)
    }

    pub(crate) fn settle(&mut self) -> ChainResult {
        self.outputs.iter_mut().try_for_each(|(_, output)| output.settle())
    }

    pub(crate) fn take_failure(&mut self) -> Option<ChainError> {
        self.outputs.iter_mut().find_map(|(_, output)| output.take_failure())
    }

    pub(crate) fn take_emitted(&mut self) -> u64 {
        self.outputs.iter_mut().map(|(_, output)| output.take_emitted()).sum()
    }

    pub(crate) fn each(&mut self, mut call: impl FnMut(&mut dyn AnyOutput) -> ChainResult) -> ChainResult {
        self.outputs.iter_mut().try_for_each(|(_, output)| call(output.as_mut()))
    }

    pub(crate) fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        for (_, output) in &mut self.outputs {
            if !output.drain_snapshot(work)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) fn abort_snapshot(&mut self) {
        self.outputs.iter_mut().for_each(|(_, output)| output.abort_snapshot());
    }

    pub(crate) fn next_timer(&self) -> Option<Timestamp> {
        self.outputs.iter().filter_map(|(_, output)| output.next_timer()).min()
    }

    pub(crate) fn close(&mut self) -> ChainResult {
        close_all(&mut self.outputs)
    }
}

fn close_all(outputs: &mut [(String, Box<dyn AnyOutput>)]) -> ChainResult {
    match outputs {
        [] => Ok(()),
        [(_, first), rest @ ..] => in_any_case(|| first.close(), || close_all(rest)),
    }
}
