//! What passes through an exchange inside one task.

use std::sync::Arc;

use flott_core::Batch;
use flott_core::hash::mix64;
use flott_core::time::MIN_WATERMARK;
use flott_core::watermark::StreamStatus;

use super::router::ByValue;
use crate::exchange::{InlineExchange, Partitioner};
use crate::metrics::Gauge;
use crate::operator::Input;
use crate::test_support::{Seen, recorder};

fn batch() -> Batch<u64> {
    // Hashes of another key, as a keyed exchange before this one leaves them.
    Batch { records: vec![7, 8], timestamps: vec![70, 80], hashes: vec![1, 2] }
}

#[test]
fn everything_arrives_in_order_with_the_hashes_of_its_keys() {
    let (target, seen) = recorder();
    let watermark = Gauge::starting_at(MIN_WATERMARK);
    let hash = Partitioner::Hash(Arc::new(ByValue));
    let mut exchange = InlineExchange::new(Arc::from("b (partitioning)"), hash, watermark.clone(), target);
    exchange.batch(&mut batch()).unwrap();
    exchange.status(StreamStatus::Idle).unwrap();
    exchange.status(StreamStatus::Active).unwrap();
    exchange.watermark(75).unwrap();
    exchange.finish().unwrap();
    let hashed = Batch { hashes: vec![mix64(7), mix64(8)], ..batch() };
    let expected = [
        Seen::Batch(hashed),
        Seen::Status(StreamStatus::Idle),
        Seen::Status(StreamStatus::Active),
        Seen::Watermark(75),
        Seen::Finish,
    ];
    assert_eq!(*seen.borrow(), expected);
    assert_eq!(watermark.get(), 75);
}

#[test]
fn hashes_of_another_key_don_t_pass_an_exchange_without_key() {
    let (target, seen) = recorder();
    let name = Arc::from("b (partitioning)");
    let mut exchange = InlineExchange::new(name, Partitioner::Plain, Gauge::default(), target);
    exchange.batch(&mut batch()).unwrap();
    assert_eq!(*seen.borrow(), [Seen::Batch(Batch { hashes: Vec::new(), ..batch() })]);
}
