//! Who gets which record.

use std::sync::Arc;

use flott_core::batch::{BATCH_BYTES, BATCH_RECORDS};
use flott_core::encoding::EncodeError;
use flott_core::hash::mix64;
use flott_core::key_group::{KeyGroupRange, key_place};
use flott_core::time::NO_TIMESTAMP;
use flott_core::watermark::StreamStatus;
use flott_core::{Batch, Data};

use crate::checkpoint::options::Barrier;
use crate::error::{ChainError, ChainResult};
use crate::exchange::channel::{Element, Receiver, channel};
use crate::exchange::{KeyHasher, Partitioner, Partitioning, Router, RouterPlan};
use crate::operator::Input;
use crate::seam::{Signal, SystemClock, spawn};
use crate::snapshot::{CheckpointNotice, TaskSnapshot};
use crate::test_support::{TestTask, task};

pub(super) const MAX_PARALLELISM: u32 = 128;

/// Numbers that are their own keys.
pub(super) struct ByValue;

impl KeyHasher<u64> for ByValue {
    fn hash(&self, records: &[u64], hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
        hashes.clear();
        hashes.extend(records.iter().map(|record| mix64(*record)));
        Ok(())
    }
}

struct Bench<T> {
    router: Router<T>,
    receivers: Vec<Receiver<T>>,
    task: TestTask,
}

fn bench<T: Data>(partitioning: Partitioning, partitioner: Partitioner<T>, downstream: u32) -> Bench<T> {
    let task = task(Arc::new(SystemClock::new()));
    let targets = partitioning.targets(0, 1, downstream);
    let ends = targets.iter().map(|_| channel(Arc::clone(&task.signal), Arc::new(Signal::new()), false));
    let (senders, receivers) = ends.unzip();
    let plan = RouterPlan {
        name: Arc::from("b (partitioning)"),
        partitioning,
        from_subtask: 0,
        downstream_parallelism: downstream,
        max_parallelism: MAX_PARALLELISM,
    };
    Bench { router: Router::new(plan, partitioner, senders, task.shared.clone()), receivers, task }
}

impl<T: Data> Bench<T> {
    fn send(&mut self, mut batch: Batch<T>) -> ChainResult {
        self.router.batch(&mut batch)
    }

    /// All that has arrived at a target, as one batch, and the sizes of the batches it came in.
    fn received(&mut self, target: usize) -> (Batch<T>, Vec<usize>) {
        let (mut all, mut sizes) = (Batch::new(), Vec::new());
        while let Some(element) = self.receivers[target].try_recv() {
            if let Element::Batch(mut batch) = element {
                sizes.push(batch.len());
                all.append(&mut batch);
            }
        }
        (all, sizes)
    }

    fn records(&mut self, target: usize) -> Vec<T> {
        self.received(target).0.records
    }
}

fn numbers(range: std::ops::Range<u64>) -> Batch<u64> {
    Batch::of(range.collect())
}

#[test]
fn hash_goes_to_the_owner_of_the_keys_group_and_the_hash_rides_along() {
    for parallelism in [1, 2, 3, 5, 8, 127, 128] {
        let mut bench = bench(Partitioning::Hash, Partitioner::Hash(Arc::new(ByValue)), parallelism);
        bench.send(numbers(0..500)).unwrap();
        bench.router.flush().unwrap();
        let mut count = 0;
        for target in 0..parallelism {
            let own = KeyGroupRange::of_subtask(target, parallelism, MAX_PARALLELISM);
            let (batch, _) = bench.received(target as usize);
            let hashes: Vec<u64> = batch.records.iter().map(|record| mix64(*record)).collect();
            assert_eq!(batch.hashes, hashes);
            assert!(hashes.iter().all(|hash| own.contains(key_place(*hash, MAX_PARALLELISM).group)));
            count += batch.len();
        }
        assert_eq!(count, 500, "parallelism {parallelism}");
    }
}

#[test]
fn rebalance_is_even_over_few_records() {
    let mut bench = bench(Partitioning::Rebalance, Partitioner::Plain, 3);
    for record in 0..9 {
        bench.send(numbers(record..record + 1)).unwrap();
    }
    bench.router.flush().unwrap();
    let mut all = Vec::new();
    for target in 0..3 {
        let records = bench.records(target);
        assert_eq!(records.len(), 3);
        all.extend(records);
    }
    all.sort_unstable();
    assert_eq!(all, (0..9).collect::<Vec<_>>());
}

#[test]
fn shuffle_loses_nothing_and_leaves_nobody_out() {
    let mut bench = bench(Partitioning::Shuffle, Partitioner::Plain, 4);
    bench.send(numbers(0..1_000)).unwrap();
    bench.router.flush().unwrap();
    let counts: Vec<usize> = (0..4).map(|target| bench.records(target).len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 1_000);
    assert!(counts.iter().all(|count| (150..350).contains(count)), "{counts:?}");
}

#[test]
fn broadcast_reaches_all() {
    let mut bench = bench(Partitioning::Broadcast, Partitioner::Plain, 3);
    bench.send(numbers(0..5)).unwrap();
    bench.router.flush().unwrap();
    for target in 0..3 {
        assert_eq!(bench.records(target), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn custom_goes_where_the_function_says() {
    let by_remainder =
        Partitioner::Custom(Arc::new(|record: &u64, targets| (*record % u64::from(targets)) as u32));
    let mut bench = bench(Partitioning::Custom, by_remainder, 2);
    bench.send(numbers(0..5)).unwrap();
    bench.router.flush().unwrap();
    assert_eq!(bench.records(0), [0, 2, 4]);
    assert_eq!(bench.records(1), [1, 3]);
}

#[test]
fn custom_out_of_range_is_an_error() {
    let mut bench = bench(Partitioning::Custom, Partitioner::Custom(Arc::new(|_: &u64, targets| targets)), 2);
    let Err(ChainError::Failed { operator, cause }) = bench.send(numbers(0..1)) else {
        panic!("it must fail")
    };
    assert_eq!(operator, "b (partitioning)");
    assert_eq!(cause.to_string(), "the partitioner named subtask 2, but there are 2: it must be below that");
}

#[test]
fn a_key_that_cannot_be_encoded_is_an_error() {
    struct Refuses;
    impl KeyHasher<u64> for Refuses {
        fn hash(&self, _records: &[u64], _hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
            Err(serde::ser::Error::custom("no key"))
        }
    }
    let mut bench = bench(Partitioning::Hash, Partitioner::Hash(Arc::new(Refuses)), 2);
    let Err(ChainError::Failed { operator, cause }) = bench.send(numbers(0..1)) else {
        panic!("it must fail")
    };
    assert_eq!(operator, "b (partitioning)");
    assert!(cause.to_string().contains("no key"), "{cause}");
}

#[test]
fn batches_leave_when_they_are_full() {
    let mut bench = bench(Partitioning::Rebalance, Partitioner::Plain, 2);
    bench.send(numbers(0..2 * BATCH_RECORDS as u64 + 10)).unwrap();
    assert_eq!(bench.received(0).1, [BATCH_RECORDS]);
    assert_eq!(bench.received(1).1, [BATCH_RECORDS]);
    bench.router.flush().unwrap();
    assert_eq!(bench.received(0).1, [5]);
    assert_eq!(bench.task.metrics.batches_out.get(), 4);
}

#[test]
fn batches_of_large_records_stay_small() {
    let large = "x".repeat(BATCH_BYTES / 4);
    let mut bench = bench(Partitioning::Rebalance, Partitioner::Plain, 2);
    let mut largest_after_first = 0;
    for round in 0..40 {
        bench.send(Batch::of(vec![large.clone(); 4])).unwrap();
        for target in 0..2 {
            let (_, sizes) = bench.received(target);
            assert!(sizes.iter().all(|size| *size <= 32), "nothing was measured yet, but {sizes:?}");
            if round > 20 {
                largest_after_first = sizes.into_iter().max().unwrap_or(0).max(largest_after_first);
            }
        }
    }
    assert!((1..=4).contains(&largest_after_first), "{largest_after_first} records of a quarter batch");
}

#[test]
fn timestamps_stay_with_their_records_also_when_only_some_batches_have_them() {
    let mut bench = bench(Partitioning::Rebalance, Partitioner::Plain, 2);
    let timed = |range: std::ops::Range<u64>| Batch {
        timestamps: range.clone().map(|record| 100 + record as i64).collect(),
        ..numbers(range)
    };
    bench.send(timed(0..5)).unwrap();
    bench.send(numbers(5..10)).unwrap();
    bench.send(timed(10..15)).unwrap();
    bench.router.flush().unwrap();
    let mut count = 0;
    for target in 0..2 {
        let (batch, _) = bench.received(target);
        for (index, record) in batch.records.iter().enumerate() {
            let expected = if (5..10).contains(record) { NO_TIMESTAMP } else { 100 + *record as i64 };
            assert_eq!(batch.timestamp(index), expected, "record {record}");
            count += 1;
        }
    }
    assert_eq!(count, 15);
}

#[test]
fn what_is_pending_goes_before_a_watermark_a_status_a_barrier_and_the_end() {
    let mut bench = bench(Partitioning::Rebalance, Partitioner::Plain, 2);
    bench.send(numbers(0..2)).unwrap();
    bench.router.watermark(9).unwrap();
    bench.send(numbers(2..4)).unwrap();
    bench.router.status(StreamStatus::Idle).unwrap();
    bench.send(numbers(4..6)).unwrap();
    bench.router.snapshot(&mut TaskSnapshot::new(Barrier::aligned(1))).unwrap();
    bench.send(numbers(6..8)).unwrap();
    bench.router.notify(CheckpointNotice::Canceled(2)).unwrap();
    bench.router.notify(CheckpointNotice::Complete(1)).unwrap();
    bench.send(numbers(8..10)).unwrap();
    bench.router.finish().unwrap();
    bench.router.end().unwrap();
    for receiver in &mut bench.receivers {
        let mut kinds = Vec::new();
        while let Some(element) = receiver.try_recv() {
            kinds.push(match element {
                Element::Batch(_) => "records",
                Element::Watermark(_) => "watermark",
                Element::Status(_) => "status",
                Element::Barrier(_) => "barrier",
                Element::CancelBarrier(_) => "cancellation",
                Element::EndOfData => "end of data",
                Element::EndOfInput => "end",
            });
        }
        let records = ["records", "watermark", "records", "status", "records", "barrier", "records"];
        assert_eq!(kinds[..7], records);
        assert_eq!(kinds[7..], ["cancellation", "records", "end of data", "end"]);
    }
}

#[test]
fn a_full_channel_refuses_until_the_task_is_cancelled() {
    let mut bench = bench(Partitioning::Forward, Partitioner::Plain, 1);
    bench.task.canceled.store(true, std::sync::atomic::Ordering::Release);
    let ended = (0..100).find_map(|_| bench.send(numbers(0..BATCH_RECORDS as u64)).err());
    assert!(matches!(ended, Some(ChainError::Canceled)), "{ended:?}");
}

#[test]
fn a_wake_up_that_came_while_the_router_waited_for_room_is_not_lost() {
    const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
    let mut bench = bench(Partitioning::Forward, Partitioner::Plain, 1);
    for _ in 0..8 {
        bench.send(numbers(0..BATCH_RECORDS as u64)).unwrap();
    }
    let (mut receiver, metrics) = (bench.receivers.remove(0), Arc::clone(&bench.task.metrics));
    // It announces input, but the router's first wait takes it.
    bench.task.signal.wake();
    let reader = spawn("reader".to_owned(), move || {
        while metrics.back_pressured_ns.get() == 0 {
            std::thread::yield_now();
        }
        while receiver.try_recv().is_some() {}
        receiver
    })
    .unwrap();
    bench.send(numbers(0..BATCH_RECORDS as u64)).unwrap();
    bench.task.shared.wait_for_input(Some(LIMIT));
    assert!(u128::from(bench.task.metrics.idle_ns.get()) < LIMIT.as_nanos() / 2, "the task overslept");
    reader.join().unwrap();
}
