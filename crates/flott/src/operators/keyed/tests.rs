use std::sync::Arc;

use flott_core::Batch;
use flott_core::hash::key_hash;

use super::KeyedBatch;
use crate::function::ByValue;

fn extracted(mut batch: Batch<u64>) -> KeyedBatch<u64, u64> {
    let mut keyed = KeyedBatch::new(Arc::new(ByValue::new(|n: &u64| n % 100)));
    keyed.extract(&mut batch).unwrap();
    keyed
}

#[test]
fn each_hash_is_fetched_once_and_before_its_record() {
    for len in [0, 1, 31, 32, 33, 64, 65, 96, 1000, 1024] {
        let keyed = extracted(Batch::of((0..len).collect()));
        let mut fetched = Vec::new();
        for index in 0..len as usize {
            fetched.extend_from_slice(keyed.ahead(index).unwrap_or_default());
            assert!(fetched.len() > index, "record {index} of {len}");
        }
        assert_eq!(fetched, keyed.hashes());
    }
}

#[test]
fn hashes_that_came_with_the_batch_are_taken_over() {
    let mut batch = Batch::of(vec![107, 8]);
    batch.hashes = vec![70, 80];
    let keyed = extracted(batch);
    assert_eq!((keyed.keys(), keyed.hashes()), (&[7, 8][..], &[70, 80][..]));
}

#[test]
fn hashes_that_did_not_come_are_made() {
    let keyed = extracted(Batch::of(vec![107, 8]));
    assert_eq!(keyed.hashes(), [key_hash(&7_u64).unwrap(), key_hash(&8_u64).unwrap()]);
}
