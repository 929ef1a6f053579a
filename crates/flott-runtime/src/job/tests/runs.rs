//! Jobs that end well.

use std::sync::Arc;

use flott_core::encoding::EncodeError;
use flott_core::hash::mix64;

use super::support::{Phase, TestJob, calm};
use crate::exchange::{KeyHasher, Partitioner, Partitioning};
use crate::graph::NodeKind;
use crate::job::JobStatus;

pub(super) struct ByValue;

impl KeyHasher<u64> for ByValue {
    fn hash(&self, records: &[u64], hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
        hashes.clear();
        hashes.extend(records.iter().map(|record| mix64(*record)));
        Ok(())
    }
}

const EACH: u64 = 20_000;

fn all(parallelism: u32) -> Vec<u64> {
    (0..u64::from(parallelism)).flat_map(|subtask| subtask * 1_000_000..subtask * 1_000_000 + EACH).collect()
}

#[test]
fn a_job_reads_all_its_input_at_every_parallelism() {
    for parallelism in 1..=4 {
        let mut job = TestJob::new(parallelism);
        let source = job.numbers(Some(EACH), calm(), calm());
        let pass = job.pass(source, "pass", None, calm());
        let keyed = job.collect(pass, Some(Partitioning::Hash), calm());
        assert_eq!(keyed.0, 2);
        job.rekey(Arc::new(ByValue));
        let running = job.start().unwrap();
        let result = running.end().unwrap();
        let mut collected = running.collected.lock().unwrap().clone();
        collected.sort_unstable();
        assert_eq!(collected, all(parallelism));
        assert_eq!(running.handle.status(), JobStatus::Finished);
        assert_eq!(result.job_name, "test");
    }
}

#[test]
fn parallelism_may_differ_from_operator_to_operator() {
    let mut job = TestJob::new(3);
    let source = job.numbers(Some(EACH), calm(), calm());
    let pass = job.pass(source, "pass", Some(Partitioning::Rescale), calm());
    let end = job.collect(pass, None, calm());
    job.graph.nodes[pass.0 as usize].parallelism = Some(2);
    job.graph.nodes[end.0 as usize].parallelism = Some(1);
    let running = job.start().unwrap();
    running.end().unwrap();
    let mut collected = running.collected.lock().unwrap().clone();
    collected.sort_unstable();
    assert_eq!(collected, all(3));
}

#[test]
fn a_stream_read_by_two_operators_reaches_both() {
    let mut job = TestJob::new(2);
    let source = job.numbers(Some(EACH), calm(), calm());
    job.collect(source, None, calm());
    job.collect(source, Some(Partitioning::Rebalance), calm());
    let running = job.start().unwrap();
    running.end().unwrap();
    let mut collected = running.collected.lock().unwrap().clone();
    collected.sort_unstable();
    let mut expected = [all(2), all(2)].concat();
    expected.sort_unstable();
    assert_eq!(collected, expected);
}

#[test]
fn each_operator_counts_each_record_once() {
    let mut job = TestJob::new(2);
    let source = job.numbers(Some(EACH), calm(), calm());
    let pass = job.pass(source, "pass", None, calm());
    job.collect(pass, Some(Partitioning::Rebalance), calm());
    let result = job.run().unwrap();
    let names: Vec<_> = result.vertices.iter().map(|vertex| vertex.name.as_str()).collect();
    assert_eq!(names, ["Source: numbers -> pass", "collect"]);
    for vertex in &result.vertices {
        let snapshot = vertex.snapshot();
        assert_eq!((snapshot.records_in, snapshot.records_out), (2 * EACH, 2 * EACH), "{}", vertex.name);
        for (name, metrics) in vertex.subtasks.iter().flat_map(|task| task.operators()) {
            assert_eq!(metrics.records_in.get(), metrics.records_out.get(), "{name}");
        }
        assert_eq!(snapshot.watermark, i64::MAX, "{}", vertex.name);
    }
}

#[test]
fn what_leaves_a_chain_is_counted_at_all_its_ends() {
    let mut job = TestJob::new(1);
    let source = job.numbers(Some(EACH), calm(), calm());
    let pass = job.pass(source, "pass", None, calm());
    job.collect(pass, None, calm());
    job.collect(pass, None, calm());
    let snapshot = job.run().unwrap().vertices[0].snapshot();
    assert_eq!((snapshot.records_in, snapshot.records_out), (EACH, 2 * EACH));
}

#[test]
fn a_chain_is_opened_from_its_tail_and_finished_and_closed_from_its_head() {
    let mut job = TestJob::new(1);
    let source = job.numbers(Some(10), calm(), calm());
    let first = job.pass(source, "first", None, calm());
    let second = job.pass(first, "second", None, calm());
    job.collect(second, None, calm());
    let running = job.start().unwrap();
    running.end().unwrap();
    assert_eq!(running.log.operators(Phase::Open), ["collect", "second", "first", "numbers"]);
    assert_eq!(running.log.operators(Phase::Finish), ["first", "second", "collect"]);
    assert_eq!(running.log.operators(Phase::Close), ["numbers", "first", "second", "collect"]);
}

#[test]
fn the_final_watermark_reaches_every_operator_before_its_end() {
    let mut job = TestJob::new(1);
    let source = job.numbers(Some(10), calm(), calm());
    job.collect(source, Some(Partitioning::Rebalance), calm());
    let running = job.start().unwrap();
    running.end().unwrap();
    assert!(running.log.count("collect", Phase::Watermark) >= 1);
}

#[test]
fn a_node_without_readers_loses_its_records_and_no_more() {
    let mut job = TestJob::new(2);
    job.numbers(Some(EACH), calm(), calm());
    assert_eq!(job.graph.nodes[0].kind, NodeKind::Source);
    assert_eq!(job.run().unwrap().vertices[0].snapshot().records_out, 2 * EACH);
}

impl TestJob {
    /// Gives the last edge a key.
    pub(super) fn rekey(&mut self, hasher: Arc<dyn KeyHasher<u64>>) {
        let edge = self.graph.edges.len() - 1;
        self.replace_partitioner(edge, Partitioner::Hash(hasher));
    }
}
