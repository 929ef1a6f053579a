//! Jobs with an operator of two inputs: numbers on the one side, words on the other.

use std::sync::{Arc, Mutex};

use flott_core::Batch;

use super::runs::ByValue;
use super::support::{Hook, Log, Phase, TestJob, calm, fails, panics};
use crate::error::{FnResult, JobError};
use crate::exchange::{Partitioner, Partitioning};
use crate::graph::{NodeId, NodeKind};
use crate::metrics::Gauge;
use crate::operator::{Operator, Output, TwoInputOperator};
use crate::program::{edge_factory, operator_factory, two_input_factory};

const EACH: u64 = 20_000;

/// Writes numbers as words.
struct Spell;

impl Operator for Spell {
    type In = u64;
    type Out = String;

    fn process(&mut self, batch: &mut Batch<u64>, out: &mut Output<String>) -> FnResult {
        for (number, timestamp) in batch.records.iter().zip(&batch.timestamps) {
            out.emit(number.to_string(), *timestamp);
        }
        Ok(())
    }
}

/// Hands on the numbers of both sides, and notes its watermarks.
struct Meet {
    subtask: u32,
    hooks: [Hook; 2],
    log: Log,
    watermarks: Arc<Mutex<Vec<i64>>>,
}

impl Meet {
    fn at(&self, side: usize, phase: Phase) -> FnResult {
        self.log.note(["meet 1", "meet 2"][side], self.subtask, phase);
        (self.hooks[side])(phase, self.subtask)
    }
}

impl TwoInputOperator for Meet {
    type In1 = u64;
    type In2 = String;
    type Out = u64;

    fn open(&mut self) -> FnResult {
        self.at(0, Phase::Open)
    }

    fn process1(&mut self, batch: &mut Batch<u64>, out: &mut Output<u64>) -> FnResult {
        out.forward(batch);
        self.at(0, Phase::Process)
    }

    fn process2(&mut self, batch: &mut Batch<String>, out: &mut Output<u64>) -> FnResult {
        for word in &batch.records {
            out.emit(word.parse::<u64>()? + 500_000_000, 0);
        }
        self.at(1, Phase::Process)
    }

    fn on_watermark(&mut self, combined: i64, _out: &mut Output<u64>) -> FnResult {
        self.watermarks.lock().unwrap().push(combined);
        self.at(0, Phase::Watermark)
    }

    fn finish(&mut self, _out: &mut Output<u64>) -> FnResult {
        self.at(0, Phase::Finish)
    }

    fn close(&mut self) -> FnResult {
        self.at(0, Phase::Close)
    }
}

struct Built {
    job: TestJob,
    sources: [NodeId; 2],
    meet: NodeId,
    watermarks: Arc<Mutex<Vec<i64>>>,
}

/// `numbers ─┐`
/// `numbers → spell → meet → collect`, both inputs spread by value.
fn job(parallelism: u32, each: [Option<u64>; 2], hooks: [Hook; 2]) -> Built {
    let mut job = TestJob::new(parallelism);
    let sources = each.map(|each| job.numbers(each, calm(), calm()));
    let spell = job.add(NodeKind::Operator, "spell", operator_factory(|_| Ok(Spell)));
    job.connect(sources[1], spell, None, Partitioner::Plain);
    let (log, watermarks) = (job.log.clone(), Arc::<Mutex<Vec<i64>>>::default());
    let told = Arc::clone(&watermarks);
    let factory = two_input_factory(move |setup| {
        let (subtask, hooks) = (setup.subtask, hooks.clone());
        Ok(Meet { subtask, hooks, log: log.clone(), watermarks: Arc::clone(&told) })
    });
    let meet = job.add(NodeKind::Operator, "meet", factory);
    let by_value = Partitioner::Hash(Arc::new(ByValue));
    job.connect_to_input(sources[0], meet, 0, Some(Partitioning::Hash), edge_factory(by_value));
    let words = edge_factory::<String>(Partitioner::Plain);
    job.connect_to_input(spell, meet, 1, Some(Partitioning::Rebalance), words);
    job.collect(meet, None, calm());
    Built { job, sources, meet, watermarks }
}

fn expected(parallelism: u32) -> Vec<u64> {
    let subtasks = 0..u64::from(parallelism);
    let numbers = subtasks.flat_map(|subtask| subtask * 1_000_000..subtask * 1_000_000 + EACH);
    let mut all: Vec<u64> = numbers.flat_map(|number| [number, number + 500_000_000]).collect();
    all.sort_unstable();
    all
}

#[test]
fn a_job_reads_both_inputs_to_their_ends_at_every_parallelism() {
    for parallelism in 1..=3 {
        let built = job(parallelism, [Some(EACH); 2], [calm(), calm()]);
        let running = built.job.start().unwrap();
        let result = running.end().unwrap();
        let mut collected = running.collected.lock().unwrap().clone();
        collected.sort_unstable();
        assert_eq!(collected, expected(parallelism));
        assert_eq!(running.log.count("meet 1", Phase::Finish), parallelism as usize);
        let names: Vec<_> = result.vertices.iter().map(|vertex| vertex.name.as_str()).collect();
        assert_eq!(names, ["Source: numbers", "Source: numbers -> spell", "meet -> collect"]);
        let snapshot = result.vertices[2].snapshot();
        let both = 2 * EACH * u64::from(parallelism);
        assert_eq!((snapshot.records_in, snapshot.records_out, snapshot.watermark), (both, both, i64::MAX));
        for task in &result.vertices[2].subtasks {
            assert_eq!(task.input_watermarks.each_ref().map(Gauge::get), [i64::MAX; 2]);
        }
    }
}

#[test]
fn several_streams_may_feed_one_input() {
    let mut built = job(2, [Some(EACH); 2], [calm(), calm()]);
    let by_value = Partitioner::Hash(Arc::new(ByValue));
    let more = Some(Partitioning::Hash);
    built.job.connect_to_input(built.sources[0], built.meet, 0, more, edge_factory(by_value));
    let running = built.job.start().unwrap();
    running.end().unwrap();
    let mut collected = running.collected.lock().unwrap().clone();
    collected.sort_unstable();
    let numbers = expected(2).into_iter().filter(|number| *number < 500_000_000);
    let mut expected: Vec<u64> = numbers.chain(expected(2)).collect();
    expected.sort_unstable();
    assert_eq!(collected, expected);
}

#[test]
fn watermarks_rise_to_the_end_when_one_input_ends_long_before_the_other() {
    let built = job(1, [Some(10), Some(EACH)], [calm(), calm()]);
    built.job.run().unwrap();
    let watermarks = built.watermarks.lock().unwrap();
    assert!(watermarks.is_sorted_by(|a, b| a < b), "{watermarks:?}");
    assert_eq!(watermarks.last(), Some(&i64::MAX));
}

#[test]
fn a_failure_or_panic_in_either_side_ends_an_infinite_job() {
    for side in [0, 1] {
        let hooks = |hook: Hook| if side == 0 { [hook, calm()] } else { [calm(), hook] };
        let failing = job(2, [None, None], hooks(fails(Phase::Process, "no more")));
        let error = failing.job.run().unwrap_err().to_string();
        assert_eq!(error, "operator 'meet' (subtask 2/2) failed: no more", "side {side}");
        let panicking = job(2, [None, None], hooks(panics(Phase::Process, "no more")));
        let error = panicking.job.run().unwrap_err().to_string();
        assert!(error.starts_with("operator 'meet' (subtask 2/2) panicked at "), "side {side}: {error}");
    }
}

#[test]
fn cancel_ends_a_job_whose_inputs_never_end() {
    let running = job(2, [None, None], [calm(), calm()]).job.start().unwrap();
    running.log.wait_for("meet 1", Phase::Process, 10);
    running.log.wait_for("meet 2", Phase::Process, 10);
    running.handle.cancel();
    assert!(matches!(running.end(), Err(JobError::Canceled { .. })));
}

#[test]
fn an_operator_one_of_whose_inputs_is_connected_to_nothing_is_refused() {
    let mut built = job(1, [Some(10); 2], [calm(), calm()]);
    for edge in &mut built.job.graph.edges {
        edge.input = 1;
    }
    let error = built.job.run().unwrap_err().to_string();
    assert_eq!(error, "operator 'meet' (subtask 1/1) failed: no stream is connected to one of its inputs");
}
