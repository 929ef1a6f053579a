//! The two inputs of one operator: what each brings, and what both are together.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use flott_core::Batch;
use flott_core::time::{MAX_WATERMARK, MIN_WATERMARK, NO_TIMESTAMP, Timestamp};
use flott_core::watermark::StreamStatus::{Active, Idle};
use flott_state::snapshot::{OperatorStateSnapshot, RedistributionMode};
use flott_state::{OperatorSnapshot, SnapshotRequest};

use crate::checkpoint::options::Barrier;

use super::{TwoInputs, two_input_node};
use crate::error::{ChainError, ChainResult, FnResult};
use crate::metrics::{OperatorMetrics, TaskMetrics};
use crate::operator::{Input, Operator, OperatorNode, Output, SideOutputs, TwoInputOperator};
use crate::snapshot::TaskSnapshot;
use crate::test_support::{ManualClock, Record, Seen, TestTask, recorder, setup, task};

/// Numbers and words become lines; it fails at the word "bad".
struct Lines {
    timer: Option<Timestamp>,
    calls: Rc<RefCell<Vec<&'static str>>>,
}

impl Lines {
    fn note(&self, call: &'static str) -> FnResult {
        self.calls.borrow_mut().push(call);
        Ok(())
    }
}

impl TwoInputOperator for Lines {
    type In1 = u64;
    type In2 = String;
    type Out = String;

    fn open(&mut self) -> FnResult {
        self.note("open")
    }

    fn process1(&mut self, batch: &mut Batch<u64>, out: &mut Output<String>) -> FnResult {
        batch.records.drain(..).for_each(|number| out.emit(format!("1: {number}"), NO_TIMESTAMP));
        Ok(())
    }

    fn process2(&mut self, batch: &mut Batch<String>, out: &mut Output<String>) -> FnResult {
        for word in batch.records.drain(..) {
            if word == "bad" {
                return Err("a bad word".into());
            }
            out.emit(format!("2: {word}"), NO_TIMESTAMP);
        }
        Ok(())
    }

    fn on_watermark(&mut self, combined: Timestamp, out: &mut Output<String>) -> FnResult {
        out.emit(format!("at {combined}"), combined);
        Ok(())
    }

    fn on_processing_time(&mut self, now: Timestamp, out: &mut Output<String>) -> FnResult {
        self.timer = None;
        out.emit(format!("timer at {now}"), NO_TIMESTAMP);
        Ok(())
    }

    fn next_timer(&self) -> Option<Timestamp> {
        self.timer
    }

    fn snapshot(&mut self, request: SnapshotRequest) -> FnResult<OperatorSnapshot> {
        self.note("snapshot")?;
        let state = OperatorStateSnapshot {
            name: format!("checkpoint {}", request.checkpoint),
            mode: RedistributionMode::SplitDistribute,
            element_type: flott_state::StateType::of::<u8>(),
            elements: vec![vec![7]],
        };
        Ok(OperatorSnapshot { keyed: Vec::new(), operator: vec![state], ..OperatorSnapshot::default() })
    }

    fn finish(&mut self, out: &mut Output<String>) -> FnResult {
        out.emit("the end".to_owned(), NO_TIMESTAMP);
        self.note("finish")
    }

    fn close(&mut self) -> FnResult {
        self.note("close")
    }
}

struct Bench {
    inputs: TwoInputs<Lines>,
    seen: Record<String>,
    calls: Rc<RefCell<Vec<&'static str>>>,
    metrics: Arc<OperatorMetrics>,
    task: TestTask,
}

fn bench() -> Bench {
    let (task, calls) = (task(Arc::new(ManualClock::default())), Rc::default());
    let (target, seen) = recorder();
    let setup = setup(&task, "lines");
    let metrics = Arc::clone(&setup.metrics);
    let operator = Lines { timer: Some(100), calls: Rc::clone(&calls) };
    let output = Output::new(vec![target], SideOutputs::default());
    Bench { inputs: two_input_node(operator, output, setup), seen, calls, metrics, task }
}

impl Bench {
    /// What has come out since the last call; a batch as its lines.
    fn out(&self) -> Vec<String> {
        let seen: Vec<_> = self.seen.borrow_mut().drain(..).collect();
        let told = seen.into_iter().flat_map(|seen| match seen {
            Seen::Batch(batch) => batch.records,
            Seen::Watermark(watermark) => vec![format!("W{watermark}")],
            other => vec![format!("{other:?}")],
        });
        told.collect()
    }

    fn watermark(&self) -> Timestamp {
        let metrics: &TaskMetrics = &self.task.metrics;
        metrics.watermark.get()
    }
}

fn words(words: &[&str]) -> Batch<String> {
    Batch::of(words.iter().map(|word| (*word).to_owned()).collect())
}

fn failure(result: ChainResult) -> String {
    match result {
        Err(ChainError::Failed { operator, cause }) => format!("{operator}: {cause}"),
        other => panic!("it should have failed, not {other:?}"),
    }
}

#[test]
fn each_input_brings_records_of_its_own_type_and_all_are_counted() {
    let mut bench = bench();
    bench.inputs.0.batch(&mut Batch::of(vec![1, 2])).unwrap();
    bench.inputs.1.batch(&mut words(&["x"])).unwrap();
    bench.inputs.0.batch(&mut Batch::of(vec![3])).unwrap();
    assert_eq!(bench.out(), ["1: 1", "1: 2", "2: x", "1: 3"]);
    assert_eq!((bench.metrics.records_in.get(), bench.metrics.records_out.get()), (4, 4));
}

#[test]
fn s2_3_the_watermark_is_the_least_of_both_inputs_and_comes_after_what_it_caused() {
    let mut bench = bench();
    bench.inputs.0.watermark(10).unwrap();
    assert_eq!(bench.out(), Vec::<String>::new(), "the second input is at the beginning still");
    assert_eq!(bench.watermark(), MIN_WATERMARK);
    bench.inputs.1.watermark(5).unwrap();
    assert_eq!(bench.out(), ["at 5", "W5"]);
    bench.inputs.1.watermark(20).unwrap();
    assert_eq!(bench.out(), ["at 10", "W10"]);
    bench.inputs.1.watermark(30).unwrap();
    assert_eq!(bench.out(), Vec::<String>::new(), "it never goes back, and is told once");
    assert_eq!(bench.watermark(), 10);
}

#[test]
fn s2_3_an_idle_input_does_not_count_until_it_has_caught_up() {
    let mut bench = bench();
    bench.inputs.0.watermark(10).unwrap();
    bench.inputs.1.watermark(3).unwrap();
    bench.inputs.1.status(Idle).unwrap();
    assert_eq!(bench.out(), ["at 3", "W3", "at 10", "W10"]);
    bench.inputs.0.status(Idle).unwrap();
    assert_eq!(bench.out(), ["Status(Idle)"], "nobody is left to wait for");
    bench.inputs.0.status(Active).unwrap();
    bench.inputs.1.status(Active).unwrap();
    assert_eq!(bench.out(), ["Status(Active)"]);
    bench.inputs.1.watermark(8).unwrap();
    bench.inputs.0.watermark(15).unwrap();
    assert_eq!(bench.out(), ["at 15", "W15"], "the second is behind the output and doesn't hold it back");
    bench.inputs.1.watermark(16).unwrap();
    bench.inputs.0.watermark(20).unwrap();
    assert_eq!(bench.out(), ["at 16", "W16"], "it has caught up and counts again");
}

#[test]
fn an_input_that_has_ended_does_not_count_and_the_operator_ends_with_the_second() {
    let mut bench = bench();
    bench.inputs.1.watermark(5).unwrap();
    bench.inputs.0.watermark(MAX_WATERMARK).unwrap();
    bench.inputs.0.finish().unwrap();
    assert_eq!(bench.out(), ["at 5", "W5"]);
    bench.inputs.1.batch(&mut words(&["still here"])).unwrap();
    bench.inputs.1.watermark(6).unwrap();
    assert_eq!(bench.out(), ["2: still here", "at 6", "W6"]);
    bench.inputs.1.watermark(MAX_WATERMARK).unwrap();
    assert_eq!(bench.out(), [format!("at {MAX_WATERMARK}"), format!("W{MAX_WATERMARK}")]);
    bench.inputs.1.finish().unwrap();
    assert_eq!(bench.out(), ["the end", "Finish"]);
}

#[test]
fn an_input_that_has_ended_while_the_other_is_idle_does_not_lift_the_watermark() {
    let mut bench = bench();
    bench.inputs.1.watermark(5).unwrap();
    bench.inputs.1.status(Idle).unwrap();
    bench.inputs.0.finish().unwrap();
    assert_eq!(bench.out(), ["at 5", "W5", "Status(Idle)"], "the idle one may come back with 6");
}

#[test]
fn the_operator_is_opened_snapshotted_and_closed_once() {
    let mut bench = bench();
    let mut snapshot = TaskSnapshot::new(Barrier::aligned(3));
    bench.inputs.0.open().unwrap();
    bench.inputs.1.open().unwrap();
    bench.inputs.0.snapshot(&mut snapshot).unwrap();
    bench.inputs.1.snapshot(&mut snapshot).unwrap();
    bench.inputs.0.close().unwrap();
    bench.inputs.1.close().unwrap();
    assert_eq!(*bench.calls.borrow(), ["open", "snapshot", "close"]);
    let states: Vec<_> = snapshot.operators.values().map(|own| own.operator[0].name.as_str()).collect();
    assert_eq!(states, ["checkpoint 3"]);
}

#[test]
fn a_timer_is_called_once_when_it_is_due() {
    let mut bench = bench();
    let next =
        |bench: &Bench| bench.inputs.0.next_timer().into_iter().chain(bench.inputs.1.next_timer()).min();
    assert_eq!(next(&bench), Some(100));
    for now in [99, 100, 101] {
        bench.inputs.0.processing_time(now).unwrap();
        bench.inputs.1.processing_time(now).unwrap();
    }
    assert_eq!(bench.out(), ["timer at 100"]);
    assert_eq!(next(&bench), None);
}

#[test]
fn a_failure_in_either_input_is_the_operators() {
    let mut bench = bench();
    assert_eq!(failure(bench.inputs.1.batch(&mut words(&["good", "bad"]))), "lines: a bad word");
    bench.inputs.0.close().unwrap();
    bench.inputs.1.close().unwrap();
    assert_eq!(bench.out(), Vec::<String>::new(), "nothing is pushed after a failure");
}

/// Fails at every watermark.
struct Stops;

impl Operator for Stops {
    type In = String;
    type Out = String;

    fn process(&mut self, batch: &mut Batch<String>, out: &mut Output<String>) -> FnResult {
        out.forward(batch);
        Ok(())
    }

    fn on_watermark(&mut self, _watermark: Timestamp, _out: &mut Output<String>) -> FnResult {
        Err("no time".into())
    }
}

#[test]
fn a_failure_of_the_operator_chained_behind_keeps_its_name() {
    let task = task(Arc::new(ManualClock::default()));
    let behind: Box<dyn Input<String>> = Box::new(OperatorNode::new(
        Stops,
        Output::new(Vec::new(), SideOutputs::default()),
        setup(&task, "behind"),
    ));
    let operator = Lines { timer: None, calls: Rc::default() };
    let output = Output::new(vec![behind], SideOutputs::default());
    let mut inputs = two_input_node(operator, output, setup(&task, "lines"));
    inputs.0.watermark(1).unwrap();
    assert_eq!(failure(inputs.1.watermark(1)), "behind: no time");
}
