//! Random interleavings of channels against a model: a snapshot is what was processed when it was taken and what was
//! recorded of the channels; it must hold exactly what lies before the barriers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::prelude::*;

use super::*;

/// What goes through a channel.
#[derive(Clone, Debug)]
enum Item {
    Record(u32),
    Barrier(u64),
}

#[derive(Default)]
struct Channel {
    /// What the sender has not sent.
    script: VecDeque<Item>,
    /// What was sent and is not processed.
    queue: VecDeque<Item>,
    processed: BTreeSet<u32>,
    blocked: bool,
    ended: bool,
    recording: Option<u64>,
}

/// What became of a checkpoint.
#[derive(Default)]
struct Snapshot {
    holds: BTreeSet<u32>,
    complete: bool,
    aborted: bool,
}

struct Model {
    task: Task,
    channels: Vec<Channel>,
    snapshots: BTreeMap<u64, Snapshot>,
}

impl Model {
    /// Each channel has the same barriers, with its own number of records before each and some behind the last; a
    /// channel of which `cut` says so ends before its last barrier.
    fn new(alignment: Alignment, kinds: &[ChannelKind], records: &[Vec<u32>], cut: &[bool]) -> Self {
        let mut record = 0;
        let channels = records.iter().zip(cut).map(|(counts, cut)| {
            let mut script = VecDeque::new();
            for (checkpoint, count) in (1..).zip(counts) {
                script.extend((record..record + count).map(Item::Record));
                record += count;
                script.push_back(Item::Barrier(checkpoint));
            }
            if *cut {
                script.pop_back();
            }
            Channel { script, ..Channel::default() }
        });
        Self { channels: channels.collect(), task: Task::new(alignment, kinds), snapshots: BTreeMap::new() }
    }

    /// Lets a sender send, or the task process, one item; says whether anything could be done.
    fn step(&mut self, index: usize, send: bool) -> bool {
        let channel = &mut self.channels[index];
        if send {
            let Some(item) = channel.script.pop_front() else { return false };
            channel.queue.push_back(item.clone());
            match (item, channel.recording) {
                (Item::Record(record), Some(checkpoint)) => self.record(checkpoint, record),
                (Item::Record(_), None) => {}
                (Item::Barrier(checkpoint), _) => {
                    let actions = self.task.arrived(index as u32, checkpoint);
                    self.perform(actions);
                }
            }
            return true;
        }
        if channel.blocked || channel.ended {
            return false;
        }
        match channel.queue.pop_front() {
            Some(Item::Record(record)) => {
                channel.processed.insert(record);
            }
            Some(Item::Barrier(checkpoint)) => {
                let actions = self.task.reached(index as u32, checkpoint);
                self.perform(actions);
            }
            None if channel.script.is_empty() => {
                channel.ended = true;
                let actions = self.task.ended(index as u32);
                self.perform(actions);
            }
            None => return false,
        }
        true
    }

    fn pass_time(&mut self, by_ms: u64) {
        self.task.now_ms += by_ms;
        let actions = self.task.handle(BarrierEvent::TimeAdvanced);
        self.perform(actions);
    }

    fn record(&mut self, checkpoint: u64, record: u32) {
        self.snapshots.entry(checkpoint).or_default().holds.insert(record);
    }

    fn perform(&mut self, actions: Vec<BarrierAction>) {
        for action in actions {
            match action {
                Block { channel } => self.channels[channel as usize].blocked = true,
                UnblockAll => self.channels.iter_mut().for_each(|channel| channel.blocked = false),
                BarrierAction::Snapshot { barrier } => self.snapshot(barrier),
                Record { checkpoint, channel } => {
                    let channel = &mut self.channels[channel as usize];
                    assert!(channel.recording.is_none(), "recorded for two checkpoints");
                    channel.recording = Some(checkpoint);
                    let before = channel
                        .queue
                        .iter()
                        .take_while(|item| !matches!(item, Item::Barrier(barrier) if *barrier >= checkpoint));
                    let records = before.filter_map(|item| match item {
                        Item::Record(record) => Some(*record),
                        Item::Barrier(_) => None,
                    });
                    for record in records.collect::<Vec<_>>() {
                        self.record(checkpoint, record);
                    }
                }
                StopRecording { checkpoint, channel } => {
                    assert_eq!(self.channels[channel as usize].recording.take(), Some(checkpoint));
                }
                RecordingComplete { checkpoint } => {
                    self.snapshots.entry(checkpoint).or_default().complete = true;
                }
                Abort { checkpoint, .. } => {
                    let snapshot = self.snapshots.entry(checkpoint).or_default();
                    assert!(!snapshot.complete && !snapshot.aborted, "{checkpoint} ended twice");
                    snapshot.aborted = true;
                }
            }
        }
    }

    fn snapshot(&mut self, barrier: Barrier) {
        let processed = self.channels.iter().flat_map(|channel| channel.processed.iter().copied());
        let snapshot = Snapshot {
            holds: processed.collect(),
            complete: barrier.options.alignment != UNALIGNED,
            aborted: false,
        };
        let before = self.snapshots.insert(barrier.checkpoint, snapshot);
        assert!(before.is_none(), "{} was taken twice", barrier.checkpoint);
    }

    /// Sends and processes what is left; nothing may be stuck.
    fn drain(&mut self) {
        loop {
            let mut moved = false;
            for index in 0..self.channels.len() {
                moved |= self.step(index, true);
                moved |= self.step(index, false);
            }
            if !moved {
                break;
            }
        }
        assert!(self.channels.iter().all(|channel| channel.ended), "a channel stays blocked");
        assert!(self.channels.iter().all(|channel| channel.recording.is_none()));
    }
}

/// The records before a checkpoint's barriers, and before the end of channels that have none.
fn expected(records: &[Vec<u32>], checkpoint: u64) -> BTreeSet<u32> {
    let (mut next, mut holds) = (0, BTreeSet::new());
    for counts in records {
        let before: u32 = counts.iter().take(checkpoint as usize).sum();
        holds.extend(next..next + before);
        next += counts.iter().sum::<u32>();
    }
    holds
}

const CHECKPOINTS: usize = 4;

prop_compose! {
    fn case()(channels in 1..5usize)(
        records in prop::collection::vec(prop::collection::vec(0..4u32, CHECKPOINTS), channels),
        cut in prop::collection::vec(any::<bool>(), channels),
        kinds in prop::collection::vec(prop_oneof![Just(ChannelKind::Overtakable), Just(ChannelKind::InOrder)], channels),
        steps in prop::collection::vec((0..channels, any::<bool>(), 0..400u64), 0..80),
        alignment in prop_oneof![Just(ALIGNED), Just(UNALIGNED), Just(TIMEOUT), Just(AT_LEAST_ONCE)],
    ) -> (Vec<Vec<u32>>, Vec<bool>, Vec<ChannelKind>, Vec<(usize, bool, u64)>, Alignment) {
        (records, cut, kinds, steps, alignment)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_snapshot_holds_exactly_the_records_before_the_barriers((records, cut, kinds, steps, alignment) in case()) {
        let mut model = Model::new(alignment, &kinds, &records, &cut);
        for (channel, send, by_ms) in steps {
            model.pass_time(by_ms);
            model.step(channel, send);
        }
        model.drain();
        let last = if cut.iter().all(|cut| *cut) { CHECKPOINTS - 1 } else { CHECKPOINTS };
        for checkpoint in 1..=last as u64 {
            let snapshot = model.snapshots.get(&checkpoint);
            prop_assert!(snapshot.is_some(), "barrier {checkpoint} was lost");
            let snapshot = snapshot.unwrap();
            prop_assert!(snapshot.complete != snapshot.aborted, "{checkpoint} has no end");
            let expected = expected(&records, checkpoint);
            match alignment {
                // Only where barriers overtake can a later one be first.
                ALIGNED => prop_assert!(snapshot.complete && snapshot.holds == expected),
                AT_LEAST_ONCE => prop_assert!(snapshot.complete && snapshot.holds.is_superset(&expected)),
                _ => prop_assert!(snapshot.aborted || snapshot.holds == expected),
            }
        }
    }

    #[test]
    fn no_order_of_events_panics(
        kinds in prop::collection::vec(prop_oneof![Just(ChannelKind::Overtakable), Just(ChannelKind::InOrder)], 0..4),
        events in prop::collection::vec((0..5u8, 0..5u32, 0..6u64, 0..2_000u64), 0..60),
        alignment in prop_oneof![Just(ALIGNED), Just(UNALIGNED), Just(TIMEOUT), Just(AT_LEAST_ONCE)],
    ) {
        let mut task = Task::new(alignment, &kinds);
        let mut taken = BTreeSet::new();
        for (what, channel, checkpoint, now_ms) in events {
            task.now_ms = now_ms;
            let barrier = barrier(checkpoint, alignment);
            let actions = task.handle(match what {
                0 => BarrierEvent::Arrived { channel, barrier },
                1 => BarrierEvent::Reached { channel, barrier },
                2 => BarrierEvent::Triggered { barrier },
                3 => BarrierEvent::Cancelled { checkpoint },
                _ => BarrierEvent::ChannelEnded { channel },
            });
            for action in actions {
                if let BarrierAction::Snapshot { barrier } = action {
                    prop_assert!(taken.insert(barrier.checkpoint), "taken twice");
                }
            }
        }
    }
}
