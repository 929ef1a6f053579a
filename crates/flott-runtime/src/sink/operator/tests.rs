//! A transactional sink at its place in a task: what is committed when, and what a restored one does.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use flott_state::redistribute;

use super::*;
use crate::operator::SideOutputs;
use crate::sink::{CommitError, Committer, SinkWriter};
use crate::test_support::{ManualClock, TestTask, setup, task};

/// What is outside of the job and survives it.
#[derive(Clone, Default)]
struct Target {
    committed: Arc<Mutex<Vec<u32>>>,
    /// While it is away no commit succeeds.
    away: Arc<Mutex<bool>>,
    all_states: bool,
}

impl Target {
    fn committed(&self) -> Vec<u32> {
        self.committed.lock().unwrap().clone()
    }

    fn set_away(&self, away: bool) {
        *self.away.lock().unwrap() = away;
    }
}

impl Sink<u32> for Target {
    type Committable = u32;
    type WriterState = (u32, u64);

    fn create_writer(&self, context: &SinkContext) -> FnResult<BoxWriter<u32, Self>> {
        self.restore_writer(context, Vec::new())
    }

    fn restore_writer(
        &self,
        context: &SinkContext,
        states: Vec<(u32, u64)>,
    ) -> FnResult<BoxWriter<u32, Self>> {
        Ok(Box::new(Transactions { subtask: context.subtask(), open: Vec::new(), states, written: 0 }))
    }

    fn restores_all_states(&self) -> bool {
        self.all_states
    }

    fn create_committer(&self, _context: &SinkContext) -> FnResult<Option<Box<dyn Committer<u32>>>> {
        Ok(Some(Box::new(self.clone())))
    }
}

/// A transaction is a record; its state is the subtask and how much it has written.
struct Transactions {
    subtask: u32,
    open: Vec<u32>,
    states: Vec<(u32, u64)>,
    written: u64,
}

impl SinkWriter<u32> for Transactions {
    type Committable = u32;
    type State = (u32, u64);

    fn write(&mut self, batch: &mut Batch<u32>, _context: WriteContext) -> FnResult {
        self.written += batch.len() as u64;
        self.open.append(&mut batch.records);
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }

    fn prepare_commit(&mut self) -> FnResult<Vec<u32>> {
        Ok(std::mem::take(&mut self.open))
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<(u32, u64)>> {
        let mut states = self.states.clone();
        states.push((self.subtask, self.written));
        Ok(states)
    }
}

impl Committer<u32> for Target {
    fn commit(&mut self, record: &u32) -> Result<(), CommitError> {
        if *self.away.lock().unwrap() {
            return Err(CommitError::RetryLater("the target is away".into()));
        }
        let mut committed = self.committed.lock().unwrap();
        if committed.contains(record) {
            return Err(CommitError::AlreadyCommitted);
        }
        committed.push(*record);
        Ok(())
    }
}

/// One subtask under test.
struct Stage {
    operator: SinkOperator<u32, Target>,
    out: Output<()>,
    task: TestTask,
    clock: Arc<ManualClock>,
}

impl Stage {
    fn start(target: &Target, restored: Option<OperatorSnapshot>) -> Self {
        Self::start_as(target, 0, 1, restored)
    }

    fn start_as(target: &Target, subtask: u32, parallelism: u32, restored: Option<OperatorSnapshot>) -> Self {
        let clock = Arc::<ManualClock>::default();
        let mut task = task(Arc::clone(&clock) as Arc<_>);
        Rc::get_mut(&mut task.shared).unwrap().link.checkpointing.waits_for_last = true;
        let restored = restored.map(Arc::new);
        let setup = OperatorSetup { subtask, parallelism, restored, ..setup(&task, "out") };
        let mut operator = SinkOperator::new(target, setup).unwrap();
        operator.open().unwrap();
        let out = Output::new(Vec::new(), SideOutputs::default());
        Self { operator, out, task, clock }
    }

    fn write(&mut self, record: u32) {
        self.operator.process(&mut Batch::of(vec![record]), &mut self.out).unwrap();
    }

    fn snapshot(&mut self, checkpoint: u64) -> OperatorSnapshot {
        self.operator.snapshot(SnapshotRequest::whole(checkpoint)).unwrap()
    }

    fn complete(&mut self, checkpoint: u64) {
        self.operator.on_checkpoint_complete(checkpoint, &mut self.out).unwrap();
    }

    /// Lets time pass until the operator's next timer, and tells how late it is then.
    fn pass(&mut self) -> Timestamp {
        let due = self.operator.next_timer().unwrap();
        self.clock.set_wall_ms(due);
        self.task.shared.tick();
        self.operator.on_processing_time(due, &mut self.out).unwrap();
        due
    }
}

#[test]
fn v8_9_1_a_notice_commits_its_checkpoint_and_all_before_it() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    for (checkpoint, record) in [(0, 42), (1, 43), (2, 44)] {
        stage.write(record);
        stage.snapshot(checkpoint);
    }
    assert_eq!(target.committed(), []);
    stage.complete(1);
    assert_eq!(target.committed(), [42, 43]);
}

#[test]
fn v8_9_2_a_late_notice_of_a_smaller_checkpoint_is_ignored() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    for (checkpoint, record) in [(0, 42), (1, 43), (2, 44)] {
        stage.write(record);
        stage.snapshot(checkpoint);
    }
    stage.complete(2);
    stage.complete(1);
    assert_eq!(target.committed(), [42, 43, 44]);
}

#[test]
fn v8_9_3_what_a_restored_checkpoint_holds_is_committed_before_the_first_record_and_what_came_later_is_gone()
{
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    stage.write(42);
    stage.snapshot(0);
    stage.write(43);
    let snapshot = stage.snapshot(1);
    stage.write(44);
    let mut stage = Stage::start(&target, Some(snapshot));
    assert_eq!(target.committed(), [42, 43]);
    stage.write(45);
    stage.snapshot(2);
    stage.complete(2);
    assert_eq!(target.committed(), [42, 43, 45]);
}

#[test]
fn what_was_committed_after_the_snapshot_is_committed_again_and_counts_once() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    stage.write(42);
    let snapshot = stage.snapshot(1);
    stage.complete(1);
    Stage::start(&target, Some(snapshot));
    assert_eq!(target.committed(), [42]);
}

#[test]
fn an_aborted_checkpoint_leaves_its_records_to_the_next() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    stage.write(42);
    stage.snapshot(1);
    stage.operator.on_checkpoint_aborted(1).unwrap();
    let snapshot = stage.snapshot(2);
    Stage::start(&target, Some(snapshot));
    assert_eq!(target.committed(), [42]);
}

#[test]
fn a_commit_that_must_wait_is_retried_by_a_timer_while_records_go_on() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    stage.write(42);
    stage.snapshot(1);
    target.set_away(true);
    stage.complete(1);
    let times = [stage.pass(), stage.pass(), stage.pass()];
    assert_eq!(times, [20, 60, 140], "20 ms, then twice as long each time");
    stage.write(43);
    let snapshot = stage.snapshot(2);
    target.set_away(false);
    assert_eq!(stage.pass(), 300);
    assert_eq!(target.committed(), [42]);
    assert_eq!(stage.operator.next_timer(), Some(TIME_TICK_MS), "nothing is left to be retried");
    Stage::start(&target, Some(snapshot));
    assert_eq!(target.committed(), [42, 43], "it was part of the next checkpoint, too");
}

#[test]
fn a_restored_commit_that_must_wait_is_retried_as_well() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    stage.write(42);
    let snapshot = stage.snapshot(1);
    target.set_away(true);
    let mut stage = Stage::start(&target, Some(snapshot));
    target.set_away(false);
    assert_eq!(stage.pass(), 20);
    assert_eq!(target.committed(), [42]);
}

#[test]
fn a_target_that_stays_away_fails_the_task_after_ten_attempts() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    stage.write(42);
    stage.snapshot(1);
    target.set_away(true);
    stage.complete(1);
    let error = loop {
        let due = stage.operator.retry_at().unwrap();
        stage.clock.set_wall_ms(due);
        stage.task.shared.tick();
        if let Err(error) = stage.operator.on_processing_time(due, &mut stage.out) {
            break error;
        }
    };
    assert!(error.to_string().starts_with("a commit did not succeed in 10 attempts"), "{error}");
    assert_eq!(error.source().unwrap().to_string(), "the target is away");
    assert_eq!(stage.task.shared.processing_time(), 20 * 511, "after about ten seconds");
}

#[test]
fn at_the_end_of_input_the_last_checkpoint_commits() {
    let target = Target::default();
    let mut stage = Stage::start(&target, None);
    stage.write(42);
    stage.operator.finish(&mut stage.out).unwrap();
    assert_eq!(target.committed(), []);
    assert_eq!(stage.operator.next_timer(), None, "a writer that has finished hears of time no more");
    stage.snapshot(1);
    assert_eq!(target.committed(), []);
    stage.complete(1);
    assert_eq!(target.committed(), [42]);
}

#[test]
fn after_rescaling_each_writer_gets_a_share_of_the_states_or_all_of_them() {
    let seen = RefCell::new(Vec::new());
    for all_states in [false, true] {
        let target = Target { all_states, ..Target::default() };
        let old: Vec<_> = (0..2)
            .map(|subtask| {
                let mut stage = Stage::start_as(&target, subtask, 2, None);
                (0..=subtask).for_each(|record| stage.write(10 * subtask + record));
                stage.snapshot(1)
            })
            .collect();
        for (subtask, share) in (0..).zip(redistribute(&old, 3, 128)) {
            let mut stage = Stage::start_as(&target, subtask, 3, Some(share));
            let state = stage.operator.writer.snapshot_state(2).unwrap();
            seen.borrow_mut().push(state.split_last().unwrap().1.to_vec());
        }
        assert_eq!(target.committed().len(), 3, "what was prepared is committed once");
    }
    let all = vec![(0, 1), (1, 2)];
    let mut seen = seen.into_inner();
    seen[..3].sort();
    assert_eq!(seen, [vec![], vec![(0, 1)], vec![(1, 2)], all.clone(), all.clone(), all]);
}

#[test]
fn a_sink_without_state_leaves_no_trace_in_a_snapshot() {
    struct Stateless;
    impl Sink<u32> for Stateless {
        type Committable = u32;
        type WriterState = (u32, u64);
        fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<u32, Self>> {
            Ok(Box::new(Forgetful))
        }
    }
    struct Forgetful;
    impl SinkWriter<u32> for Forgetful {
        type Committable = u32;
        type State = (u32, u64);
        fn write(&mut self, batch: &mut Batch<u32>, _context: WriteContext) -> FnResult {
            batch.clear();
            Ok(())
        }
        fn flush(&mut self, _end_of_input: bool) -> FnResult {
            Ok(())
        }
    }
    let task = task(Arc::new(ManualClock::default()));
    let mut operator = SinkOperator::new(&Stateless, setup(&task, "out")).unwrap();
    assert!(operator.snapshot(SnapshotRequest::whole(1)).unwrap().is_empty());
}
