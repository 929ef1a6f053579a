use super::*;

fn stamped(records: &[(char, Timestamp)]) -> Batch<char> {
    let mut batch = Batch::new();
    for &(record, timestamp) in records {
        batch.push(record, timestamp);
    }
    batch
}

#[test]
fn records_without_timestamps_need_no_timestamp_array() {
    let batch = stamped(&[('a', NO_TIMESTAMP), ('b', NO_TIMESTAMP)]);
    assert_eq!(batch, Batch::of(vec!['a', 'b']));
    assert!(!batch.has_timestamps());
    assert_eq!(batch.timestamp(1), NO_TIMESTAMP);
}

#[test]
fn the_first_timestamp_backfills_the_records_before_it() {
    let batch = stamped(&[('a', NO_TIMESTAMP), ('b', NO_TIMESTAMP), ('c', 7), ('d', NO_TIMESTAMP)]);
    assert_eq!(batch.timestamps, [NO_TIMESTAMP, NO_TIMESTAMP, 7, NO_TIMESTAMP]);
    assert_eq!(batch.timestamp(2), 7);
}

#[test]
fn appending_timestamped_records_backfills_those_in_front() {
    let mut batch = Batch::of(vec!['a', 'b']);
    let mut behind = stamped(&[('c', 7)]);
    batch.append(&mut behind);
    assert_eq!(batch.records, ['a', 'b', 'c']);
    assert_eq!(batch.timestamps, [NO_TIMESTAMP, NO_TIMESTAMP, 7]);
    assert_eq!(behind, Batch::new());
}

#[test]
fn appending_records_without_timestamps_backfills_them() {
    let mut batch = stamped(&[('a', 7)]);
    batch.append(&mut Batch::of(vec!['b', 'c']));
    assert_eq!(batch.timestamps, [7, NO_TIMESTAMP, NO_TIMESTAMP]);
    batch.push('d', 9);
    assert_eq!(batch.timestamps, [7, NO_TIMESTAMP, NO_TIMESTAMP, 9]);
}

#[test]
fn appending_two_batches_without_timestamps_makes_none() {
    let mut batch = Batch::of(vec!['a']);
    batch.append(&mut Batch::of(vec!['b']));
    assert_eq!(batch, Batch::of(vec!['a', 'b']));
}

#[test]
fn appending_to_an_empty_batch_moves_everything_over() {
    let mut batch = Batch::new();
    let mut other = stamped(&[('a', 7)]);
    other.hashes.push(42);
    batch.append(&mut other);
    assert_eq!(batch, Batch { records: vec!['a'], timestamps: vec![7], hashes: vec![42] });
    assert!(other.is_empty() && !other.has_timestamps() && other.hashes.is_empty());
}

#[test]
fn appending_an_empty_batch_changes_nothing() {
    let mut batch = Batch { records: vec!['a'], timestamps: vec![7], hashes: vec![42] };
    let before = batch.clone();
    batch.append(&mut Batch::new());
    assert_eq!(batch, before);
}

#[test]
fn routing_hashes_survive_an_append_only_where_both_sides_have_them() {
    let hashed = |record, hash| Batch { records: vec![record], timestamps: vec![], hashes: vec![hash] };
    let mut both = hashed('a', 1);
    both.append(&mut hashed('b', 2));
    assert_eq!(both.hashes, [1, 2]);

    let mut only_front = hashed('a', 1);
    only_front.append(&mut Batch::of(vec!['b']));
    assert!(only_front.hashes.is_empty());

    let mut only_back = Batch::of(vec!['a']);
    let mut back = hashed('b', 2);
    only_back.append(&mut back);
    assert!(only_back.hashes.is_empty() && back.hashes.is_empty());
}

#[test]
fn clearing_keeps_the_allocation() {
    let mut batch = stamped(&[('a', 7), ('b', 8)]);
    let capacity = batch.records.capacity();
    batch.clear();
    assert_eq!(batch.len(), 0);
    assert_eq!(batch.timestamp(0), NO_TIMESTAMP);
    assert_eq!(batch.records.capacity(), capacity);
}

#[test]
fn a_batch_that_is_cut_in_two_keeps_what_belongs_to_each_record() {
    let mut batch = stamped(&[('a', 7), ('b', 8), ('c', 9)]);
    batch.hashes = vec![1, 2, 3];
    let rest = batch.split_off(1);
    assert_eq!((batch.records, batch.timestamps, batch.hashes), (vec!['a'], vec![7], vec![1]));
    assert_eq!((rest.records, rest.timestamps, rest.hashes), (vec!['b', 'c'], vec![8, 9], vec![2, 3]));
    let mut plain = Batch::of(vec!['a', 'b']);
    assert_eq!((plain.split_off(2), plain), (Batch::new(), Batch::of(vec!['a', 'b'])));
}
