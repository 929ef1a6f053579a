//! What a task does at a barrier, and what is left for later (S111), by counting instead of timing.

use std::cell::Cell;

use flott::prelude::*;
use flott::testing::{HarnessSnapshot, OneInputHarness};
use flott_state::SnapshotBudget;
use serde::{Deserialize, Serialize, Serializer};

thread_local! {
    static ENCODED: Cell<u64> = const { Cell::new(0) };
}

/// Counts how often it is encoded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Counted(i64);

impl Serialize for Counted {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ENCODED.set(ENCODED.get() + 1);
        serializer.serialize_newtype_struct("Counted", &self.0)
    }
}

type Event = (u64, Counted);
type Harness = OneInputHarness<Event, Event>;

fn add(a: &Event, b: Event) -> Event {
    (b.0, Counted(a.1.0 + b.1.0))
}

/// Every kind of operator that keeps something for each key.
const KINDS: [&str; 5] = ["rolling", "tumbling", "sliding", "sessions", "with a trigger"];

fn harness(kind: &'static str) -> Harness {
    OneInputHarness::new(move |events: DataStream<Event>| {
        let keyed = events.key_by(|(key, _)| *key);
        let ms = Duration::from_millis;
        match kind {
            "rolling" => keyed.reduce(|a, b| (b.0, Counted(a.1.0 + b.1.0))),
            "tumbling" => keyed.window(TumblingEventTimeWindows::of(ms(1_000))).reduce(add),
            "sliding" => keyed.window(SlidingEventTimeWindows::of(ms(1_000), ms(250))).reduce(add),
            "sessions" => keyed.window(EventTimeSessionWindows::with_gap(ms(100))).reduce(add),
            _ => {
                let windows = TumblingEventTimeWindows::of(ms(1_000));
                keyed.window(windows).trigger(ContinuousEventTimeTrigger::of(ms(300))).reduce(add)
            }
        }
    })
}

fn encoded_by(act: impl FnOnce()) -> u64 {
    ENCODED.set(0);
    act();
    ENCODED.get()
}

/// Whether operators of a kind have their state on disk.
fn is_on_disk(kind: &str) -> bool {
    let backend = std::env::var("FLOTT_TEST_STATE_BACKEND");
    backend.is_ok_and(|backend| backend != "hashmap") && ["rolling", "with a trigger"].contains(&kind)
}

/// What is cached of state on disk is written at the barrier, but only what has changed since it was written last.
#[test]
fn s111_on_disk_what_is_done_at_a_barrier_grows_with_what_has_changed_and_not_with_what_there_is() {
    for kind in KINDS.into_iter().filter(|kind| is_on_disk(kind)) {
        for keys in [50, 5_000] {
            let mut harness = harness(kind);
            (0..keys).for_each(|key| harness.process((key, Counted(1)), 10).unwrap());
            assert!(encoded_by(|| drop(harness.snapshot().unwrap())) <= keys, "{kind}, {keys} keys");
            (0..3).for_each(|key| harness.process((key, Counted(1)), 11).unwrap());
            let changed = encoded_by(|| harness.begin_snapshot().unwrap());
            assert!(changed <= 3, "{kind}, {keys} keys: {changed}");
        }
    }
}

#[test]
fn s111_what_is_done_at_a_barrier_does_not_grow_with_the_number_of_keys() {
    for kind in KINDS.into_iter().filter(|kind| !is_on_disk(kind)) {
        for keys in [50, 5_000] {
            let mut harness = harness(kind);
            (0..keys).for_each(|key| harness.process((key, Counted(1)), 10).unwrap());
            assert_eq!(encoded_by(|| harness.begin_snapshot().unwrap()), 0, "{kind}, {keys} keys");
            // A record takes at most its own key into the snapshot with it.
            let of_record = encoded_by(|| harness.process((7, Counted(1)), 11).unwrap());
            assert_eq!(of_record, 1, "{kind}, {keys} keys");
            // Between batches so much is written as the budget says.
            let mut rest = 0;
            loop {
                let mut snapshot = None;
                let budget = SnapshotBudget::new(200, usize::MAX);
                let now = encoded_by(|| snapshot = harness.drain_snapshot(budget).unwrap());
                assert!(now <= 400, "{kind}, {keys} keys: {now} at once");
                rest += now;
                if snapshot.is_some() {
                    break;
                }
            }
            assert_eq!(of_record + rest, keys, "{kind}: each once");
        }
    }
}

/// What comes out when the state of a snapshot goes on to the end of time.
fn outcome(kind: &'static str, snapshot: &HarnessSnapshot, parallelism: u32) -> Vec<Event> {
    let mut harness = harness(kind);
    harness.restore(snapshot, parallelism).unwrap();
    if kind == "rolling" {
        (0..300).for_each(|key| harness.process((key, Counted(0)), 100_000).unwrap());
    }
    harness.watermark(i64::MAX - 1).unwrap();
    let mut records = harness.take_records();
    records.sort();
    records
}

#[test]
fn a_snapshot_holds_what_there_was_at_its_barrier_whatever_comes_while_it_is_written() {
    for kind in KINDS {
        // Drained slowly, quickly, and not before the end.
        for slots in [1, 40, 100_000] {
            let (mut drained, mut at_once) = (harness(kind), harness(kind));
            let mut time = 0;
            let mut records = |of: &mut [&mut Harness], from: u64, to: u64| {
                for n in from..to {
                    time += 3;
                    for harness in of.iter_mut() {
                        harness.process((n * 7 % 300, Counted(n as i64)), time).unwrap();
                        if n % 50 == 0 {
                            harness.watermark(time - 40).unwrap();
                        }
                    }
                }
            };
            records(&mut [&mut drained, &mut at_once], 0, 700);
            let expected = at_once.snapshot().unwrap();
            drained.begin_snapshot().unwrap();
            let mut taken = None;
            for step in 0..400 {
                // Windows fire, sessions end and begin.
                records(&mut [&mut drained], 700 + 3 * step, 703 + 3 * step);
                if slots < 1_000 {
                    let budget = SnapshotBudget::new(slots, usize::MAX);
                    taken = taken.or_else(|| drained.drain_snapshot(budget).unwrap());
                }
            }
            while taken.is_none() {
                taken = drained.drain_snapshot(SnapshotBudget::unlimited()).unwrap();
            }
            let taken = taken.unwrap();
            for parallelism in [1, 3] {
                let [of_taken, of_expected] =
                    [&taken, &expected].map(|snapshot| outcome(kind, snapshot, parallelism));
                assert!(!of_expected.is_empty());
                assert_eq!(of_taken, of_expected, "{kind}, {slots} slots, parallelism {parallelism}");
            }
        }
    }
}
