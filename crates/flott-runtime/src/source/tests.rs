//! The source's head around a reader that follows a script.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use flott_core::Batch;
use flott_core::encoding;
use flott_core::time::{MAX_WATERMARK, Timestamp};
use flott_core::watermark::WatermarkStrategy;

use super::{
    Boundedness, CannotPauseSplits, EnumeratorActions, EnumeratorOutput, InputStatus, ReaderContext, Source,
    SourceHead, SourceOutput, SourceReader, SourceSplit, SplitEnumerator,
};
use crate::error::FnResult;
use crate::metrics::OperatorMetrics;
use crate::operator::{Output, SideOutputs};
use crate::task::{Head, Step, TaskControl, TaskLink};
use crate::test_support::{ManualClock, Record, Seen, recorder, setup, task};

mod alignment;

/// What a poll emits: timestamps, each run of them from a split with a name or from an unnamed one, and the splits
/// that it finishes.
#[derive(Clone, Default)]
struct Poll {
    runs: Vec<(Option<&'static str>, Vec<Timestamp>)>,
    finished: Vec<&'static str>,
}

/// A source that polls by the script; its records are their timestamps.
struct Scripted {
    polls: Vec<Poll>,
    /// What the reader was told to pause and resume, if it can.
    pauses: Option<Pauses>,
}

type Pauses = Arc<Mutex<Vec<String>>>;

struct ScriptedReader {
    polls: VecDeque<Poll>,
    pauses: Option<Pauses>,
}

#[derive(Clone, serde::Serialize, serde::Deserialize)]
struct Named(String);

impl SourceSplit for Named {
    fn split_id(&self) -> String {
        self.0.clone()
    }
}

impl Source for Scripted {
    type Out = Timestamp;
    type Split = Named;
    type EnumeratorState = ();

    fn boundedness(&self) -> Boundedness {
        Boundedness::Bounded
    }

    fn create_enumerator(&self) -> FnResult<Box<dyn SplitEnumerator<Split = Named, State = ()>>> {
        Err("these tests assign splits themselves".into())
    }

    fn restore_enumerator(&self, (): ()) -> FnResult<Box<dyn SplitEnumerator<Split = Named, State = ()>>> {
        self.create_enumerator()
    }

    fn create_reader(&self, _context: ReaderContext) -> FnResult<Box<dyn SourceReader<Timestamp, Named>>> {
        Ok(Box::new(ScriptedReader { polls: self.polls.clone().into(), pauses: self.pauses.clone() }))
    }
}

impl SourceReader<Timestamp, Named> for ScriptedReader {
    fn add_splits(&mut self, _splits: Vec<Named>) -> FnResult {
        Ok(())
    }

    fn poll_next(&mut self, out: &mut SourceOutput<'_, Timestamp>) -> FnResult<InputStatus> {
        let Some(poll) = self.polls.pop_front() else { return Ok(InputStatus::EndOfInput) };
        for (split, timestamps) in poll.runs {
            split.into_iter().for_each(|split| out.set_split(split));
            timestamps.into_iter().for_each(|timestamp| out.collect_with_timestamp(timestamp, timestamp));
        }
        poll.finished.into_iter().for_each(|split| out.finish_split(split));
        Ok(InputStatus::MoreAvailable)
    }

    fn snapshot_state(&mut self, _checkpoint_id: u64) -> FnResult<Vec<Named>> {
        Ok(Vec::new())
    }

    fn pause_or_resume_splits(&mut self, pause: &[String], resume: &[String]) -> FnResult {
        let Some(pauses) = &self.pauses else { return Err(CannotPauseSplits.into()) };
        pauses.lock().unwrap().push(format!("pause {pause:?}, resume {resume:?}"));
        Ok(())
    }
}

struct Bench {
    head: SourceHead<Timestamp, Named>,
    record: Record<Timestamp>,
    metrics: Arc<OperatorMetrics>,
}

/// A head with these splits; every step asks for a watermark.
fn bench(splits: &[&str], polls: Vec<Poll>) -> Bench {
    let strategy = WatermarkStrategy::for_monotonous_timestamps();
    bench_with(splits, Scripted { polls, pauses: None }, &strategy, |_| {})
}

fn bench_with(
    splits: &[&str],
    source: Scripted,
    strategy: &WatermarkStrategy<Timestamp>,
    set: impl FnOnce(&mut TaskLink),
) -> Bench {
    let mut surroundings = task(Arc::new(ManualClock::default()));
    let link = &mut Rc::get_mut(&mut surroundings.shared).unwrap().link;
    link.auto_watermark_interval = Duration::from_nanos(1);
    set(link);
    let setup = setup(&surroundings, "scripted");
    let metrics = Arc::clone(&setup.metrics);
    let (target, record) = recorder();
    let output = Output::new(vec![target], SideOutputs::default());
    let mut head = SourceHead::new(&source, strategy, output, setup).unwrap();
    let splits = splits.iter().map(|split| encoding::to_vec(&Named((*split).to_owned())).unwrap()).collect();
    head.control(TaskControl::AddSplits(splits)).unwrap();
    Bench { head, record, metrics }
}

impl Bench {
    /// Steps to the end of input; what was seen of records and watermarks.
    fn run(&mut self) -> Vec<Seen<Timestamp>> {
        let mut now_ns = 0;
        while self.head.step(now_ns).unwrap() == Step::Progress {
            now_ns += 1;
        }
        self.record.take()
    }
}

fn from(runs: &[(Option<&'static str>, &[Timestamp])]) -> Poll {
    let runs = runs.iter().map(|(split, timestamps)| (*split, timestamps.to_vec()));
    Poll { runs: runs.collect(), finished: Vec::new() }
}

fn records(timestamps: &[Timestamp]) -> Seen<Timestamp> {
    Seen::Batch(Batch { timestamps: timestamps.to_vec(), ..Batch::of(timestamps.to_vec()) })
}

#[test]
fn the_only_split_need_not_be_named() {
    let mut bench = bench(&["a"], vec![from(&[(None, &[10, 20])])]);
    assert_eq!(bench.run(), [records(&[10, 20]), Seen::Watermark(19)]);
    assert_eq!((bench.metrics.records_in.get(), bench.metrics.records_out.get()), (2, 2));
}

#[test]
fn the_slowest_split_holds_the_watermark_back() {
    let polls = vec![
        from(&[(Some("a"), &[10, 20])]),
        from(&[(Some("b"), &[5]), (Some("a"), &[30]), (Some("b"), &[7])]),
    ];
    let seen = bench(&["a", "b"], polls).run();
    assert_eq!(seen, [records(&[10, 20]), records(&[5, 30, 7]), Seen::Watermark(6)]);
}

#[test]
fn a_finished_split_no_longer_holds_the_watermark_back() {
    let first = from(&[(Some("a"), &[10]), (Some("b"), &[50])]);
    let polls = vec![first, Poll { finished: vec!["a"], ..Poll::default() }];
    let seen = bench(&["a", "b"], polls).run();
    assert_eq!(seen, [records(&[10, 50]), Seen::Watermark(9), Seen::Watermark(49)]);
}

#[test]
fn at_the_end_the_final_watermark_goes_before_the_finish() {
    let mut bench = bench(&["a"], vec![]);
    bench.head.finish().unwrap();
    assert_eq!(bench.record.take(), [Seen::Watermark(MAX_WATERMARK), Seen::Finish]);
}

#[test]
fn an_enumerator_that_names_a_reader_that_does_not_exist_is_told() {
    let mut actions = EnumeratorActions::default();
    let mut out = EnumeratorOutput::new(2, &mut actions);
    out.assign(1, &Named("a".to_owned())).unwrap();
    let error = out.assign(2, &Named("b".to_owned())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "split 'b' was assigned to subtask 2, but there are 2: it must be below that"
    );
}
