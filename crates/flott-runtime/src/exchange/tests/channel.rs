//! The bounded channel.

use std::sync::Arc;
use std::time::Duration;

use flott_core::Batch;
use flott_core::batch::BATCH_RECORDS;

use crate::checkpoint::options::{Alignment, Barrier};
use crate::exchange::channel::{
    CHANNEL_BYTES, CHANNEL_RECORDS, Element, OVERDRAFT, Receiver, Sender, channel,
};
use crate::seam::{Signal, spawn};

fn pair() -> (Sender<u64>, Receiver<u64>) {
    channel(Arc::new(Signal::new()), Arc::new(Signal::new()), false)
}

fn batch(records: usize) -> Batch<u64> {
    Batch::of((0..records as u64).collect())
}

fn fill(sender: &Sender<u64>) {
    for _ in 0..CHANNEL_RECORDS / BATCH_RECORDS {
        assert!(sender.try_send(batch(BATCH_RECORDS), 8 * BATCH_RECORDS).is_ok());
    }
}

fn received(receiver: &mut Receiver<u64>) -> String {
    match receiver.try_recv() {
        None => "nothing".to_owned(),
        Some(Element::Batch(batch)) => format!("{} records", batch.len()),
        Some(other) => format!("{other:?}"),
    }
}

#[test]
fn a_channel_full_of_records_gives_the_batch_back() {
    let (sender, mut receiver) = pair();
    fill(&sender);
    assert_eq!(sender.try_send(batch(3), 24), Err(batch(3)));
    receiver.try_recv();
    assert!(sender.try_send(batch(3), 24).is_ok());
}

#[test]
fn a_channel_full_of_bytes_gives_the_batch_back() {
    let (sender, _receiver) = pair();
    assert!(sender.try_send(batch(1), CHANNEL_BYTES).is_ok());
    assert_eq!(sender.try_send(batch(1), 1), Err(batch(1)));
}

#[test]
fn an_empty_channel_takes_a_batch_of_any_size() {
    let (sender, mut receiver) = pair();
    assert!(sender.try_send(batch(3 * CHANNEL_RECORDS), 3 * CHANNEL_BYTES).is_ok());
    assert_eq!(sender.try_send(batch(1), 8), Err(batch(1)));
    assert_eq!(received(&mut receiver), format!("{} records", 3 * CHANNEL_RECORDS));
    assert!(sender.try_send(batch(1), 8).is_ok());
}

#[test]
fn a_control_element_enters_a_full_channel() {
    let (sender, mut receiver) = pair();
    fill(&sender);
    sender.send_control(Element::Watermark(7));
    sender.send_control(Element::EndOfInput);
    for _ in 0..CHANNEL_RECORDS / BATCH_RECORDS {
        assert_eq!(received(&mut receiver), format!("{BATCH_RECORDS} records"));
    }
    assert_eq!(received(&mut receiver), "Watermark(7)");
    assert_eq!(received(&mut receiver), "EndOfInput");
    assert_eq!(received(&mut receiver), "nothing");
}

#[test]
fn a_watermark_directly_behind_another_replaces_it() {
    let (sender, mut receiver) = pair();
    for watermark in [1, 2, 3] {
        sender.send_control(Element::Watermark(watermark));
    }
    assert!(sender.try_send(batch(1), 8).is_ok());
    sender.send_control(Element::Watermark(4));
    let all: Vec<_> = (0..4).map(|_| received(&mut receiver)).collect();
    assert_eq!(all, ["Watermark(3)", "1 records", "Watermark(4)", "nothing"]);
}

#[test]
fn a_waiting_sender_is_woken_at_half_empty_and_not_before() {
    let signal = Arc::new(Signal::new());
    let (sender, mut receiver) = channel(Arc::clone(&signal), Arc::new(Signal::new()), false);
    fill(&sender);
    assert!(sender.try_send(batch(1), 8).is_err());
    for _ in 0..CHANNEL_RECORDS / BATCH_RECORDS / 2 - 1 {
        receiver.try_recv();
        assert!(!signal.is_raised());
    }
    receiver.try_recv();
    assert!(signal.is_raised());
}

#[test]
fn a_sender_that_does_not_wait_is_not_woken() {
    let signal = Arc::new(Signal::new());
    let (sender, mut receiver) = channel(Arc::clone(&signal), Arc::new(Signal::new()), false);
    fill(&sender);
    while receiver.try_recv().is_some() {}
    assert!(!signal.is_raised());
}

#[test]
fn the_receiver_is_woken_by_records_and_by_control_elements() {
    let signal = Arc::new(Signal::new());
    let (sender, _receiver) = channel::<u64>(Arc::new(Signal::new()), Arc::clone(&signal), false);
    assert!(sender.try_send(batch(1), 8).is_ok());
    assert!(signal.is_raised());
    signal.wait(None);
    assert!(!signal.is_raised());
    sender.send_control(Element::Watermark(1));
    assert!(signal.is_raised());
}

#[test]
fn a_sender_whose_receiver_is_gone_is_woken_and_may_send_into_nothing() {
    let signal = Arc::new(Signal::new());
    let (sender, receiver) = channel(Arc::clone(&signal), Arc::new(Signal::new()), false);
    fill(&sender);
    assert!(sender.try_send(batch(1), 8).is_err());
    drop(receiver);
    assert!(signal.is_raised());
    assert_eq!(sender.try_send(batch(1), 8), Ok(Batch::new()));
    sender.send_control(Element::EndOfInput);
}

#[test]
fn an_emptied_batch_comes_back_to_the_sender() {
    let (sender, mut receiver) = pair();
    assert!(sender.try_send(batch(100), 800).is_ok());
    let Some(Element::Batch(received)) = receiver.try_recv() else { panic!("a batch was sent") };
    let allocation = received.records.as_ptr();
    receiver.recycle(received);
    assert!(receiver.try_recv().is_none());
    assert!(sender.try_send(batch(1), 8).is_ok());
    receiver.try_recv();
    let spare = sender.try_send(batch(1), 8).unwrap();
    assert!(spare.is_empty());
    assert_eq!(spare.records.as_ptr(), allocation);
}

#[test]
fn two_threads_that_sleep_whenever_they_can_never_oversleep() {
    const BATCHES: usize = 20_000;
    let (up, down) = (Arc::new(Signal::new()), Arc::new(Signal::new()));
    let (sender, mut receiver) = channel(Arc::clone(&up), Arc::clone(&down), false);
    let producer = spawn("producer".to_owned(), move || {
        up.adopt();
        for _ in 0..BATCHES {
            let mut next = batch(700);
            while let Err(refused) = sender.try_send(next, 5_600) {
                next = refused;
                up.wait(Some(LIMIT));
            }
        }
        sender.send_control(Element::EndOfInput);
    })
    .unwrap();
    down.adopt();
    let mut records = 0;
    loop {
        match receiver.try_recv() {
            Some(Element::Batch(batch)) => {
                records += batch.len();
                receiver.recycle(batch);
            }
            Some(_) => break,
            None => down.wait(Some(LIMIT)),
        }
    }
    producer.join().unwrap();
    assert_eq!(records, BATCHES * 700);
}

/// A lost wake-up turns into a test that takes for ever.
const LIMIT: Duration = Duration::from_secs(3_600);

fn barrier(alignment: Alignment) -> Element<u64> {
    let mut barrier = Barrier::aligned(1);
    barrier.options.alignment = alignment;
    Element::Barrier(barrier)
}

fn responsive() -> (Arc<Signal>, Arc<Signal>, Sender<u64>, Receiver<u64>) {
    let (up, down) = (Arc::new(Signal::new()), Arc::new(Signal::new()));
    let (sender, receiver) = channel(Arc::clone(&up), Arc::clone(&down), true);
    (up, down, sender, receiver)
}

fn thousand() -> Batch<u64> {
    Batch::of(vec![0; BATCH_RECORDS])
}

#[test]
fn a_sender_is_told_that_a_channel_is_full_and_when_it_has_room() {
    let (up, _, sender, mut receiver) = responsive();
    for sent in 0..CHANNEL_RECORDS / BATCH_RECORDS {
        assert!(!up.outputs_are_full(), "after {sent} batches");
        assert!(sender.try_send(thousand(), 8).is_ok());
    }
    assert!(up.outputs_are_full());
    for left in (0..CHANNEL_RECORDS / BATCH_RECORDS).rev() {
        assert!(receiver.try_recv().is_some());
        assert_eq!(up.outputs_are_full(), left > CHANNEL_RECORDS / BATCH_RECORDS / 2, "{left} batches left");
    }
    assert!(up.is_raised());
}

#[test]
fn what_one_call_emits_beyond_the_bound_enters_up_to_four_times_of_it() {
    let (_, _, sender, _receiver) = responsive();
    for sent in 0..OVERDRAFT * CHANNEL_RECORDS / BATCH_RECORDS {
        assert!(sender.try_send(thousand(), 8).is_ok(), "after {sent} batches");
    }
    assert!(sender.try_send(thousand(), 8).is_err());
}

#[test]
fn a_full_channel_whose_receiver_is_gone_holds_nobody_up() {
    let (up, _, sender, receiver) = responsive();
    (0..CHANNEL_RECORDS / BATCH_RECORDS).for_each(|_| drop(sender.try_send(thousand(), 8)));
    assert!(up.outputs_are_full());
    drop(receiver);
    assert!(!up.outputs_are_full());
}

#[test]
fn a_barrier_enters_a_full_channel_behind_a_last_batch_and_is_announced_if_it_may_overtake() {
    for (alignment, announced) in [
        (Alignment::Aligned, false),
        (Alignment::AtLeastOnce, false),
        (Alignment::AlignedWithTimeout { timeout_ms: 5 }, true),
        (Alignment::Unaligned, true),
    ] {
        let (_, down, sender, mut receiver) = responsive();
        while sender.try_send(thousand(), 8).is_ok() {}
        let _ = sender.send_behind(Batch::of(vec![7]), 8, barrier(alignment));
        assert_eq!(down.take_announcement(), announced);
        assert!(!down.take_announcement());
        assert_eq!(receiver.take_announced().is_some(), announced);
        assert!(receiver.take_announced().is_none());
        let mut elements: Vec<_> = std::iter::from_fn(|| receiver.try_recv()).collect();
        assert!(matches!(elements.pop(), Some(Element::Barrier(_))));
        assert!(matches!(elements.pop(), Some(Element::Batch(batch)) if batch.records == [7]));
    }
}

#[test]
fn what_lies_before_a_barrier_is_shown_and_stays() {
    let (_, _, sender, mut receiver) = responsive();
    let shown = |receiver: &mut Receiver<u64>| {
        let mut shown = Vec::new();
        let show = |element: &Element<u64>| {
            // The sender goes on meanwhile.
            assert!(sender.try_send(Batch::of(vec![9]), 8).is_ok());
            if let Element::Batch(batch) = element {
                shown.extend_from_slice(&batch.records);
            }
            Ok::<(), ()>(())
        };
        receiver.before_barrier(1, show).unwrap();
        shown
    };
    assert!(sender.try_send(Batch::of(vec![1]), 8).is_ok());
    assert_eq!(shown(&mut receiver), [], "there is no barrier yet");
    sender.send_control(Element::Watermark(5));
    assert!(sender.try_send(Batch::of(vec![2]), 8).is_ok());
    let _ = sender.send_behind(Batch::new(), 0, barrier(Alignment::Unaligned));
    assert!(sender.try_send(Batch::of(vec![3]), 8).is_ok());
    assert_eq!(shown(&mut receiver), [1, 2]);
    let records = std::iter::from_fn(|| receiver.try_recv());
    let records =
        records.filter_map(|element| if let Element::Batch(b) = element { Some(b.records) } else { None });
    assert_eq!(records.flatten().collect::<Vec<_>>(), [1, 2, 3, 9, 9, 9]);
}

#[test]
fn what_is_put_back_comes_first_and_counts() {
    let (_, _, sender, mut receiver) = responsive();
    assert!(sender.try_send(Batch::of(vec![1, 2, 3]), 24).is_ok());
    let Some(Element::Batch(mut batch)) = receiver.try_recv() else { panic!("there is a batch") };
    assert_eq!(receiver.received_bytes(), 24);
    receiver.take_back(batch.split_off(1), 16);
    assert_eq!(receiver.received_bytes(), 8);
    receiver.put_back([(Element::Watermark(4), 0), (Element::Batch(Batch::of(vec![0])), 8)].into_iter());
    assert!(matches!(receiver.try_recv(), Some(Element::Watermark(4))));
    assert!(matches!(receiver.try_recv(), Some(Element::Batch(batch)) if batch.records == [0]));
    assert!(matches!(receiver.try_recv(), Some(Element::Batch(batch)) if batch.records == [2, 3]));
    assert!(receiver.try_recv().is_none());
    assert_eq!(receiver.received_bytes(), 32);
}
