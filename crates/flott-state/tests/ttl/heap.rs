//! What is cleaned up a few entries at a time, which is for state in memory.

use std::time::Duration;

use flott_state::StateTtlConfig;

use crate::support::{KINDS, Subject, run, ttl};

#[test]
fn s29_s31_each_access_cleans_up_five_entries_by_default() {
    const KEYS: u64 = 50;
    // How far the clean-up has come is not part of a snapshot, so there is none in between.
    let left_after = |accesses: u64, config: &StateTtlConfig| {
        KINDS.map(|open| {
            let mut state = Subject::new(open, Some(config.clone()), false);
            state.at(0);
            (0..KEYS).for_each(|key| state.write(key, 5));
            state.at(200);
            for _ in 0..accesses {
                // Records alone clean nothing up.
                state.state.records_processed(KEYS as usize);
                state.write(KEYS, 6);
            }
            state.stored()
        })
    };
    let default = StateTtlConfig::new(Duration::from_millis(100));
    // Five for each access, of which the first write of a key may be two, and a few less where slots are empty.
    for left in left_after(4, &default) {
        assert!((KEYS + 1 - 25..=KEYS + 1 - 10).contains(&left), "{left}");
    }
    assert_eq!(left_after(20, &default), [1; 5]);
    // S31: what was asked for is not switched off.
    let asked_for = default.clone().cleanup_incrementally(3, false).disable_cleanup_in_background();
    assert_eq!(left_after(50, &asked_for), [1; 5]);
    assert_eq!(left_after(50, &default.disable_cleanup_in_background()), [KEYS + 1; 5]);
}

#[test]
fn v8_2_9_s29_clean_up_for_each_record_removes_what_is_never_read() {
    run(ttl().cleanup_incrementally(5, true), |state| {
        const KEYS: u64 = 50;
        state.at(0);
        (0..KEYS).for_each(|key| state.write(key, 1));
        state.at(120);
        assert_eq!(state.stored(), KEYS);
        (0..2 * KEYS).for_each(|_| state.state.records_processed(1));
        assert_eq!(state.stored(), 0);
    });
}
