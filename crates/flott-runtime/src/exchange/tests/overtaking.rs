//! Gates that record what barriers overtake.

use std::sync::Arc;
use std::time::Duration;

use flott_core::Batch;

use crate::checkpoint::barriers::BarrierEvent;
use crate::checkpoint::options::{Alignment, Barrier};
use crate::error::ChainResult;
use crate::exchange::channel::{Element, Sender, channel};
use crate::exchange::in_flight::RestoredExchange;
use crate::exchange::{ChannelPlace, Gate, Overtaking, Partitioner, Partitioning, Share};
use crate::graph::OperatorId;
use crate::metrics::Gauge;
use crate::operator::Input;
use crate::seam::Signal;
use crate::task::Step;
use crate::test_support::{ManualClock, Record, Seen, recorder, task};

struct Bench {
    senders: Vec<Sender<u64>>,
    gate: Gate<u64>,
    seen: Record<u64>,
    down: Arc<Signal>,
}

/// A gate whose channels belong to one exchange.
fn bench(channels: u32, target: Option<Box<dyn Input<u64>>>, clock: Arc<ManualClock>) -> Bench {
    let task = task(clock);
    let down = Arc::new(Signal::new());
    let ends = (0..channels).map(|_| channel(Arc::new(Signal::new()), Arc::clone(&down), true));
    let (senders, receivers) = ends.unzip();
    let (recorder, seen) = recorder();
    let place = |from| ChannelPlace { exchange: OperatorId(7), partitioning: Partitioning::Rebalance, from };
    let overtaking = Overtaking::new("target", (0..channels).map(place).collect(), true, task.shared);
    let gate = Gate::new(receivers, Gauge::default(), target.unwrap_or(recorder));
    Bench { senders, gate: gate.with_overtaking(Some(overtaking)), seen, down }
}

fn plain(channels: u32) -> Bench {
    bench(channels, None, Arc::new(ManualClock::default()))
}

impl Bench {
    fn send(&self, channel: usize, record: u64) {
        assert!(self.senders[channel].try_send(Batch::of(vec![record]), 8).is_ok());
    }

    fn send_barrier(&self, channel: usize, checkpoint: u64) {
        let mut barrier = Barrier::aligned(checkpoint);
        barrier.options.alignment = Alignment::Unaligned;
        let _ = self.senders[channel].send_behind(Batch::new(), 0, Element::Barrier(barrier));
    }

    fn step(&mut self) -> Step {
        self.gate.step().unwrap()
    }

    fn processed(&self) -> Vec<u64> {
        let seen = self.seen.borrow();
        seen.iter()
            .flat_map(|seen| if let Seen::Batch(b) = seen { b.records.clone() } else { vec![] })
            .collect()
    }

    /// What was recorded of each channel.
    fn recorded(&mut self) -> Vec<Vec<u64>> {
        let channels = self.senders.len();
        let taken = self.gate.take_recorded(0);
        let states = taken.into_iter().map(|(exchange, state)| {
            assert_eq!(exchange, OperatorId(7));
            state
        });
        let receivers = vec![states.collect()];
        let exchange = RestoredExchange { receivers, senders: channels as u32, share: Share::All };
        let elements =
            exchange.elements(&Partitioner::<u64>::Plain, Partitioning::Rebalance, channels).unwrap();
        let records = |element| if let Element::Batch(batch) = element { batch.records } else { vec![] };
        elements.into_iter().map(|channel| channel.into_iter().flat_map(records).collect()).collect()
    }
}

#[test]
fn v8_7_8_what_comes_before_the_barrier_of_a_channel_is_recorded_and_processed() {
    let mut bench = plain(3);
    bench.send(0, 1);
    bench.send(1, 10);
    bench.send(2, 20);
    bench.send_barrier(0, 4);
    assert!(bench.down.take_announcement());
    let arrived = bench.gate.arrived();
    assert!(
        matches!(arrived, Some(BarrierEvent::Arrived { channel: 0, barrier }) if barrier.checkpoint == 4)
    );
    assert_eq!(bench.gate.arrived(), None);
    (0..3).for_each(|channel| bench.gate.record(channel));
    bench.gate.stop_recording(4, 0).unwrap();
    bench.send(0, 2);
    bench.send(1, 11);
    while bench.step() != (Step::Idle { retry_after: None }) {}
    bench.send(1, 12);
    bench.send_barrier(1, 4);
    bench.send(1, 13);
    bench.gate.stop_recording(4, 1).unwrap();
    bench.send(2, 21);
    bench.send_barrier(2, 4);
    // This barrier is met in its place, without having been announced.
    while bench.step() != (Step::Idle { retry_after: None }) {}
    bench.gate.stop_recording(4, 2).unwrap();
    assert_eq!(bench.recorded(), [vec![1], vec![10, 11, 12], vec![20, 21]]);
    let mut processed = bench.processed();
    processed.sort_unstable();
    assert_eq!(processed, [1, 2, 10, 11, 12, 13, 20, 21]);
    assert_eq!(bench.recorded(), [[], [], []], "it is taken once");
}

#[test]
fn what_was_recorded_for_a_checkpoint_that_is_given_up_is_forgotten() {
    let mut bench = plain(2);
    (0..2).for_each(|channel| bench.gate.record(channel));
    bench.send(0, 1);
    bench.step();
    bench.gate.forget_recorded();
    bench.send(1, 2);
    bench.step();
    bench.gate.stop_recording(1, 1).unwrap();
    assert_eq!(bench.recorded(), [[], []]);
    // The next one begins anew.
    bench.gate.record(0);
    bench.send(0, 3);
    bench.step();
    assert_eq!(bench.recorded(), [vec![3], vec![]]);
}

/// Takes a tenth of a second for each record.
struct Slow(Arc<ManualClock>, Box<dyn Input<u64>>);

impl Input<u64> for Slow {
    fn batch(&mut self, batch: &mut Batch<u64>) -> ChainResult {
        self.0.advance(Duration::from_millis(100) * batch.len() as u32);
        self.1.batch(batch)
    }
    fn watermark(&mut self, watermark: flott_core::time::Timestamp) -> ChainResult {
        self.1.watermark(watermark)
    }
    fn status(&mut self, status: flott_core::watermark::StreamStatus) -> ChainResult {
        self.1.status(status)
    }
    fn flush(&mut self) -> ChainResult {
        Ok(())
    }
    fn open(&mut self) -> ChainResult {
        Ok(())
    }
    fn processing_time(&mut self, _now: flott_core::time::Timestamp) -> ChainResult {
        Ok(())
    }
    fn next_timer(&self) -> Option<flott_core::time::Timestamp> {
        None
    }
    fn snapshot(&mut self, _snapshot: &mut crate::snapshot::TaskSnapshot) -> ChainResult {
        Ok(())
    }
    fn drain_snapshot(&mut self, _work: &mut crate::snapshot::SnapshotWork<'_>) -> ChainResult<bool> {
        Ok(true)
    }
    fn abort_snapshot(&mut self) {}
    fn notify(&mut self, _notice: crate::snapshot::CheckpointNotice) -> ChainResult {
        Ok(())
    }
    fn finish(&mut self) -> ChainResult {
        Ok(())
    }
    fn end(&mut self) -> ChainResult {
        Ok(())
    }
    fn close(&mut self) -> ChainResult {
        Ok(())
    }
}

#[test]
fn a_batch_that_takes_long_is_cut_so_that_a_barrier_waits_for_little_of_it_and_the_rest_is_recorded() {
    let clock = Arc::new(ManualClock::default());
    let (recorder, seen) = recorder();
    let target = Box::new(Slow(Arc::clone(&clock), recorder));
    let mut bench = bench(1, Some(target), clock);
    bench.seen = seen;
    let records: Vec<u64> = (0..100).collect();
    assert!(bench.senders[0].try_send(Batch::of(records.clone()), 800).is_ok());
    // How long they take is learnt from the first few.
    bench.step();
    assert_eq!(bench.processed().len(), 16);
    bench.step();
    assert_eq!(bench.processed().len(), 17);
    bench.send_barrier(0, 1);
    bench.gate.record(0);
    bench.gate.stop_recording(1, 0).unwrap();
    assert_eq!(bench.recorded(), [&records[17..]]);
    while bench.step() == Step::Progress {}
    assert_eq!(bench.processed(), records);
    assert_eq!(bench.gate.received_bytes(), 800);
}
