//! What is cleaned up a few entries at a time, which is for state in memory.

use std::time::Duration;

use flott_state::StateTtlConfig;

use crate::support::{KINDS, Subject, run, ttl};

#[test]
fn s29_s31_each_access_cleans_up_five_entries_by_default() {
    const KEYS: u64 = 50;
    // How far the clean-up has come is not part of a snapshot, so there is none in between.
    let left_after_accesses = |config: StateTtlConfig| {
        KINDS.map(|open| {
            let mut state = Subject::new(open, Some(config.clone()), false);
            state.at(0);
            (0..KEYS).for_each(|key| state.write(key, 5));
            state.at(200);
            for _ in 0..KEYS {
                state.state.records_processed(1);
                state.write(KEYS, 6);
            }
            assert_eq!(state.read(KEYS), Some(6));
            state.stored()
        })
    };
    let default = StateTtlConfig::new(Duration::from_millis(100));
    assert_eq!(left_after_accesses(default.clone()), [1; 5]);
    // S31: what was asked for is not switched off.
    assert_eq!(
        left_after_accesses(default.clone().cleanup_incrementally(3, false).disable_cleanup_in_background()),
        [1; 5]
    );
    assert_eq!(left_after_accesses(default.disable_cleanup_in_background()), [KEYS + 1; 5]);
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
