use super::*;
use crate::hash::key_hash;
use proptest::prelude::*;

/// First and last key group of each subtask.
fn inclusive_ranges(max_parallelism: u32, parallelism: u32) -> Vec<(u32, u32)> {
    (0..parallelism)
        .map(|subtask| KeyGroupRange::of_subtask(subtask, parallelism, max_parallelism))
        .map(|range| (range.start, range.end - 1))
        .collect()
}

#[test]
fn v8_1_ranges_are_those_of_flink() {
    assert_eq!(inclusive_ranges(128, 3), [(0, 42), (43, 85), (86, 127)]);
    assert_eq!(inclusive_ranges(128, 4), [(0, 31), (32, 63), (64, 95), (96, 127)]);
    assert_eq!(inclusive_ranges(10, 3), [(0, 3), (4, 6), (7, 9)]);
    assert_eq!(inclusive_ranges(10, 4), [(0, 2), (3, 4), (5, 7), (8, 9)]);
    assert_eq!(inclusive_ranges(7, 2), [(0, 3), (4, 6)]);
}

#[test]
fn v8_1_key_groups_belong_to_the_subtasks_of_flink() {
    // The key groups of Flink's table, and their subtasks at parallelism 2, 3, 4 and 8.
    let table = [
        (94, [1, 2, 2, 5]),
        (86, [1, 2, 2, 5]),
        (127, [1, 2, 3, 7]),
        (113, [1, 2, 3, 7]),
        (7, [0, 0, 0, 0]),
        (126, [1, 2, 3, 7]),
        (18, [0, 0, 0, 1]),
        (15, [0, 0, 0, 0]),
        (51, [0, 1, 1, 3]),
        (35, [0, 0, 1, 2]),
        (66, [1, 1, 2, 4]),
        (98, [1, 2, 3, 6]),
    ];
    for (group, subtasks) in table {
        assert_eq!([2, 3, 4, 8].map(|p| subtask_of_group(group, 128, p)), subtasks, "group {group}");
    }
    for (group, subtask) in [(80, 2), (29, 0), (77, 2), (81, 2), (4, 0)] {
        assert_eq!(subtask_of_group(group, 128, 4), subtask, "group {group}");
    }
}

/// Flink's table of hashes does not hold here: it scrambles Java's `hashCode` by murmur, and no key of ours has a
/// `hashCode`. Keys of any type are hashed by XXH3 or the mixer instead, and groups are cut from the high bits. What
/// must hold is that a key never changes its group, as snapshots keep state by key group.
#[test]
fn v8_1_keys_stay_in_groups_of_their_own() {
    let group = |hash: Result<u64, crate::encoding::EncodeError>| {
        let hash = hash.unwrap();
        (key_place(hash, 128).group, key_place(hash, 4096).group)
    };
    let numbers = [0_i32, 1, 2, -1].map(|key| group(key_hash(&key)));
    assert_eq!(numbers, [(0, 0), (43, 1385), (109, 3517), (90, 2893)]);
    let words = ["hello", "flink", ""].map(|key| group(key_hash(key)));
    assert_eq!(words, [(74, 2389), (69, 2236), (22, 720)]);
}

#[test]
fn default_max_parallelism_is_that_of_flink() {
    for parallelism in 1..=85 {
        assert_eq!(default_max_parallelism(parallelism), 128, "parallelism {parallelism}");
    }
    for parallelism in 86..=171 {
        assert_eq!(default_max_parallelism(parallelism), 256, "parallelism {parallelism}");
    }
    assert_eq!(default_max_parallelism(172), 512);
    assert_eq!(default_max_parallelism(1000), 2048);
    assert_eq!(default_max_parallelism(21_846), 32_768);
    assert_eq!(default_max_parallelism(u32::MAX), 32_768);
}

#[test]
fn a_subtask_beyond_the_key_groups_owns_none() {
    let owned: usize = (0..5).map(|subtask| KeyGroupRange::of_subtask(subtask, 5, 2).len()).sum();
    assert_eq!(owned, 2);
    assert!(KeyGroupRange::of_subtask(1, 5, 2).is_empty());
}

#[test]
fn key_place_splits_the_hash_range_evenly() {
    assert_eq!(key_place(0, 128), KeyPlace { group: 0, place: 0 });
    assert_eq!(key_place(u64::MAX, 128), KeyPlace { group: 127, place: u64::MAX - 127 });
    assert_eq!(key_place(1 << 63, 128), KeyPlace { group: 64, place: 0 });
    assert_eq!(key_place(0x1234_5678_9abc_def0, 1), KeyPlace { group: 0, place: 0x1234_5678_9abc_def0 });
    assert_eq!(key_place(0x1234_5678_9abc_def0, 1000).group, 71);
}

proptest! {
    #[test]
    fn v8_1_every_key_group_belongs_to_exactly_the_subtask_whose_range_holds_it(
        (max_parallelism, parallelism) in (1..=MAX_PARALLELISM_LIMIT).prop_flat_map(|m| (Just(m), 1..=m)),
    ) {
        let mut next = 0;
        for subtask in 0..parallelism {
            let range = KeyGroupRange::of_subtask(subtask, parallelism, max_parallelism);
            prop_assert_eq!(range.start, next, "no gap and no overlap before subtask {}", subtask);
            prop_assert!(!range.is_empty());
            prop_assert_eq!(range.len(), (range.end - range.start) as usize);
            for group in range.start..range.end {
                prop_assert_eq!(subtask_of_group(group, max_parallelism, parallelism), subtask);
            }
            prop_assert!(range.contains(range.start) && range.contains(range.end - 1));
            prop_assert!(!range.contains(range.end));
            next = range.end;
        }
        prop_assert_eq!(next, max_parallelism);
    }

    #[test]
    fn a_key_group_is_below_max_parallelism_and_grows_with_the_hash(
        hash: u64,
        max_parallelism in 1..=MAX_PARALLELISM_LIMIT,
    ) {
        let here = key_place(hash, max_parallelism);
        prop_assert!(here.group < max_parallelism);
        prop_assert!(key_place(hash.saturating_add(1 << 40), max_parallelism).group >= here.group);
    }
}
