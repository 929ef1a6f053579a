use super::*;

const GROUPS: u32 = 128;
const EPOCH: Epoch = Epoch::MIN;

/// Hashes spread evenly over all key groups.
fn hash(key: u64) -> u64 {
    key.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[test]
fn a_key_has_a_value_of_its_own_in_each_namespace() {
    let mut store = ValueStore::new(KeyGroupRange { start: 0, end: GROUPS }, GROUPS);
    for key in 0..1000 {
        for window in [0i64, 60_000, 120_000] {
            store.insert(hash(key), &key, &window, EPOCH, key as i64 + window).unwrap();
        }
    }
    assert_eq!(store.len(), 3000);
    assert_eq!(store.remove(hash(7), &7, &60_000, EPOCH).unwrap(), Some(60_007));
    assert_eq!(store.get(hash(7), &7, &60_000).unwrap(), None);
    assert_eq!(store.get(hash(7), &7, &0).unwrap(), Some(&7));
    assert_eq!(store.get(hash(7), &7, &120_000).unwrap(), Some(&120_007));
}

#[test]
fn an_entry_is_listed_under_its_key_group_and_no_other() {
    let range = KeyGroupRange { start: 32, end: 64 };
    let mut store = ValueStore::<u64, (), u64>::new(range, GROUPS);
    let owned = |key: &u64| range.contains(key_place(hash(*key), GROUPS).group);
    let keys: Vec<u64> = (0..2000).filter(owned).collect();
    for key in &keys {
        store.insert(hash(*key), key, &(), EPOCH, key + 1).unwrap();
    }
    let mut listed = 0;
    for group in 0..GROUPS {
        for (key, (), value, _) in store.iter_group(group) {
            assert_eq!(key_place(hash(*key), GROUPS).group, group);
            assert_eq!(*value, key + 1);
            listed += 1;
        }
    }
    assert_eq!(listed, keys.len());
}

#[test]
fn a_record_of_a_key_group_below_or_above_the_range_is_refused() {
    let mut store = ValueStore::<u64, (), u64>::new(KeyGroupRange { start: 32, end: 64 }, GROUPS);
    for (hash, group) in [(0, 0), (u64::MAX, 127), (64 << 57, 64), ((32 << 57) - 1, 31)] {
        let owned = KeyGroupRange { start: 32, end: 64 };
        let expected = StateErrorKind::OutsideRange { hash, group, owned };
        assert_eq!(*store.get(hash, &1, &()).unwrap_err().kind(), expected);
        assert_eq!(*store.insert(hash, &1, &(), EPOCH, 1).unwrap_err().kind(), expected);
        store.prefetch(&[hash], &());
    }
    assert!(store.insert(32 << 57, &1, &(), EPOCH, 1).is_ok());
}

#[test]
fn the_error_for_a_foreign_key_group_says_whose_fault_it_is() {
    let store = ValueStore::<u64, (), u64>::new(KeyGroupRange { start: 32, end: 64 }, GROUPS);
    assert_eq!(
        store.get(1, &1, &()).unwrap_err().to_string(),
        "a record with key hash 0x0000000000000001 is of key group 0, but this subtask owns key groups 32 to 63; \
         it was routed wrongly, or its hash was computed from another key"
    );
}

#[test]
fn a_result_of_an_access_is_two_words() {
    assert_eq!(size_of::<Result<Option<&u64>, StateError>>(), 16);
}
