//! An operator with two inputs at its place in a task.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::rc::Rc;

use flott_core::Batch;
use flott_core::time::Timestamp;
use flott_core::watermark::{MergeOutput, StreamStatus, WatermarkMerge};

use super::placed::Placed;
use super::{AnyOutput, Input, OperatorSetup, Output, TwoInputOperator};
use crate::error::{ChainResult, FnResult};
use crate::exchange::{Downstream, forward};
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};

/// The two inputs of an operator, each with the type of its records.
pub type TwoInputs<O> =
    (Box<dyn Input<<O as TwoInputOperator>::In1>>, Box<dyn Input<<O as TwoInputOperator>::In2>>);

/// Puts the operator before its output and returns its two inputs.
///
/// Each input gets its own records, watermarks, statuses and end. What concerns the operator as a whole (open, flush,
/// processing time, snapshot, close) is called on both and happens once, at the first.
pub fn two_input_node<O: TwoInputOperator>(
    operator: O,
    output: Output<O::Out>,
    setup: OperatorSetup,
) -> TwoInputs<O> {
    let placed = Placed { operator, output, setup, finished: false };
    let node = Rc::new(RefCell::new(Node { placed, merge: WatermarkMerge::new(2), unfinished: 2 }));
    let first: Half<O, First> = Half { node: Rc::clone(&node), side: PhantomData };
    let second: Half<O, Second> = Half { node, side: PhantomData };
    (Box::new(first), Box::new(second))
}

struct Node<O: TwoInputOperator> {
    placed: Placed<O, O::Out>,
    merge: WatermarkMerge,
    unfinished: u32,
}

impl<O: TwoInputOperator> Node<O> {
    fn advance(&mut self, merged: MergeOutput) -> ChainResult {
        if let Some(watermark) = merged.watermark {
            self.placed.setup.task.metrics.watermark.set(watermark);
        }
        forward(merged, self)
    }

    fn own_timer(&self) -> Option<Timestamp> {
        self.placed.operator.next_timer().filter(|_| !self.placed.finished)
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        if self.own_timer().is_some_and(|due| due <= now) {
            self.placed.run(|operator, output| operator.on_processing_time(now, output))?;
        }
        AnyOutput::processing_time(&mut self.placed.output, now)
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.own_timer().into_iter().chain(self.placed.output.next_timer()).min()
    }

    /// One more input has ended.
    fn finish(&mut self, side: usize) -> ChainResult {
        let merged = self.merge.on_finished(side);
        self.advance(merged)?;
        self.unfinished -= 1;
        if self.unfinished > 0 {
            return Ok(());
        }
        self.placed.run(O::finish)?;
        self.placed.finished = true;
        AnyOutput::finish(&mut self.placed.output)
    }
}

impl<O: TwoInputOperator> Downstream for Node<O> {
    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        self.placed.run(|operator, output| operator.on_watermark(watermark, output))?;
        AnyOutput::watermark(&mut self.placed.output, watermark)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        AnyOutput::status(&mut self.placed.output, status)
    }
}

/// One of the two inputs of an operator.
trait Side<O: TwoInputOperator>: 'static {
    type In;
    const INDEX: usize;
    fn process(operator: &mut O, batch: &mut Batch<Self::In>, out: &mut Output<O::Out>) -> FnResult;
}

struct First;

impl<O: TwoInputOperator> Side<O> for First {
    type In = O::In1;
    const INDEX: usize = 0;
    fn process(operator: &mut O, batch: &mut Batch<O::In1>, out: &mut Output<O::Out>) -> FnResult {
        operator.process1(batch, out)
    }
}

struct Second;

impl<O: TwoInputOperator> Side<O> for Second {
    type In = O::In2;
    const INDEX: usize = 1;
    fn process(operator: &mut O, batch: &mut Batch<O::In2>, out: &mut Output<O::Out>) -> FnResult {
        operator.process2(batch, out)
    }
}

/// The side `S` of a node. Calls never overlap, as both halves are on the task's thread and a graph has no cycles.
struct Half<O: TwoInputOperator, S> {
    node: Rc<RefCell<Node<O>>>,
    side: PhantomData<S>,
}

impl<O: TwoInputOperator, S: Side<O>> Half<O, S> {
    /// Calls the node once for both halves.
    fn once(&self, call: impl FnOnce(&mut Node<O>) -> ChainResult) -> ChainResult {
        if S::INDEX == 0 { call(&mut self.node.borrow_mut()) } else { Ok(()) }
    }
}

impl<O: TwoInputOperator, S: Side<O>> Input<S::In> for Half<O, S> {
    fn batch(&mut self, batch: &mut Batch<S::In>) -> ChainResult {
        let placed = &mut self.node.borrow_mut().placed;
        placed.setup.metrics.records_in.add(batch.len() as u64);
        placed.run(|operator, output| S::process(operator, batch, output))
    }

    fn watermark(&mut self, watermark: Timestamp) -> ChainResult {
        let mut node = self.node.borrow_mut();
        let merged = node.merge.on_watermark(S::INDEX, watermark);
        node.advance(merged)
    }

    fn status(&mut self, status: StreamStatus) -> ChainResult {
        let mut node = self.node.borrow_mut();
        let merged = node.merge.on_status(S::INDEX, status);
        node.advance(merged)
    }

    fn flush(&mut self) -> ChainResult {
        self.once(|node| AnyOutput::flush(&mut node.placed.output))
    }

    fn open(&mut self) -> ChainResult {
        self.once(|node| {
            AnyOutput::open(&mut node.placed.output)?;
            node.placed.run(|operator, _| operator.open())
        })
    }

    fn processing_time(&mut self, now: Timestamp) -> ChainResult {
        self.once(|node| node.processing_time(now))
    }

    fn next_timer(&self) -> Option<Timestamp> {
        if S::INDEX == 0 { self.node.borrow().next_timer() } else { None }
    }

    fn snapshot(&mut self, snapshot: &mut TaskSnapshot) -> ChainResult {
        self.once(|node| node.placed.snapshot(snapshot, O::snapshot))
    }

    fn drain_snapshot(&mut self, work: &mut SnapshotWork<'_>) -> ChainResult<bool> {
        let mut done = true;
        self.once(|node| {
            done = node.placed.drain_snapshot(work, O::drain_snapshot)?;
            Ok(())
        })?;
        Ok(done)
    }

    fn abort_snapshot(&mut self) {
        if S::INDEX == 0 {
            self.node.borrow_mut().placed.abort_snapshot(O::abort_snapshot);
        }
    }

    fn notify(&mut self, notice: CheckpointNotice) -> ChainResult {
        self.once(|node| node.placed.notify(notice, O::on_checkpoint_complete, O::on_checkpoint_aborted))
    }

    fn finish(&mut self) -> ChainResult {
        self.node.borrow_mut().finish(S::INDEX)
    }

    fn end(&mut self) -> ChainResult {
        self.once(|node| AnyOutput::end(&mut node.placed.output))
    }

    fn close(&mut self) -> ChainResult {
        self.once(|node| node.placed.close(O::close))
    }
}

#[cfg(test)]
mod tests;
