//! Routers, channels and gates together, under random traffic in random order.

use std::collections::BTreeMap;
use std::sync::Arc;

use flott_core::Batch;
use flott_core::encoding::EncodeError;
use flott_core::hash::mix64;
use flott_core::time::{MIN_WATERMARK, NO_TIMESTAMP, Timestamp};
use proptest::prelude::*;

use super::router::MAX_PARALLELISM;
use crate::checkpoint::barriers::BarrierEvent;
use crate::exchange::channel::channel;
use crate::exchange::{Gate, KeyHasher, Partitioner, Partitioning, Router, RouterPlan};
use crate::metrics::Gauge;
use crate::operator::Input;
use crate::seam::Signal;
use crate::task::Step;
use crate::test_support::{self, ManualClock, Seen, recorder, task};

/// A record that knows its own history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
struct Record {
    upstream: u32,
    sequence: u64,
    key: u8,
    timestamp: Timestamp,
    /// The last watermark of its upstream before it.
    behind: Timestamp,
}

struct ByKey;

impl KeyHasher<Record> for ByKey {
    fn hash(&self, records: &[Record], hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
        hashes.clear();
        hashes.extend(records.iter().map(|record| mix64(u64::from(record.key))));
        Ok(())
    }
}

#[derive(Clone, Debug)]
enum Act {
    Batch {
        keys: Vec<u8>,
        timed: bool,
    },
    Watermark {
        by: u8,
    },
    Flush,
    /// A downstream subtask takes this many steps.
    Read {
        downstream: u32,
        steps: u8,
    },
}

fn act() -> impl Strategy<Value = (u32, Act)> {
    let act = prop_oneof![
        4 => (prop::collection::vec(0..20u8, 1..40), any::<bool>())
            .prop_map(|(keys, timed)| Act::Batch { keys, timed }),
        2 => (1..10u8).prop_map(|by| Act::Watermark { by }),
        1 => Just(Act::Flush),
        3 => (0..4u32, 0..6u8).prop_map(|(downstream, steps)| Act::Read { downstream, steps }),
    ];
    (0..4u32, act)
}

fn partitioning() -> impl Strategy<Value = Partitioning> {
    use Partitioning::{Broadcast, Global, Hash, Rebalance, Rescale, Shuffle};
    prop::sample::select(vec![Broadcast, Global, Hash, Rebalance, Rescale, Shuffle])
}

struct Flow {
    routers: Vec<Router<Record>>,
    gates: Vec<Gate<Record>>,
    seen: Vec<test_support::Record<Record>>,
    sent: Vec<Record>,
    watermarks: Vec<Timestamp>,
}

impl Flow {
    fn new(partitioning: Partitioning, upstream: u32, downstream: u32) -> Self {
        let signal = Arc::new(Signal::new());
        let mut receivers: Vec<Vec<_>> = (0..downstream).map(|_| Vec::new()).collect();
        let mut routers = Vec::new();
        for from_subtask in 0..upstream {
            let mut senders = Vec::new();
            for to in partitioning.targets(from_subtask, upstream, downstream) {
                let (sender, receiver) = channel(Arc::clone(&signal), Arc::clone(&signal), false);
                senders.push(sender);
                receivers[to as usize].push(receiver);
            }
            let plan = RouterPlan {
                name: Arc::from("flow"),
                partitioning,
                from_subtask,
                downstream_parallelism: downstream,
                max_parallelism: MAX_PARALLELISM,
            };
            let task = task(Arc::new(ManualClock::default()));
            routers.push(Router::new(plan, Partitioner::Hash(Arc::new(ByKey)), senders, task.shared));
        }
        let (mut gates, mut seen) = (Vec::new(), Vec::new());
        for receivers in receivers {
            let (target, own) = recorder();
            gates.push(Gate::new(receivers, Gauge::default(), target));
            seen.push(own);
        }
        let watermarks = vec![MIN_WATERMARK; upstream as usize];
        Self { routers, gates, seen, sent: Vec::new(), watermarks }
    }

    fn act(&mut self, upstream: u32, act: Act) {
        let from = upstream as usize % self.routers.len();
        match act {
            Act::Batch { keys, timed } => {
                let mut batch = Batch::new();
                for key in keys {
                    let sequence = self.sent.len() as u64;
                    let timestamp = if timed { sequence as Timestamp } else { NO_TIMESTAMP };
                    let behind = self.watermarks[from];
                    let record = Record { upstream: from as u32, sequence, key, timestamp, behind };
                    self.sent.push(record);
                    batch.push(record, timestamp);
                }
                self.routers[from].batch(&mut batch).unwrap();
                assert!(batch.is_empty());
            }
            Act::Watermark { by } => {
                let watermark = self.watermarks[from].max(0) + Timestamp::from(by);
                self.watermarks[from] = watermark;
                self.routers[from].watermark(watermark).unwrap();
            }
            Act::Flush => self.routers[from].flush().unwrap(),
            Act::Read { downstream, steps } => {
                let to = downstream as usize % self.gates.len();
                for _ in 0..steps {
                    self.gates[to].step().unwrap();
                }
            }
        }
    }

    fn finish(&mut self) {
        for router in &mut self.routers {
            router.finish().unwrap();
            router.end().unwrap();
        }
        for gate in &mut self.gates {
            let mut data_ended = false;
            loop {
                match gate.step().unwrap() {
                    Step::Progress => assert!(!data_ended, "records behind the last"),
                    Step::EndOfData => assert!(!std::mem::replace(&mut data_ended, true), "told twice"),
                    Step::Barrier(BarrierEvent::ChannelEnded { .. }) => {}
                    Step::Finished => break assert!(data_ended || gate.channel_count() == 0),
                    other => panic!("a flow without checkpoints: {other:?}"),
                }
            }
        }
    }

    /// Checks order, timestamps, hashes and watermarks of one downstream subtask and returns its records.
    fn check(&self, downstream: usize, hashed: bool) -> Vec<Record> {
        let (mut all, mut watermark) = (Vec::new(), MIN_WATERMARK);
        let mut last: BTreeMap<u32, u64> = BTreeMap::new();
        for seen in self.seen[downstream].borrow().iter() {
            match seen {
                Seen::Watermark(next) => {
                    assert!(*next > watermark, "a watermark never goes back");
                    watermark = *next;
                }
                Seen::Batch(batch) => {
                    for (index, record) in batch.records.iter().enumerate() {
                        assert_eq!(batch.timestamp(index), record.timestamp);
                        assert!(record.behind >= watermark, "watermark {watermark} has overtaken {record:?}");
                        let before = last.insert(record.upstream, record.sequence);
                        assert!(before.is_none_or(|before| before < record.sequence), "out of order");
                        if hashed {
                            assert_eq!(batch.hashes[index], mix64(u64::from(record.key)));
                        }
                    }
                    all.extend_from_slice(&batch.records);
                }
                Seen::Status(_) | Seen::Finish => {}
            }
        }
        all
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn nothing_is_lost_doubled_disordered_or_overtaken_by_a_watermark(
        partitioning in partitioning(),
        upstream in 1..=4u32,
        downstream in 1..=4u32,
        acts in prop::collection::vec(act(), 0..60),
    ) {
        let mut flow = Flow::new(partitioning, upstream, downstream);
        for (upstream, act) in acts {
            flow.act(upstream, act);
        }
        flow.finish();
        let hashed = partitioning == Partitioning::Hash;
        let received: Vec<Vec<Record>> =
            (0..downstream as usize).map(|to| flow.check(to, hashed)).collect();
        if hashed {
            let mut owner: BTreeMap<u8, usize> = BTreeMap::new();
            for (to, records) in received.iter().enumerate() {
                for record in records {
                    prop_assert_eq!(*owner.entry(record.key).or_insert(to), to);
                }
            }
        }
        let copies = if partitioning == Partitioning::Broadcast { downstream as usize } else { 1 };
        let mut expected: Vec<Record> = flow.sent.iter().flat_map(|record| vec![*record; copies]).collect();
        let mut actual = received.concat();
        expected.sort_unstable();
        actual.sort_unstable();
        prop_assert_eq!(actual, expected);
    }
}
