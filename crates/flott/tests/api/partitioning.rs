//! To which subtasks records go.

use std::collections::BTreeMap;

use flott::prelude::*;

use crate::support::{env, line, sorted};

/// Tells for each record the subtask that it came to.
#[derive(Clone, Default)]
struct WhereAmI(u32);

impl MapFunction<i64, (u32, i64)> for WhereAmI {
    fn open(&mut self, context: &RuntimeContext) -> FnResult {
        self.0 = context.index_of_this_subtask();
        Ok(())
    }

    fn map(&mut self, record: i64) -> FnResult<(u32, i64)> {
        Ok((self.0, record))
    }
}

/// The records of 0..1000, sent by `from` subtasks, as they come to each of `to` subtasks. The first sender has those
/// below 500, the last one the others.
fn spread(
    (from, to): (u32, u32),
    by: impl Fn(DataStream<i64>) -> DataStream<i64>,
) -> BTreeMap<u32, Vec<i64>> {
    let numbers = env(from).from_sequence(0, 999).set_parallelism(1);
    let halves = numbers.partition_custom(|n, subtasks| if *n < 500 { 0 } else { subtasks - 1 });
    let numbers = halves.map(|n| n);
    let mut spread: BTreeMap<u32, Vec<i64>> = BTreeMap::new();
    let seen = by(numbers).map_with(WhereAmI::default()).set_parallelism(to).execute_and_collect();
    for (subtask, record) in seen.unwrap() {
        spread.entry(subtask).or_default().push(record);
    }
    spread
}

fn counts(spread: &BTreeMap<u32, Vec<i64>>) -> Vec<usize> {
    spread.values().map(Vec::len).collect()
}

fn each_once(spread: &BTreeMap<u32, Vec<i64>>) {
    assert_eq!(sorted(spread.values().flatten().copied().collect()), (0..1000).collect::<Vec<_>>());
}

#[test]
fn without_a_word_records_stay_where_they_are_or_are_spread_in_turn() {
    let same = spread((2, 2), |stream| stream);
    assert_eq!(same, BTreeMap::from([(0, (0..500).collect()), (1, (500..1000).collect())]));
    assert_eq!(same, spread((2, 2), |stream| stream.forward()));
    assert_eq!(counts(&spread((1, 4), |stream| stream)), [250; 4]);
}

#[test]
fn rebalance_gives_all_subtasks_the_same() {
    let spread = spread((2, 4), |stream| stream.rebalance());
    assert_eq!(counts(&spread), [250; 4]);
    each_once(&spread);
}

#[test]
fn shuffle_gives_all_subtasks_some() {
    let spread = spread((1, 4), |stream| stream.shuffle());
    assert!(counts(&spread).iter().all(|count| (180..320).contains(count)), "{:?}", counts(&spread));
    each_once(&spread);
}

#[test]
fn rescale_keeps_to_a_group_of_subtasks() {
    let spread = spread((2, 4), |stream| stream.rescale());
    each_once(&spread);
    assert_eq!(counts(&spread), [250; 4]);
    assert!(spread[&0].iter().chain(&spread[&1]).all(|n| *n < 500));
}

#[test]
fn broadcast_gives_every_subtask_everything() {
    let spread = spread((2, 3), |stream| stream.broadcast());
    assert_eq!(counts(&spread), [1000; 3]);
    assert!(spread.values().all(|records| sorted(records.clone()) == (0..1000).collect::<Vec<_>>()));
}

#[test]
fn global_gives_everything_to_the_first_subtask() {
    let spread = spread((2, 3), |stream| stream.global());
    assert_eq!(spread.keys().copied().collect::<Vec<_>>(), [0]);
    each_once(&spread);
}

#[test]
fn partition_custom_decides_itself() {
    let spread =
        spread((2, 3), |stream| stream.partition_custom(|n, subtasks| (*n % 2) as u32 * (subtasks - 1)));
    assert_eq!(spread.keys().copied().collect::<Vec<_>>(), [0, 2]);
    assert!(spread[&0].iter().all(|n| n % 2 == 0) && spread[&2].iter().all(|n| n % 2 == 1));
    each_once(&spread);
}

#[test]
fn a_custom_partitioner_may_not_name_a_subtask_that_is_not_there() {
    let numbers = env(1).from_elements([1]);
    let spread = numbers.partition_custom(|_, subtasks| subtasks).map(|n| n).set_parallelism(2);
    assert_eq!(
        line(spread.execute_and_collect()),
        "operator 'Map (partitioning)' (subtask 1/1) failed: \
         the partitioner named subtask 2, but there are 2: it must be below that"
    );
}

#[test]
fn s4_all_records_of_a_key_meet_in_one_subtask_in_order() {
    let spread = spread((1, 4), |stream| (*stream.key_by(|n| n % 20)).clone());
    each_once(&spread);
    for key in 0..20 {
        let homes: Vec<_> = spread.values().filter(|records| records.iter().any(|n| n % 20 == key)).collect();
        assert_eq!(homes.len(), 1, "key {key}");
        let own: Vec<_> = homes[0].iter().filter(|n| *n % 20 == key).collect();
        assert!(own.is_sorted() && own.len() == 50, "key {key}");
    }
}
