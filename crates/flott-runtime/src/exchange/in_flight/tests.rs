use std::sync::Arc;

use flott_core::encoding::EncodeError;
use flott_core::hash::key_hash;
use flott_core::key_group::subtask_of_group;

use super::*;
use crate::exchange::KeyHasher;

const GROUPS: u32 = 128;

/// The record is its key.
struct Itself;

impl KeyHasher<u64> for Itself {
    fn hash(&self, records: &[u64], hashes: &mut Vec<u64>) -> Result<(), EncodeError> {
        hashes.clear();
        for record in records {
            hashes.push(key_hash(record)?);
        }
        Ok(())
    }
}

fn keyed() -> Partitioner<u64> {
    Partitioner::Hash(Arc::new(Itself))
}

fn owner(record: u64, parallelism: u32) -> u32 {
    subtask_of_group(key_place(key_hash(&record).unwrap(), GROUPS).group, GROUPS, parallelism)
}

fn batch(records: &[u64]) -> Element<u64> {
    let timestamps = records.iter().map(|record| *record as i64 * 10).collect();
    Element::Batch(Batch { records: records.to_vec(), timestamps, hashes: Vec::new() })
}

/// What a receiver has recorded, with who has sent it.
fn recorded(partitioning: Partitioning, elements: &[(u32, Element<u64>)]) -> Vec<OperatorStateSnapshot> {
    let mut recorded = Recorded::default();
    for (from, element) in elements {
        let place = ChannelPlace { exchange: OperatorId(1), partitioning, from: *from };
        recorded.add(place, element).unwrap();
    }
    let states = recorded.take::<u64>();
    assert_eq!(recorded.bytes(), 0);
    states.into_iter().map(|(_, state)| state).collect()
}

/// The records and watermarks of each channel, in order; a watermark is told as text.
fn restored(
    restored: &RestoredExchange,
    partitioner: &Partitioner<u64>,
    partitioning: Partitioning,
    channels: usize,
) -> Vec<Vec<String>> {
    let channels = restored.elements(partitioner, partitioning, channels).unwrap();
    let tell = |element: Element<u64>| match element {
        Element::Batch(batch) => {
            assert!(batch.records.iter().zip(&batch.timestamps).all(|(n, at)| *at == *n as i64 * 10));
            if matches!(partitioner, Partitioner::Hash(_)) {
                let hashes: Vec<_> = batch.records.iter().map(|n| key_hash(n).unwrap()).collect();
                assert_eq!(batch.hashes, hashes, "the keys are hashed as a router does");
            }
            format!("{:?}", batch.records)
        }
        Element::Watermark(watermark) => format!("W{watermark}"),
        other => panic!("{other:?}"),
    };
    channels.into_iter().map(|channel| channel.into_iter().map(tell).collect()).collect()
}

#[test]
fn records_and_watermarks_come_back_in_their_channels_in_order() {
    let elements = [
        (0, batch(&[1, 2])),
        (1, batch(&[7])),
        (0, Element::Watermark(15)),
        (0, batch(&[3])),
        (1, Element::Watermark(MAX_WATERMARK)),
        (1, Element::EndOfData),
    ];
    let receivers = vec![recorded(Partitioning::Rebalance, &elements)];
    let exchange = RestoredExchange { receivers, senders: 2, share: Share::All };
    let channels = restored(&exchange, &Partitioner::Plain, Partitioning::Rebalance, 2);
    assert_eq!(channels, [vec!["[1, 2]", "W15", "[3]"], vec!["[7]"]]);
}

#[test]
fn with_another_number_of_senders_nothing_is_known_of_event_time() {
    let elements = [(0, batch(&[1])), (1, batch(&[2])), (2, Element::Watermark(15)), (2, batch(&[3]))];
    let receivers = vec![recorded(Partitioning::Rebalance, &elements)];
    let exchange = RestoredExchange { receivers, senders: 3, share: Share::All };
    let channels = restored(&exchange, &Partitioner::Plain, Partitioning::Rebalance, 2);
    assert_eq!(channels, [vec!["[1]", "[3]"], vec!["[2]"]]);
}

#[test]
fn a_channel_of_two_earlier_receivers_is_as_far_as_the_one_that_is_behind() {
    let part = |elements: &[(u32, Element<u64>)]| recorded(Partitioning::Rebalance, elements);
    let ahead = part(&[(0, batch(&[1])), (0, Element::Watermark(50)), (0, batch(&[6]))]);
    let behind = part(&[(0, batch(&[3])), (0, Element::Watermark(20)), (0, batch(&[4]))]);
    let exchange = RestoredExchange { receivers: vec![ahead, behind], senders: 1, share: Share::All };
    let channels = restored(&exchange, &Partitioner::Plain, Partitioning::Rebalance, 1);
    assert_eq!(channels, [["[1]", "[6]", "[3]", "W20", "[4]"]]);
}

#[test]
fn each_record_with_a_key_goes_to_who_owns_the_key_group() {
    let records: Vec<u64> = (0..100).collect();
    for (earlier, now) in [(2, 3), (3, 2), (1, 4), (4, 1)] {
        let receivers: Vec<_> = (0..earlier)
            .map(|receiver| {
                let own: Vec<u64> =
                    records.iter().copied().filter(|record| owner(*record, earlier) == receiver).collect();
                recorded(Partitioning::Hash, &[(0, batch(&own))])
            })
            .collect();
        let mut all = Vec::new();
        for subtask in 0..now {
            let own = KeyGroupRange::of_subtask(subtask, now, GROUPS);
            let share = Share::KeyGroups { own, max_parallelism: GROUPS };
            let exchange = RestoredExchange { receivers: receivers.clone(), senders: 1, share };
            for element in exchange.elements(&keyed(), Partitioning::Hash, 1).unwrap().remove(0) {
                let Element::Batch(batch) = element else { panic!("{element:?}") };
                assert!(batch.records.iter().all(|record| owner(*record, now) == subtask));
                all.extend(batch.records);
            }
        }
        all.sort_unstable();
        assert_eq!(all, records, "from {earlier} to {now}");
    }
}

#[test]
fn a_custom_partitioner_is_asked_again() {
    let part = recorded(Partitioning::Custom, &[(0, batch(&[1, 2, 3, 4, 5]))]);
    let partitioner = Partitioner::Custom(Arc::new(|record: &u64, targets| *record as u32 % targets));
    let share = |subtask| Share::Target { subtask, parallelism: 3 };
    let of = |subtask| RestoredExchange { receivers: vec![part.clone()], senders: 1, share: share(subtask) };
    let channels = [0, 1, 2].map(|to| restored(&of(to), &partitioner, Partitioning::Custom, 1));
    assert_eq!(channels, [[["[3]"]], [["[1, 4]"]], [["[2, 5]"]]]);
}

#[test]
fn records_that_are_spread_by_another_rule_now_are_refused() {
    let part = recorded(Partitioning::Hash, &[(0, batch(&[1]))]);
    let exchange = RestoredExchange { receivers: vec![part], senders: 1, share: Share::All };
    let error = exchange.elements(&Partitioner::<u64>::Plain, Partitioning::Rebalance, 1).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("in-flight HASH") && text.contains("in-flight REBALANCE"), "{text}");
    // Which of these an edge is may follow from the parallelism.
    let part = recorded(Partitioning::Rebalance, &[(0, batch(&[1]))]);
    let exchange = RestoredExchange { receivers: vec![part], senders: 1, share: Share::All };
    assert_eq!(restored(&exchange, &Partitioner::Plain, Partitioning::Forward, 1), [["[1]"]]);
}

#[test]
fn records_are_read_as_the_type_that_they_are_now() {
    let place = ChannelPlace { exchange: OperatorId(1), partitioning: Partitioning::Rebalance, from: 0 };
    let mut recorded = Recorded::default();
    recorded.add(place, &Element::Batch(Batch::of(vec![7_u32]))).unwrap();
    let part = recorded.take::<u32>().into_iter().map(|(_, state)| state).collect();
    let exchange = RestoredExchange { receivers: vec![part], senders: 1, share: Share::All };
    let channels = exchange.elements(&Partitioner::<u64>::Plain, Partitioning::Rebalance, 1).unwrap();
    assert!(matches!(&channels[0][0], Element::Batch(batch) if batch.records == [7_u64]));
    let error = exchange.elements(&Partitioner::<String>::Plain, Partitioning::Rebalance, 1);
    assert!(error.is_err(), "a number is no text");
}
