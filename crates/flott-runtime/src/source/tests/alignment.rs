//! A source that waits for others, and its splits for each other.

use super::*;

/// Reports each 10 ns, may be 100 ms ahead, and is idle after 50 ns of silence.
fn strategy() -> WatermarkStrategy<Timestamp> {
    let alignment = |strategy: WatermarkStrategy<Timestamp>| {
        strategy.with_watermark_alignment_every("group", Duration::from_millis(100), Duration::from_nanos(10))
    };
    alignment(WatermarkStrategy::for_monotonous_timestamps()).with_idleness(Duration::from_nanos(50))
}

struct Aligned {
    bench: Bench,
    reports: Arc<Mutex<Vec<Timestamp>>>,
    pauses: Pauses,
}

fn aligned(splits: &[&str], polls: Vec<Poll>, can_pause: bool, may_refuse: bool) -> Aligned {
    let (reports, pauses) = (Arc::<Mutex<Vec<Timestamp>>>::default(), Pauses::default());
    let told = Arc::clone(&reports);
    let source = Scripted { polls, pauses: can_pause.then(|| Arc::clone(&pauses)) };
    let bench = bench_with(splits, source, &strategy(), |link| {
        link.report_watermark = Arc::new(move |watermark| told.lock().unwrap().push(watermark));
        link.allow_unaligned_source_splits = may_refuse;
    });
    Aligned { bench, reports, pauses }
}

impl Aligned {
    fn step(&mut self, now_ns: u64) -> Step {
        self.bench.head.step(now_ns).unwrap()
    }

    fn limit(&mut self, limit: Timestamp) {
        self.bench.head.control(TaskControl::AlignWatermarks(limit)).unwrap();
    }

    fn reports(&self) -> Vec<Timestamp> {
        std::mem::take(&mut self.reports.lock().unwrap())
    }

    fn pauses(&self) -> Vec<String> {
        std::mem::take(&mut self.pauses.lock().unwrap())
    }
}

fn nap(ns: u64) -> Step {
    Step::Idle { retry_after: Some(Duration::from_nanos(ns)) }
}

#[test]
fn s2_3_a_reader_that_is_ahead_stops_until_the_others_have_caught_up() {
    let polls = vec![from(&[(Some("a"), &[1_000])]), from(&[(Some("a"), &[1_100])])];
    let mut source = aligned(&["a"], polls, true, false);
    source.limit(998);
    assert_eq!(source.step(0), Step::Progress, "it has not read anything yet");
    assert_eq!(source.bench.record.take(), [records(&[1_000]), Seen::Watermark(999)]);
    assert_eq!(source.step(5), nap(1), "999 is ahead of 998; watermarks go on to be asked for");
    source.limit(999);
    assert_eq!(source.step(6), Step::Progress);
    assert_eq!(source.bench.record.take(), [records(&[1_100]), Seen::Watermark(1_099)]);
    assert_eq!(source.step(7), nap(1));
    source.limit(MAX_WATERMARK);
    assert_eq!(source.step(8), Step::EndOfData, "the end is seen only when the reader is asked again");
    assert_eq!(source.pauses(), Vec::<String>::new(), "a single split is never paused by itself");
}

#[test]
fn a_reader_reports_at_each_interval_while_it_reads_and_while_it_waits() {
    let polls = (1..=6).map(|at| from(&[(Some("a"), &[at * 10])])).collect();
    let mut source = aligned(&["a"], polls, true, false);
    source.step(0);
    assert_eq!(source.reports(), [Timestamp::MIN], "before it has read anything");
    source.step(9);
    assert_eq!(source.reports(), []);
    source.step(10);
    assert_eq!(source.reports(), [19]);
    source.limit(0);
    source.step(15);
    source.step(20);
    source.step(30);
    assert_eq!(source.reports(), [29, 29]);
}

#[test]
fn s2_3_an_idle_or_finished_reader_reports_that_nobody_need_wait_for_it() {
    let silent = vec![Poll::default(); 20];
    let mut source = aligned(&["a"], silent, true, false);
    for now_ns in [0, 1, 40, 60] {
        source.step(now_ns);
    }
    source.step(70);
    assert_eq!(source.reports().last(), Some(&MAX_WATERMARK));

    let mut source = aligned(&["a"], vec![], true, false);
    source.bench.head.finish().unwrap();
    assert_eq!(source.reports(), [MAX_WATERMARK]);
}

#[test]
fn a_reader_that_waits_does_not_fall_idle() {
    let mut source = aligned(&["a"], vec![from(&[(Some("a"), &[1_000])])], true, false);
    source.step(0);
    source.limit(0);
    for now_ns in (10..1_000).step_by(10) {
        source.step(now_ns);
    }
    assert_eq!(source.bench.record.take(), [records(&[1_000]), Seen::Watermark(999)]);
    assert_eq!(source.reports().last(), Some(&999));
}

fn two_splits() -> Vec<Poll> {
    vec![
        from(&[(Some("fast"), &[1_000]), (Some("slow"), &[10])]),
        from(&[(Some("slow"), &[20])]),
        from(&[(Some("slow"), &[960])]),
        Poll { finished: vec!["slow"], ..Poll::default() },
        Poll::default(),
    ]
}

#[test]
fn s2_3_a_split_that_is_ahead_is_paused_and_resumed_by_itself() {
    let mut source = aligned(&["fast", "slow"], two_splits(), true, false);
    source.limit(500);
    source.step(0);
    assert_eq!(source.step(1), Step::Progress, "the slow one is read on");
    assert_eq!(source.pauses(), ["pause [\"fast\"], resume []"]);
    source.step(2);
    assert_eq!(source.pauses(), Vec::<String>::new(), "each change is told once");
    source.limit(2_000);
    source.step(3);
    assert_eq!(source.pauses(), ["pause [], resume [\"fast\"]"]);
}

#[test]
fn a_paused_split_that_is_left_alone_is_resumed() {
    let mut source = aligned(&["fast", "slow"], two_splits(), true, false);
    source.limit(970);
    for now_ns in 0..4 {
        source.step(now_ns);
    }
    assert_eq!(source.pauses(), ["pause [\"fast\"], resume []"]);
    source.step(4);
    source.limit(999);
    source.step(5);
    assert_eq!(source.pauses(), ["pause [], resume [\"fast\"]"]);
}

#[test]
fn a_source_that_cannot_pause_splits_fails_unless_that_is_allowed() {
    let mut source = aligned(&["fast", "slow"], two_splits(), false, false);
    source.limit(500);
    source.step(0);
    let error = source.bench.head.step(1).unwrap_err();
    let crate::error::ChainError::Failed { operator, cause } = error else { panic!("not {error:?}") };
    assert_eq!(operator, "scripted");
    assert_eq!(
        cause.to_string(),
        "a split is ahead of its watermark alignment group, and the source can't pause single splits: give each split \
         a subtask of its own, or set pipeline.watermark-alignment.allow-unaligned-source-splits"
    );

    let mut source = aligned(&["fast", "slow"], two_splits(), false, true);
    source.limit(500);
    assert_eq!(source.step(0), Step::Progress);
    assert_eq!(source.step(1), Step::Progress);
}
