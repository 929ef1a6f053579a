//! What functions hear of checkpoints (Flink: `CheckpointListener`), and when sinks commit.

use std::sync::{Arc, Mutex};

use flott::prelude::*;
use flott::sink::{
    BoxWriter, CommitError, Committer, NoWriterState, Sink, SinkContext, SinkWriter, WriteContext,
};
use flott_core::Batch;
use flott_core::config::keys;

use crate::support::{env, go_on, in_virtual_time, numbers, pause};

/// What has happened, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Complete(u64),
    Aborted(u64),
    Committed(Vec<i64>),
}

#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<Entry>>>);

impl Diary {
    fn note(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }

    fn entries(&self) -> Vec<Entry> {
        self.0.lock().unwrap().clone()
    }
}

/// Hands numbers on, and stands still for a second at the number 60.
#[derive(Clone)]
struct Listener(Diary);

impl MapFunction<i64, i64> for Listener {
    fn map(&mut self, n: i64) -> FnResult<i64> {
        if n == 60 {
            pause(Duration::from_secs(1));
        }
        Ok(n)
    }

    fn notify_checkpoint_complete(&mut self, checkpoint_id: u64) -> FnResult {
        self.0.note(Entry::Complete(checkpoint_id));
        Ok(())
    }

    fn notify_checkpoint_aborted(&mut self, checkpoint_id: u64) -> FnResult {
        self.0.note(Entry::Aborted(checkpoint_id));
        Ok(())
    }
}

/// A sink whose commits are in the diary.
#[derive(Clone)]
struct Committing(Diary);

impl Sink<i64> for Committing {
    type Committable = Vec<i64>;
    type WriterState = NoWriterState;

    fn create_writer(&self, _context: &SinkContext) -> FnResult<BoxWriter<i64, Self>> {
        Ok(Box::new(Writer(Vec::new())))
    }

    fn create_committer(&self, _context: &SinkContext) -> FnResult<Option<Box<dyn Committer<Vec<i64>>>>> {
        Ok(Some(Box::new(self.clone())))
    }
}

impl Committer<Vec<i64>> for Committing {
    fn commit(&mut self, numbers: &Vec<i64>) -> Result<(), CommitError> {
        self.0.note(Entry::Committed(numbers.clone()));
        Ok(())
    }
}

struct Writer(Vec<i64>);

impl SinkWriter<i64> for Writer {
    type Committable = Vec<i64>;
    type State = NoWriterState;

    fn write(&mut self, batch: &mut Batch<i64>, _context: WriteContext) -> FnResult {
        self.0.append(&mut batch.records);
        batch.clear();
        Ok(())
    }

    fn flush(&mut self, _end_of_input: bool) -> FnResult {
        Ok(())
    }

    fn prepare_commit(&mut self) -> FnResult<Vec<Vec<i64>>> {
        Ok(vec![std::mem::take(&mut self.0)])
    }
}

/// The diary of a job whose first checkpoint completes, whose second expires, and whose third completes.
fn diary(chaining: bool) -> Vec<Entry> {
    let (env, diary) = (env(1), Diary::default());
    // Only the checkpoints that the test asks for, and the last one.
    env.enable_checkpointing(Duration::from_secs(24 * 3_600))
        .set(&keys::OPERATOR_CHAINING, chaining)
        .set(&keys::CHECKPOINTING_TIMEOUT, Duration::from_millis(500))
        .set(&keys::TOLERABLE_FAILED_CHECKPOINTS, 1);
    let sink = Committing(diary.clone());
    numbers(&env).map_with(Listener(diary.clone())).sink_to(sink);
    in_virtual_time(1, || {
        let handle = env.execute_async().unwrap();
        go_on(&handle, 400);
        handle.trigger_checkpoint().unwrap();
        go_on(&handle, 300);
        handle.trigger_checkpoint().unwrap_err();
        go_on(&handle, 2_000);
        handle.trigger_checkpoint().unwrap();
        handle.wait().unwrap();
        assert_eq!(handle.restarts(), 0);
    });
    diary.entries()
}

fn committed<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> Vec<i64> {
    let commits = entries.into_iter().filter_map(|entry| match entry {
        Entry::Committed(numbers) => Some(numbers.clone()),
        _ => None,
    });
    commits.flatten().collect()
}

#[test]
fn functions_hear_of_each_checkpoint_that_is_complete_or_given_up_and_sinks_commit_what_is_complete() {
    for chaining in [true, false] {
        let diary = diary(chaining);
        let heard: Vec<_> = diary.iter().filter(|entry| !matches!(entry, Entry::Committed(_))).collect();
        let expected = [Entry::Complete(1), Entry::Aborted(2), Entry::Complete(3), Entry::Complete(4)];
        assert_eq!(heard, expected.iter().collect::<Vec<_>>(), "chaining {chaining}");
        assert_eq!(committed(&diary), (0..1_000).collect::<Vec<_>>(), "chaining {chaining}");
    }
}

#[test]
fn in_a_chain_a_function_hears_of_a_checkpoint_before_the_sink_behind_it_commits() {
    let diary = diary(true);
    let place = |entry: &Entry| diary.iter().position(|other| other == entry).unwrap();
    let [first, aborted, third, last] =
        [Entry::Complete(1), Entry::Aborted(2), Entry::Complete(3), Entry::Complete(4)]
            .map(|entry| place(&entry));
    assert_eq!(first, 0, "{diary:?}");
    let by_the_first = committed(&diary[first..aborted]);
    assert!(by_the_first.len() > 20, "{by_the_first:?}");
    // What was prepared for the second is committed with the third.
    assert_eq!(committed(&diary[aborted..third]), []);
    let by_the_third = committed(&diary[third..last]);
    assert_eq!(by_the_third[0], by_the_first.len() as i64);
    assert!(by_the_third.len() > 100, "{by_the_third:?}");
}
