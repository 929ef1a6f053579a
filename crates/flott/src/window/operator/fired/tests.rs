use super::*;

const GROUPS: u32 = 8;

fn range(start: u32, end: u32) -> KeyGroupRange {
    KeyGroupRange { start, end }
}

/// A hash whose key group is this one.
fn hash_in(group: u32) -> u64 {
    ((u128::from(group) << 64) / u128::from(GROUPS)) as u64 + 1
}

fn restored(own: KeyGroupRange, parts: &[(KeyGroupRange, Timestamp)]) -> (Fired, Timestamp) {
    Fired::restored(own, GROUPS, parts)
}

#[test]
fn subtasks_that_become_one_begin_with_the_least_watermark_and_remember_who_was_ahead() {
    let (mut fired, watermark) = restored(range(0, 8), &[(range(0, 4), 100), (range(4, 8), 300)]);
    assert_eq!((watermark, fired.furthest(watermark)), (100, 300));
    assert_eq!([0, 3, 4, 7].map(|group| fired.of_key(hash_in(group), watermark)), [100, 100, 300, 300]);
    assert!(fired.had_fired(hash_in(5), 300) && !fired.had_fired(hash_in(5), 301));
    assert!(!fired.had_fired(hash_in(3), 1));
    fired.advance(299);
    assert_eq!([3, 4].map(|group| fired.of_key(hash_in(group), 299)), [299, 300]);
    fired.advance(300);
    assert_eq!(fired.furthest(300), 300);
    assert!(!fired.had_fired(hash_in(5), 300), "the operator itself knows by now");
}

#[test]
fn a_subtask_asks_only_about_its_own_key_groups() {
    let parts = [(range(0, 4), 100), (range(4, 8), 300)];
    assert_eq!(
        restored(range(4, 6), &parts),
        (Fired { own: range(4, 6), max_parallelism: 8, ahead: vec![] }, 300)
    );
    assert_eq!(restored(range(0, 2), &parts).1, 100);
    let (fired, watermark) = restored(range(3, 5), &parts);
    assert_eq!((fired.ahead, watermark), (vec![(range(4, 5), 300)], 100));
}

#[test]
fn key_groups_that_nobody_has_spoken_of_have_fired_nothing() {
    let (fired, watermark) = restored(range(0, 8), &[(range(2, 4), 100)]);
    assert_eq!((watermark, fired.ahead), (MIN_WATERMARK, vec![(range(2, 4), 100)]));
    assert_eq!(restored(range(0, 8), &[]).1, MIN_WATERMARK);
}

#[test]
fn what_is_ahead_is_still_so_after_a_further_snapshot() {
    let (fired, watermark) = restored(range(0, 8), &[(range(0, 4), 100), (range(4, 8), 300)]);
    let state = fired.snapshot(watermark.max(200)).unwrap();
    let parts = state.elements.iter().map(|element| decode_prefix(&mut element.as_slice()).unwrap());
    let parts: Vec<_> = parts.collect();
    assert_eq!(parts, [(range(0, 8), 200), (range(4, 8), 300)]);
    let (fired, watermark) = restored(range(0, 8), &parts);
    assert_eq!((watermark, fired.ahead), (200, vec![(range(4, 8), 300)]));
}
