//! A sink at the end of a job: written, then committed, or not.

use std::sync::{Arc, Mutex};

use flott_core::Batch;

use super::support::{TestJob, calm};
use crate::error::FnResult;
use crate::exchange::{Partitioner, Partitioning};
use crate::graph::NodeKind;
use crate::program::operator_factory;
use crate::sink::{
    BoxWriter, CommitError, Committer, NoWriterState, Sink, SinkContext, SinkOperator, SinkWriter,
    WriteContext,
};

/// Writes to a list; what is committed is the number of records.
#[derive(Clone, Default)]
struct Counting {
    log: Arc<Mutex<Vec<String>>>,
    write_fails: bool,
    /// How the first commits end.
    commits: Arc<Mutex<Vec<CommitError>>>,
}

impl Counting {
    fn note(&self, what: String) {
        self.log.lock().unwrap().push(what);
    }
}

impl Sink<u64> for Counting {
    type Committable = u64;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<u64, Self>> {
        Ok(Box::new(Writer { sink: self.clone(), written: 0 }))
    }

    fn create_committer(&self, _context: &SinkContext) -> FnResult<Option<Box<dyn Committer<u64>>>> {
        Ok(Some(Box::new(self.clone())))
    }
}

struct Writer {
    sink: Counting,
    written: u64,
}

impl SinkWriter<u64> for Writer {
    type Committable = u64;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<u64>, _context: WriteContext) -> FnResult {
        if self.sink.write_fails {
            return Err("disk full".into());
        }
        self.written += batch.len() as u64;
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, end_of_input: bool) -> FnResult {
        self.sink.note(format!("flush, end of input: {end_of_input}"));
        Ok(())
    }

    fn prepare_commit(&mut self) -> FnResult<Vec<u64>> {
        Ok(vec![self.written])
    }

    fn close(&mut self) -> FnResult {
        self.sink.note("close".to_owned());
        Ok(())
    }
}

impl Committer<u64> for Counting {
    fn commit(&mut self, committable: &u64) -> Result<(), CommitError> {
        self.note(format!("commit {committable}"));
        match self.commits.lock().unwrap().pop() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Runs 1,000 numbers into the sink; returns the error if there was one.
fn run(sink: &Counting) -> Option<String> {
    let mut job = TestJob::new(1);
    let source = job.numbers(Some(1_000), calm(), calm());
    let own = sink.clone();
    let factory = operator_factory(move |setup| SinkOperator::new(&own, setup.clone()));
    let id = job.add(NodeKind::Sink, "out", factory);
    job.connect(source, id, Some(Partitioning::Rebalance), Partitioner::Plain);
    job.run().err().map(|error| error.to_string())
}

fn log(sink: &Counting) -> Vec<String> {
    sink.log.lock().unwrap().clone()
}

#[test]
fn at_the_end_of_input_a_sink_flushes_commits_and_closes() {
    let sink = Counting::default();
    assert_eq!(run(&sink), None);
    assert_eq!(log(&sink), ["flush, end of input: true", "commit 1000", "close"]);
}

#[test]
fn a_commit_that_may_succeed_later_is_tried_again() {
    let sink = Counting::default();
    sink.commits.lock().unwrap().push(CommitError::RetryLater("busy".into()));
    assert_eq!(run(&sink), None);
    assert_eq!(log(&sink), ["flush, end of input: true", "commit 1000", "commit 1000", "close"]);
}

#[test]
fn what_was_committed_before_counts_as_committed() {
    let sink = Counting::default();
    sink.commits.lock().unwrap().push(CommitError::AlreadyCommitted);
    assert_eq!(run(&sink), None);
}

#[test]
fn a_commit_that_can_never_succeed_fails_the_job() {
    let sink = Counting::default();
    sink.commits.lock().unwrap().push(CommitError::Failed("gone".into()));
    assert_eq!(run(&sink).unwrap(), "operator 'out' (subtask 1/1) failed: gone");
}

#[test]
fn a_writer_that_fails_fails_the_job_and_commits_nothing() {
    let sink = Counting { write_fails: true, ..Counting::default() };
    assert_eq!(run(&sink).unwrap(), "operator 'out' (subtask 1/1) failed: disk full");
    assert_eq!(log(&sink), ["close"]);
}
