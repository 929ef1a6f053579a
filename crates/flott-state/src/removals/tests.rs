use super::*;

fn epoch(number: u32) -> Epoch {
    Epoch::new(number).unwrap()
}

fn count(removals: &Removals, since: u32, until: u32) -> u64 {
    removals.of(0, epoch(since), epoch(until)).map(|lost| lost.count).sum()
}

#[test]
fn keys_are_noted_for_as_long_as_they_may_be_asked_for() {
    let mut removals = Removals::new(epoch(2));
    removals.start(epoch(2), epoch(2), 0, 1);
    removals.note(0, &1u64, &());
    removals.start(epoch(3), epoch(2), 0, 1);
    removals.note(0, &2u64, &());
    removals.note(0, &3u64, &());
    assert_eq!((count(&removals, 2, 3), count(&removals, 2, 4), count(&removals, 3, 4)), (1, 3, 2));
    assert!(removals.are_known(epoch(2)) && !removals.are_known(epoch(1)));
    removals.start(epoch(4), epoch(3), 0, 1);
    assert_eq!(count(&removals, 2, 5), 2);
}

#[test]
fn a_state_that_has_lost_too_many_keys_starts_again_with_the_next_snapshot() {
    let mut removals = Removals::new(epoch(2));
    removals.start(epoch(2), epoch(2), 0, 1);
    removals.note(0, &1u64, &());
    removals.start(epoch(3), epoch(2), 0, 1);
    (0..FEW as u64).for_each(|key| removals.note(0, &key, &()));
    assert!(!removals.are_known(epoch(3)));
    assert_eq!(count(&removals, 2, 3), 1, "a snapshot of the earlier epoch may still be written");
    removals.start(epoch(4), epoch(2), 0, 1);
    removals.note(0, &1u64, &());
    assert!(removals.are_known(epoch(4)) && !removals.are_known(epoch(3)));
    assert_eq!(count(&removals, 2, 5), 1);
}

#[test]
fn a_larger_state_may_lose_more_keys() {
    let mut removals = Removals::new(epoch(2));
    removals.start(epoch(2), epoch(2), 4 * FEW, 1);
    (0..2 * FEW as u64).for_each(|key| removals.note(0, &key, &()));
    assert!(removals.are_known(epoch(2)));
    removals.note(0, &0u64, &());
    assert!(!removals.are_known(epoch(2)));
}
