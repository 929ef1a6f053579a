//! Whole jobs on one directory: checkpoints, failures, and going on from any checkpoint at any parallelism.

use flott_runtime::checkpoint::two_phase::{Committables, CommittablesState};
use proptest::prelude::*;

use super::*;

/// What a checkpoint holds of the sink, and how many records were written before it.
#[derive(Clone, Default)]
struct Checkpoint {
    states: Vec<FileWriterState>,
    committables: Vec<CommittablesState<FileCommittable>>,
    records: u64,
}

/// A job that writes the numbers from 0 on, in turns from all its subtasks.
struct Job {
    writers: Vec<Writer<String>>,
    committables: Vec<Committables<FileCommittable>>,
    records: u64,
}

impl Job {
    fn start(directory: &Path, parallelism: u32, from: Option<&Checkpoint>) -> Self {
        let clock = Arc::new(ManualClock::default());
        let sink = words(directory);
        let context = |subtask| sink_context(subtask, parallelism, Arc::clone(&clock) as Arc<_>);
        let writer = |subtask| match from {
            None => sink.create_writer(&context(subtask)).unwrap(),
            Some(from) => sink.restore_writer(&context(subtask), from.states.clone()).unwrap(),
        };
        let mut committables: Vec<_> = (0..parallelism).map(|_| Committables::default()).collect();
        let from = from.cloned().unwrap_or_default();
        committables[0] = Committables::restored(from.committables);
        let mut job =
            Self { writers: (0..parallelism).map(writer).collect(), committables, records: from.records };
        job.commit();
        job
    }

    fn write(&mut self, count: u64) {
        for record in self.records..self.records + count {
            let subtask = record as usize % self.writers.len();
            write(&mut self.writers[subtask], vec![record.to_string()]);
        }
        self.records += count;
    }

    fn checkpoint(&mut self, id: u64) -> Checkpoint {
        let mut taken = Checkpoint { records: self.records, ..Checkpoint::default() };
        for (writer, committables) in self.writers.iter_mut().zip(&mut self.committables) {
            writer.flush(false).unwrap();
            committables.add(id, writer.prepare_commit().unwrap());
            taken.committables.push(committables.snapshot());
            taken.states.append(&mut writer.snapshot_state(id).unwrap());
        }
        taken
    }

    fn complete(&mut self, id: u64) {
        self.committables.iter_mut().for_each(|committables| committables.complete(id));
        self.commit();
    }

    fn commit(&mut self) {
        for committables in &mut self.committables {
            let later = committables.commit(|part| FileCommitter.commit(part)).unwrap();
            assert!(later.is_none());
        }
    }
}

/// What whoever lists the directory sees.
fn visible(directory: &Path) -> Vec<u64> {
    let parts = files(directory).into_iter().filter(|(name, _)| !name.starts_with('.'));
    let texts = parts.map(|(_, path)| fs::read_to_string(path).unwrap());
    let mut records: Vec<u64> =
        texts.flat_map(|text| text.lines().map(|line| line.parse().unwrap()).collect::<Vec<_>>()).collect();
    records.sort_unstable();
    records
}

#[test]
fn a_job_that_goes_back_to_an_older_checkpoint_takes_back_what_it_has_committed_since() {
    let dir = tempfile::tempdir().unwrap();
    let mut job = Job::start(dir.path(), 2, None);
    job.write(4);
    let first = job.checkpoint(1);
    job.complete(1);
    job.write(4);
    job.checkpoint(2);
    job.complete(2);
    assert_eq!(visible(dir.path()), (0..8).collect::<Vec<_>>());
    let mut job = Job::start(dir.path(), 2, Some(&first));
    assert_eq!(visible(dir.path()), [0, 1, 2, 3]);
    job.write(3);
    job.checkpoint(2);
    job.complete(2);
    assert_eq!(visible(dir.path()), (0..7).collect::<Vec<_>>());
}

#[test]
fn after_a_kill_the_hidden_parts_that_no_checkpoint_holds_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let mut job = Job::start(dir.path(), 2, None);
    job.write(2);
    let first = job.checkpoint(1);
    job.write(2);
    job.checkpoint(2);
    job.write(2);
    assert_eq!(names(dir.path()).len(), 6, "two of checkpoint 1, two of checkpoint 2, two being written");
    drop(job);
    Job::start(dir.path(), 1, Some(&first));
    assert_eq!(names(dir.path()), ["part-0-0", "part-1-0"]);
}

#[test]
fn a_restored_job_leaves_the_parts_of_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = Job::start(dir.path(), 3, None);
    other.write(6);
    other.checkpoint(1);
    other.complete(1);
    other.write(3);
    fs::write(dir.path().join("part-9-9"), "100\n").unwrap();
    let before = names(dir.path());
    let mut job = Job::start(dir.path(), 2, None);
    job.write(2);
    let first = job.checkpoint(1);
    job.write(2);
    job.checkpoint(2);
    job.complete(2);
    Job::start(dir.path(), 3, Some(&first));
    let left = names(dir.path());
    assert_eq!(left.len(), before.len() + 2);
    assert!(before.iter().all(|name| left.contains(name)));
}

#[derive(Clone, Debug)]
enum Step {
    Write(u64),
    Checkpoint,
    /// The newest checkpoint is complete; all before it, too.
    Complete,
    /// The process is killed, and the job goes on at this parallelism from the complete checkpoint that is so far back; those
    /// after it are damaged.
    Kill {
        back: usize,
        parallelism: u32,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1..5u64).prop_map(Step::Write),
        Just(Step::Checkpoint),
        Just(Step::Complete),
        (0..3usize, 1..4u32).prop_map(|(back, parallelism)| Step::Kill { back, parallelism }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_is_visible_is_exactly_what_was_written_before_the_newest_complete_checkpoint(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut job = Job::start(dir.path(), 2, None);
        let (mut id, mut complete, mut waiting) = (0, Vec::<Checkpoint>::new(), None);
        for step in steps {
            match step {
                Step::Write(count) => job.write(count),
                Step::Checkpoint => {
                    id += 1;
                    waiting = Some(job.checkpoint(id));
                }
                Step::Complete => {
                    if let Some(checkpoint) = waiting.take() {
                        job.complete(id);
                        complete.push(checkpoint);
                    }
                }
                Step::Kill { back, parallelism } => {
                    waiting = None;
                    complete.truncate(complete.len().saturating_sub(back).max(1));
                    // Without any checkpoint a job starts afresh, having shown nothing.
                    job = Job::start(dir.path(), parallelism, complete.last());
                }
            }
            let records = complete.last().map_or(0, |checkpoint| checkpoint.records);
            prop_assert_eq!(visible(dir.path()), (0..records).collect::<Vec<_>>());
        }
    }
}
