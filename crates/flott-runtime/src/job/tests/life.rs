//! Jobs that are cancelled, and jobs that never start.

use super::support::{Phase, TestJob, calm};
use crate::error::JobError;
use crate::exchange::Partitioning;
use crate::job::JobStatus;

#[test]
fn cancel_ends_an_infinite_job() {
    for partitioning in [None, Some(Partitioning::Rebalance)] {
        let mut job = TestJob::new(2);
        let source = job.numbers(None, calm(), calm());
        job.collect(source, partitioning, calm());
        let running = job.start().unwrap();
        running.log.wait_for("collect", Phase::Process, 10);
        assert_eq!(running.handle.status(), JobStatus::Running);
        assert!(running.handle.wait_for(std::time::Duration::ZERO).is_none());
        running.handle.cancel();
        running.handle.cancel();
        let error = running.end().unwrap_err();
        assert!(matches!(error, JobError::Canceled { .. }));
        assert_eq!(error.to_string(), "job 'test' was cancelled");
        assert_eq!(running.handle.status(), JobStatus::Canceled);
        assert_eq!(running.log.count("collect", Phase::Finish), 0);
    }
}

#[test]
fn cancel_reaches_tasks_that_sleep() {
    let mut job = TestJob::new(2);
    let source = job.silence();
    job.collect(source, Some(Partitioning::Rebalance), calm());
    let running = job.start().unwrap();
    running.log.wait_for("numbers", Phase::Process, 2);
    running.log.wait_for("collect", Phase::Open, 2);
    running.handle.cancel();
    assert!(matches!(running.end(), Err(JobError::Canceled { .. })));
}

#[test]
fn cancel_after_the_end_changes_nothing() {
    let mut job = TestJob::new(1);
    let source = job.numbers(Some(10), calm(), calm());
    job.collect(source, None, calm());
    let running = job.start().unwrap();
    running.end().unwrap();
    running.handle.cancel();
    assert_eq!(running.handle.status(), JobStatus::Finished);
    assert!(running.handle.wait().is_ok());
}

#[test]
fn a_wrong_program_is_refused_before_anything_starts() {
    let error = TestJob::new(1).run().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the job can't start: the program defines no operators: add a source and a sink before execute()"
    );
}

#[test]
fn a_name_with_a_zero_byte_is_no_problem() {
    let mut job = TestJob::new(1);
    let source = job.numbers(Some(10), calm(), calm());
    job.collect(source, None, calm());
    job.graph.nodes[0].name = "nu\0mbers".to_owned();
    job.run().unwrap();
}
