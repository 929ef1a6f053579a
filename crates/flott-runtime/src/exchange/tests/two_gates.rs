//! Two inputs of one operator, each with its channels.

use std::sync::Arc;

use flott_core::Batch;
use flott_core::time::MAX_WATERMARK;

use crate::checkpoint::barriers::BarrierEvent;
use crate::exchange::channel::{Element, Sender, channel};
use crate::exchange::{Gate, TwoGates};
use crate::metrics::Gauge;
use crate::seam::Signal;
use crate::task::{Head, Step};
use crate::test_support::{Record, Seen, shared_recorder};

struct Bench {
    first: Vec<Sender<u64>>,
    second: Vec<Sender<u64>>,
    gates: TwoGates,
    seen: Record<u64>,
}

/// Two inputs with as many channels, that lead to one record.
fn bench(first: usize, second: usize) -> Bench {
    let (down, seen) = (Arc::new(Signal::new()), Record::default());
    let gate = |channels: usize| {
        let ends = (0..channels).map(|_| channel(Arc::new(Signal::new()), Arc::clone(&down), false));
        let (senders, receivers): (Vec<_>, Vec<_>) = ends.unzip();
        (senders, Box::new(Gate::new(receivers, Gauge::default(), shared_recorder(&seen))))
    };
    let ((first, gate1), (second, gate2)) = (gate(first), gate(second));
    Bench { first, second, gates: TwoGates::new(gate1, gate2), seen }
}

impl Bench {
    fn drain(&mut self) -> Step {
        loop {
            match self.gates.step(0).unwrap() {
                Step::Progress => {}
                other => return other,
            }
        }
    }
}

fn send(sender: &Sender<u64>, record: u64) {
    assert!(sender.try_send(Batch::of(vec![record]), 8).is_ok());
}

fn record(record: u64) -> Seen<u64> {
    Seen::Batch(Batch::of(vec![record]))
}

#[test]
fn the_inputs_take_turns_however_many_channels_each_has() {
    let mut bench = bench(3, 1);
    for round in 0..2 {
        bench.first.iter().zip(0..).for_each(|(sender, channel)| send(sender, 10 * round + channel));
    }
    for number in 100..103 {
        send(&bench.second[0], number);
    }
    assert_eq!(bench.drain(), Step::Idle { retry_after: None });
    assert_eq!(*bench.seen.borrow(), [0, 100, 1, 101, 2, 102, 10, 11, 12].map(record));
}

#[test]
fn the_end_of_one_input_is_not_the_end_of_the_other() {
    let mut bench = bench(1, 2);
    bench.first[0].send_control(Element::EndOfData);
    bench.second[1].send_control(Element::EndOfData);
    assert_eq!(bench.drain(), Step::Idle { retry_after: None });
    assert_eq!(*bench.seen.borrow(), [Seen::Watermark(MAX_WATERMARK)]);
    send(&bench.second[0], 1);
    bench.second[0].send_control(Element::EndOfData);
    assert_eq!(bench.drain(), Step::EndOfData);
    bench.first[0].send_control(Element::EndOfInput);
    assert_eq!(bench.drain(), Step::Barrier(BarrierEvent::ChannelEnded { channel: 0 }));
    bench.second[1].send_control(Element::EndOfInput);
    assert_eq!(bench.drain(), Step::Barrier(BarrierEvent::ChannelEnded { channel: 2 }), "of both together");
    assert_eq!(bench.drain(), Step::Idle { retry_after: None });
    bench.second[0].send_control(Element::EndOfInput);
    assert_eq!(bench.drain(), Step::Barrier(BarrierEvent::ChannelEnded { channel: 1 }));
    assert_eq!(bench.drain(), Step::Finished);
    bench.gates.finish().unwrap();
    let maximum = Seen::Watermark(MAX_WATERMARK);
    assert_eq!(*bench.seen.borrow(), [maximum.clone(), record(1), maximum, Seen::Finish, Seen::Finish]);
}
