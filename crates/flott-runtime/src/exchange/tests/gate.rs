//! The merging of channels.

use std::sync::Arc;

use flott_core::Batch;
use flott_core::time::MAX_WATERMARK;
use flott_core::watermark::StreamStatus;

use crate::checkpoint::barriers::BarrierEvent;
use crate::checkpoint::options::Barrier;
use crate::exchange::Gate;
use crate::exchange::channel::{Element, Sender, channel};
use crate::metrics::Gauge;
use crate::seam::Signal;
use crate::task::Step;
use crate::test_support::{Record, Seen, recorder};

struct Bench {
    senders: Vec<Sender<u64>>,
    gate: Gate<u64>,
    watermark: Gauge,
    seen: Record<u64>,
}

fn bench(channels: usize) -> Bench {
    let down = Arc::new(Signal::new());
    let ends = (0..channels).map(|_| channel(Arc::new(Signal::new()), Arc::clone(&down), false));
    let (senders, receivers) = ends.unzip();
    let (target, seen) = recorder();
    let watermark = Gauge::default();
    Bench { senders, gate: Gate::new(receivers, watermark.clone(), target), watermark, seen }
}

impl Bench {
    fn send(&self, channel: usize, record: u64) {
        assert!(self.senders[channel].try_send(Batch::of(vec![record]), 8).is_ok());
    }

    fn drain(&mut self) -> Step {
        loop {
            match self.gate.step().unwrap() {
                Step::Progress => {}
                other => return other,
            }
        }
    }
}

fn record(record: u64) -> Seen<u64> {
    Seen::Batch(Batch::of(vec![record]))
}

#[test]
fn channels_take_turns_one_batch_at_a_time() {
    let mut bench = bench(3);
    for round in 0..2 {
        bench.send(0, round);
        bench.send(2, 20 + round);
    }
    bench.send(0, 2);
    assert_eq!(bench.drain(), Step::Idle { retry_after: None });
    assert_eq!(*bench.seen.borrow(), [0, 20, 1, 21, 2].map(record));
}

#[test]
fn the_watermark_is_the_least_of_the_channels() {
    let mut bench = bench(2);
    bench.senders[0].send_control(Element::Watermark(10));
    bench.drain();
    assert!(bench.seen.borrow().is_empty());
    bench.senders[1].send_control(Element::Watermark(5));
    bench.drain();
    bench.senders[1].send_control(Element::Watermark(20));
    bench.drain();
    assert_eq!(*bench.seen.borrow(), [Seen::Watermark(5), Seen::Watermark(10)]);
    assert_eq!(bench.watermark.get(), 10);
}

#[test]
fn an_idle_channel_does_not_hold_the_watermark_back() {
    let mut bench = bench(2);
    bench.senders[0].send_control(Element::Watermark(10));
    bench.senders[1].send_control(Element::Status(StreamStatus::Idle));
    bench.drain();
    assert_eq!(*bench.seen.borrow(), [Seen::Watermark(10)]);
    bench.senders[0].send_control(Element::Status(StreamStatus::Idle));
    bench.drain();
    assert_eq!(bench.seen.borrow().last(), Some(&Seen::Status(StreamStatus::Idle)));
}

#[test]
fn the_input_ends_when_all_channels_have_ended() {
    let mut bench = bench(2);
    bench.senders[1].send_control(Element::EndOfData);
    bench.senders[1].send_control(Element::EndOfInput);
    assert_eq!(bench.drain(), Step::Barrier(BarrierEvent::ChannelEnded { channel: 1 }));
    assert_eq!(bench.drain(), Step::Idle { retry_after: None });
    bench.send(0, 1);
    bench.senders[0].send_control(Element::EndOfData);
    assert_eq!(bench.drain(), Step::EndOfData);
    assert_eq!(bench.drain(), Step::Idle { retry_after: None }, "a barrier may follow");
    bench.senders[0].send_control(Element::EndOfInput);
    assert_eq!(bench.drain(), Step::Barrier(BarrierEvent::ChannelEnded { channel: 0 }));
    assert_eq!(bench.gate.step().unwrap(), Step::Finished);
    assert_eq!(bench.gate.step().unwrap(), Step::Finished);
    assert_eq!(*bench.seen.borrow(), [record(1), Seen::Watermark(MAX_WATERMARK)]);
}

#[test]
fn an_input_without_channels_ends_at_once() {
    let mut bench = bench(0);
    assert_eq!(bench.drain(), Step::EndOfData);
    assert_eq!(bench.drain(), Step::Finished);
}

#[test]
fn a_blocked_channel_waits_behind_its_barrier_and_the_others_go_on() {
    let mut bench = bench(2);
    bench.senders[0].send_control(Element::Barrier(Barrier::aligned(1)));
    bench.send(0, 1);
    bench.send(1, 2);
    let reached = |channel| Step::Barrier(BarrierEvent::Reached { channel, barrier: Barrier::aligned(1) });
    assert_eq!(bench.drain(), reached(0));
    bench.gate.block(0);
    assert_eq!(bench.drain(), Step::Idle { retry_after: None });
    assert_eq!(*bench.seen.borrow(), [record(2)]);
    bench.senders[1].send_control(Element::Barrier(Barrier::aligned(1)));
    assert_eq!(bench.drain(), reached(1));
    bench.gate.unblock_all();
    assert_eq!(bench.drain(), Step::Idle { retry_after: None });
    assert_eq!(*bench.seen.borrow(), [record(2), record(1)]);
}
