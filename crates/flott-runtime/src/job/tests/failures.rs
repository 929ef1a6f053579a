//! Whatever fails, wherever: the job ends with one line that says where, and leaves nothing behind.

use std::sync::Arc;

use flott_core::encoding::EncodeError;

use super::support::{Hook, Log, Phase, TestJob, calm, fails, panics};
use crate::error::JobError;
use crate::exchange::channel::CHANNEL_RECORDS;
use crate::exchange::{KeyHasher, Partitioner, Partitioning};
use crate::job::JobStatus;

/// `numbers → middle → collect` in two subtasks with exchanges between them.
struct Hooks {
    reader: Hook,
    enumerator: Hook,
    middle: Hook,
    collect: Hook,
}

fn all_calm() -> Hooks {
    Hooks { reader: calm(), enumerator: calm(), middle: calm(), collect: calm() }
}

fn job(each: Option<u64>, hooks: Hooks) -> TestJob {
    let mut job = TestJob::new(2);
    let source = job.numbers(each, hooks.reader, hooks.enumerator);
    let middle = job.pass(source, "middle", Some(Partitioning::Rebalance), hooks.middle);
    job.collect(middle, Some(Partitioning::Rebalance), hooks.collect);
    job
}

fn error(job: TestJob) -> String {
    job.run().unwrap_err().to_string()
}

/// A panic's message without its place, which must be in a file of the tests.
fn without_place(error: &str) -> String {
    let (before, after) = error.split_once("panicked at ").expect("it should tell a panic");
    let (place, message) = after.split_once(": ").unwrap();
    assert!(place.contains("tests/") && place.contains(".rs:"), "{place}");
    format!("{before}panicked: {message}")
}

#[test]
fn an_operator_that_fails_ends_an_infinite_job() {
    for phase in [Phase::Build, Phase::Open, Phase::Process, Phase::Watermark] {
        let job = job(None, Hooks { middle: fails(phase, "no more"), ..all_calm() });
        assert_eq!(error(job), "operator 'middle' (subtask 2/2) failed: no more", "{phase:?}");
    }
}

#[test]
fn an_operator_that_panics_ends_an_infinite_job() {
    for phase in [Phase::Build, Phase::Open, Phase::Process, Phase::Watermark] {
        let job = job(None, Hooks { middle: panics(phase, "no more"), ..all_calm() });
        assert_eq!(
            without_place(&error(job)),
            "operator 'middle' (subtask 2/2) panicked: no more",
            "{phase:?}"
        );
    }
}

#[test]
fn an_operator_that_fails_at_the_end_fails_the_job() {
    for phase in [Phase::Finish, Phase::Close] {
        let failing = job(Some(1_000), Hooks { middle: fails(phase, "no more"), ..all_calm() });
        assert_eq!(error(failing), "operator 'middle' (subtask 2/2) failed: no more", "{phase:?}");
        let panicking = job(Some(1_000), Hooks { middle: panics(phase, "no more"), ..all_calm() });
        assert_eq!(without_place(&error(panicking)), "operator 'middle' (subtask 2/2) panicked: no more");
    }
}

#[test]
fn a_source_reader_that_fails_or_panics_ends_an_infinite_job() {
    for phase in [Phase::Build, Phase::Open, Phase::Process] {
        let failing = job(None, Hooks { reader: fails(phase, "unreadable"), ..all_calm() });
        assert_eq!(error(failing), "operator 'numbers' (subtask 2/2) failed: unreadable", "{phase:?}");
        let panicking = job(None, Hooks { reader: panics(phase, "unreadable"), ..all_calm() });
        assert_eq!(
            without_place(&error(panicking)),
            "operator 'numbers' (subtask 2/2) panicked: unreadable",
            "{phase:?}"
        );
    }
}

#[test]
fn an_enumerator_that_fails_or_panics_ends_an_infinite_job() {
    for phase in [Phase::Build, Phase::Open, Phase::Process] {
        let failing = job(None, Hooks { enumerator: fails(phase, "no such file"), ..all_calm() });
        assert_eq!(error(failing), "source 'numbers' (split enumerator) failed: no such file", "{phase:?}");
        let panicking = job(None, Hooks { enumerator: panics(phase, "no such file"), ..all_calm() });
        assert_eq!(
            without_place(&error(panicking)),
            "source 'numbers' (split enumerator) panicked: no such file",
            "{phase:?}"
        );
    }
}

#[test]
fn a_key_hasher_that_panics_ends_an_infinite_job() {
    struct Panics;
    impl KeyHasher<u64> for Panics {
        fn hash(&self, _records: &[u64], _hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
            panic!("no key")
        }
    }
    let mut job = TestJob::new(1);
    let source = job.numbers(None, calm(), calm());
    job.collect(source, Some(Partitioning::Hash), calm());
    job.replace_partitioner(0, Partitioner::Hash(Arc::new(Panics)));
    assert_eq!(
        without_place(&error(job)),
        "operator 'collect (partitioning)' (subtask 1/1) panicked: no key"
    );
}

#[test]
fn after_a_panic_the_operators_of_the_chain_are_closed_but_get_no_more_records() {
    for hook in [fails(Phase::Process, "broken"), panics(Phase::Process, "broken")] {
        let mut job = TestJob::new(2);
        let source = job.numbers(None, calm(), calm());
        let first = job.pass(source, "first", None, calm());
        let broken = job.pass(first, "broken", None, hook);
        let last = job.pass(broken, "last", None, calm());
        job.graph.nodes[last.0 as usize].parallelism = Some(2);
        let running = job.start().unwrap();
        let error = running.end().unwrap_err().to_string();
        assert!(error.starts_with("operator 'broken' (subtask 2/2) "), "{error}");
        for operator in ["numbers", "first", "broken", "last"] {
            assert_eq!(running.log.count(operator, Phase::Close), 2, "{operator}");
        }
    }
}

#[test]
fn a_panic_in_close_does_not_keep_the_others_from_being_closed() {
    let mut job = TestJob::new(2);
    let source = job.numbers(Some(10), panics(Phase::Close, "first of all"), calm());
    let first = job.pass(source, "first", None, panics(Phase::Close, "second"));
    job.collect(first, None, fails(Phase::Close, "third"));
    job.collect(first, None, calm());
    let running = job.start().unwrap();
    let error = running.end().unwrap_err().to_string();
    assert_eq!(without_place(&error), "operator 'numbers' (subtask 2/2) panicked: first of all");
    assert_eq!(running.log.count("collect", Phase::Close), 4);
}

#[test]
fn a_failure_in_close_does_not_hide_the_failure_before() {
    let hook: Hook = Arc::new(|phase, _| match phase {
        Phase::Process => Err("first".into()),
        Phase::Close => panic!("second"),
        _ => Ok(()),
    });
    let mut job = TestJob::new(1);
    let source = job.numbers(None, calm(), calm());
    job.collect(source, Some(Partitioning::Rebalance), hook);
    assert_eq!(error(job), "operator 'collect' (subtask 1/1) failed: first");
}

#[test]
fn the_causes_of_an_error_are_told_in_one_line() {
    let hook: Hook = Arc::new(|phase, _| match phase {
        Phase::Process => Err(Box::new(JobError::Resource {
            what: "line one\n  and two".to_owned(),
            cause: std::io::Error::other("root"),
        })),
        _ => Ok(()),
    });
    let mut job = TestJob::new(1);
    let source = job.numbers(None, calm(), calm());
    job.collect(source, None, hook);
    assert_eq!(
        error(job),
        "operator 'collect' (subtask 1/1) failed: the job can't start: line one and two: root"
    );
}

#[test]
fn an_error_whose_own_message_panics_is_reported_nevertheless() {
    #[derive(Debug)]
    struct Hostile;
    impl std::fmt::Display for Hostile {
        fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no words")
        }
    }
    impl std::error::Error for Hostile {}
    let hook: Hook =
        Arc::new(|phase, _| if phase == Phase::Process { Err(Box::new(Hostile)) } else { Ok(()) });
    let mut job = TestJob::new(1);
    let source = job.numbers(None, calm(), calm());
    job.collect(source, None, hook);
    assert!(error(job).ends_with("no words"));
}

#[test]
fn a_panic_while_an_operator_is_dropped_fails_the_job() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("dropped");
        }
    }
    struct Holder(#[allow(dead_code, reason = "only its drop counts")] Bomb);
    impl crate::operator::Operator for Holder {
        type In = u64;
        type Out = ();
        fn process(
            &mut self,
            batch: &mut flott_core::Batch<u64>,
            _out: &mut crate::operator::Output<()>,
        ) -> crate::error::FnResult {
            batch.clear();
            Ok(())
        }
    }
    let mut job = TestJob::new(1);
    let source = job.numbers(Some(10), calm(), calm());
    let holder = crate::program::operator_factory(|_| Ok(Holder(Bomb)));
    let holder = job.add(crate::graph::NodeKind::Operator, "holder", holder);
    job.connect(source, holder, None, Partitioner::Plain);
    assert!(error(job).ends_with("dropped"));
}

/// Waits until the readers have filled every channel, then goes on.
fn when_full(log: Log, then: Hook) -> Hook {
    Arc::new(move |phase, subtask| {
        if phase == Phase::Process {
            log.wait_for("numbers", Phase::Process, CHANNEL_RECORDS / 300);
        }
        then(phase, subtask)
    })
}

#[test]
fn a_failure_behind_full_channels_frees_the_blocked_source() {
    for then in [fails(Phase::Process, "disk full"), panics(Phase::Process, "disk full")] {
        let mut job = TestJob::new(2);
        let source = job.numbers(None, calm(), calm());
        let log = job.log.clone();
        job.collect(source, Some(Partitioning::Rebalance), when_full(log, then));
        let error = error(job);
        assert!(error.starts_with("operator 'collect' (subtask 2/2) "), "{error}");
        assert!(error.ends_with("disk full"), "{error}");
    }
}

#[test]
fn a_failed_job_stays_failed() {
    let running =
        job(None, Hooks { middle: fails(Phase::Process, "no more"), ..all_calm() }).start().unwrap();
    running.end().unwrap_err();
    running.handle.cancel();
    assert_eq!(running.handle.status(), JobStatus::Failed);
    assert!(matches!(running.handle.wait(), Err(JobError::Task(_))));
}

#[test]
fn finish_is_not_called_after_a_failure() {
    let running = job(Some(100_000), Hooks { middle: fails(Phase::Process, "no more"), ..all_calm() });
    let running = running.start().unwrap();
    running.end().unwrap_err();
    assert_eq!(running.log.count("collect", Phase::Finish), 0);
}
