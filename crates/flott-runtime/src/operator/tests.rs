//! Outputs: what reaches whom, and what a failure downstream does to the rest.

use std::cell::Cell;
use std::rc::Rc;

use flott_core::Batch;
use flott_core::batch::BATCH_RECORDS;
use flott_core::time::{NO_TIMESTAMP, Timestamp};
use flott_core::watermark::{MergeOutput, StreamStatus};

use super::{AnyOutput, Collector, Input, Output, OutputTag, SideOutputs};
use crate::error::{ChainError, ChainResult};
use crate::snapshot::{CheckpointNotice, SnapshotWork, TaskSnapshot};
use crate::test_support::{Seen, recorder};

/// Fails at its first batch and counts further calls.
struct Broken(Rc<Cell<u32>>);

impl Input<u64> for Broken {
    fn batch(&mut self, _batch: &mut Batch<u64>) -> ChainResult {
        self.0.set(self.0.get() + 1);
        Err(ChainError::Failed {
            operator: "broken".to_owned(),
            cause: format!("batch {}", self.0.get()).into(),
        })
    }
    fn watermark(&mut self, _watermark: Timestamp) -> ChainResult {
        Ok(())
    }
    fn status(&mut self, _status: StreamStatus) -> ChainResult {
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

fn failure(result: ChainResult) -> String {
    match result {
        Err(ChainError::Failed { operator, cause }) => format!("{operator}: {cause}"),
        other => panic!("it should have failed, not {other:?}"),
    }
}

fn side(tag: &OutputTag<String>, target: Box<dyn Input<String>>) -> SideOutputs {
    let output: Output<String> = Output::new(vec![target], SideOutputs::default());
    SideOutputs::new(vec![(tag.id().to_owned(), Box::new(output) as Box<dyn AnyOutput>)])
}

#[test]
fn records_are_pushed_when_the_buffer_is_full_and_when_the_call_ends() {
    let (target, record) = recorder();
    let mut output = Output::new(vec![target], SideOutputs::default());
    for number in 0..BATCH_RECORDS as u64 + 1 {
        output.emit(number, NO_TIMESTAMP);
    }
    assert_eq!(record.borrow().len(), 1);
    output.settle().unwrap();
    assert_eq!(record.borrow()[1], Seen::Batch(Batch::of(vec![BATCH_RECORDS as u64])));
    assert_eq!(output.take_emitted(), BATCH_RECORDS as u64 + 1);
    assert_eq!(output.take_emitted(), 0);
}

#[test]
fn every_target_gets_every_record() {
    let (targets, records): (Vec<_>, Vec<_>) = (0..3).map(|_| recorder()).unzip();
    let mut output = Output::new(targets, SideOutputs::default());
    output.emit(7, 70);
    output.settle().unwrap();
    for record in records {
        assert_eq!(*record.borrow(), [Seen::Batch(Batch { timestamps: vec![70], ..Batch::of(vec![7]) })]);
    }
    assert_eq!(output.take_emitted(), 1, "a record is counted once, however many read it");
}

#[test]
fn a_forwarded_batch_comes_after_what_was_emitted_before() {
    let (target, record) = recorder();
    let mut output = Output::new(vec![target], SideOutputs::default());
    output.emit(1, NO_TIMESTAMP);
    let mut batch = Batch::of(vec![2, 3]);
    output.forward(&mut batch);
    assert!(batch.is_empty());
    assert_eq!(*record.borrow(), [Seen::Batch(Batch::of(vec![1])), Seen::Batch(Batch::of(vec![2, 3]))]);
}

#[test]
fn after_a_failure_downstream_nothing_is_pushed_and_the_first_failure_is_told() {
    let calls = Rc::new(Cell::new(0));
    let mut output = Output::new(vec![Box::new(Broken(Rc::clone(&calls)))], SideOutputs::default());
    for number in 0..3 * BATCH_RECORDS as u64 {
        output.emit(number, NO_TIMESTAMP);
    }
    output.forward(&mut Batch::of(vec![1]));
    assert_eq!(failure(output.settle()), "broken: batch 1");
    assert_eq!(calls.get(), 1);
}

#[test]
fn a_side_output_gets_records_watermarks_and_the_end() {
    let tag = OutputTag::new("late");
    let (target, record) = recorder();
    let mut output: Output<u64> = Output::new(Vec::new(), side(&tag, target));
    Collector::new(&mut output, 5).output(&tag, "x".to_owned());
    assert!(record.borrow().is_empty());
    output.settle().unwrap();
    AnyOutput::watermark(&mut output, 9).unwrap();
    AnyOutput::finish(&mut output).unwrap();
    let batch = Batch { timestamps: vec![5], ..Batch::of(vec!["x".to_owned()]) };
    assert_eq!(*record.borrow(), [Seen::Batch(batch), Seen::Watermark(9), Seen::Finish]);
    assert_eq!(output.take_emitted(), 1);
}

#[test]
fn a_side_output_that_nobody_reads_costs_nothing() {
    let mut output: Output<u64> = Output::new(Vec::new(), SideOutputs::default());
    let tag = OutputTag::new("late");
    assert!(!output.side().is_connected(tag.id()));
    output.side().emit(&tag, "x".to_owned(), NO_TIMESTAMP);
    output.settle().unwrap();
    assert_eq!(output.take_emitted(), 0);
}

#[test]
fn after_an_operators_own_error_what_it_had_emitted_stays_where_it_is() {
    let tag = OutputTag::new("late");
    let (main, main_record) = recorder();
    let (late, late_record) = recorder();
    let mut output: Output<u64> = Output::new(vec![main], side(&tag, late));
    output.emit(1, NO_TIMESTAMP);
    output.side().emit(&tag, "x".to_owned(), NO_TIMESTAMP);
    assert!(output.take_failure().is_none());
    AnyOutput::close(&mut output).unwrap();
    assert!(main_record.borrow().is_empty() && late_record.borrow().is_empty());
}

#[test]
fn a_watermark_that_advances_now_comes_between_the_records_of_one_call() {
    let tag = OutputTag::new("late");
    let (main, main_record) = recorder();
    let (late, late_record) = recorder();
    let mut output: Output<u64> = Output::new(vec![main], side(&tag, late));
    output.emit(1, NO_TIMESTAMP);
    output.side().emit(&tag, "x".to_owned(), NO_TIMESTAMP);
    output.advance_now(MergeOutput { watermark: Some(5), status: Some(StreamStatus::Idle) });
    output.emit(2, NO_TIMESTAMP);
    output.settle().unwrap();
    let progress = [Seen::Watermark(5), Seen::Status(StreamStatus::Idle)];
    let batch = |number| [Seen::Batch(Batch::of(vec![number]))];
    assert_eq!(*main_record.borrow(), [&batch(1)[..], &progress, &batch(2)].concat());
    let progress = [Seen::Watermark(5), Seen::Status(StreamStatus::Idle)];
    let batch = [Seen::Batch(Batch::of(vec!["x".to_owned()]))];
    assert_eq!(*late_record.borrow(), [&batch[..], &progress].concat());
}

#[test]
fn a_flush_in_the_middle_of_a_call_sends_on_what_was_emitted_and_tells_of_failures() {
    let (target, record) = recorder();
    let mut output = Output::new(vec![target], SideOutputs::default());
    output.emit(1, NO_TIMESTAMP);
    output.flush().unwrap();
    assert_eq!(record.borrow().len(), 1);
    let mut broken = Output::new(vec![Box::new(Broken(Rc::default()))], SideOutputs::default());
    broken.emit(1, NO_TIMESTAMP);
    assert!(broken.flush().is_err());
    assert_eq!(failure(broken.settle()), "broken: batch 1");
}
