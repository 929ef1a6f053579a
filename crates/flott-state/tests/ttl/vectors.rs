//! The vectors of Flink's TTL tests; time to live is 100 ms.

use std::time::Duration;

use flott_state::{StateTtlConfig, StateVisibility::ReturnExpiredIfNotCleanedUp, UpdateType::OnReadAndWrite};

use crate::support::{Subject, run, ttl};

const ID: u64 = 7;
const A: i64 = 1;
const B: i64 = 2;
const C: i64 = 3;

#[test]
fn v8_2_1_s15_writing_lets_a_value_live_on_and_reading_does_not() {
    run(ttl(), |state| {
        state.at(0).write(ID, A);
        assert_eq!(state.at(20).read(ID), Some(A));
        state.at(50).write(ID, B);
        assert_eq!(state.at(120).read(ID), Some(B));
        state.at(170).write(ID, C);
        assert_eq!(state.at(220).read(ID), Some(C));
        assert_eq!(state.at(300).read(ID), None);
        assert_eq!(state.stored(), 0);
    });
}

#[test]
fn v8_2_2_s19_an_expired_value_is_returned_once_if_it_may_be() {
    run(ttl().state_visibility(ReturnExpiredIfNotCleanedUp), |state| {
        state.at(0).write(ID, A);
        assert_eq!(state.at(120).read(ID), Some(A));
        assert_eq!(state.stored(), 0);
        assert_eq!(state.read(ID), None);
    });
}

#[test]
fn v8_2_3_s16_reading_lets_a_value_live_on_if_asked() {
    run(ttl().update_type(OnReadAndWrite), |state| {
        state.at(0).write(ID, A);
        assert_eq!(state.at(50).read(ID), Some(A));
        assert_eq!(state.at(120).read(ID), Some(A));
        assert_eq!(state.at(250).read(ID), None);
        assert_eq!(state.stored(), 0);
    });
}

#[test]
fn v8_2_4_a_value_that_reading_let_live_on_is_returned_once_when_it_has_expired() {
    run(ttl().update_type(OnReadAndWrite).state_visibility(ReturnExpiredIfNotCleanedUp), |state| {
        state.at(0).write(ID, A);
        assert_eq!(state.at(50).read(ID), Some(A));
        assert_eq!(state.at(170).read(ID), Some(A));
        assert_eq!(state.read(ID), None);
    });
}

#[test]
fn v8_2_5_s14_the_longest_time_to_live_never_ends() {
    for longest in [Duration::from_millis(i64::MAX as u64), Duration::MAX] {
        run(StateTtlConfig::new(longest), |state| {
            state.at(10).write(ID, A);
            assert_eq!(state.at(50).read(ID), Some(A));
            assert_eq!(state.at(i64::MAX - 1).read(ID), Some(A));
        });
    }
}

/// Two keys, written and expired at different times; the state is left at time 230.
fn two_keys(state: &mut Subject) {
    state.at(0).write(2, A);
    state.at(50).write(1, A);
    state.write(2, B);
    assert_eq!(state.at(120).read(1), Some(A));
    assert_eq!(state.read(2), Some(B));
    state.at(170).write(2, C);
    state.at(230);
}

#[test]
fn v8_2_6_each_key_expires_by_itself() {
    run(ttl(), |state| {
        two_keys(state);
        assert_eq!(state.read(1), None);
        assert_eq!(state.read(2), Some(C));
        assert_eq!((state.at(300).read(1), state.read(2)), (None, None));
    });
}

#[test]
fn v8_2_7_s28_a_snapshot_leaves_out_what_has_expired_and_the_state_keeps_it() {
    run(ttl().cleanup_full_snapshot(), |state| {
        two_keys(state);
        state.restart();
        // Back to a time when the value would still have lived.
        state.at(140);
        assert_eq!(state.read(1), None);
        assert_eq!(state.read(2), Some(C));
    });
    run(ttl(), |state| {
        two_keys(state);
        state.restart();
        assert_eq!(state.at(140).read(1), Some(A));
    });
}

#[test]
fn s28_taking_a_snapshot_does_not_change_the_state() {
    let with_filter = ttl().cleanup_full_snapshot().state_visibility(ReturnExpiredIfNotCleanedUp);
    for open in crate::support::KINDS {
        let mut state = crate::support::restored(Vec::new(), 0);
        let cell = open(&mut state, Some(with_filter.clone())).unwrap();
        cell.write(&mut crate::support::at(&mut state, &ID), A).unwrap();
        state.set_processing_time(150);
        assert!(state.snapshot().unwrap()[0].groups.is_empty());
        assert_eq!(cell.read(&mut crate::support::at(&mut state, &ID)).unwrap(), Some(A));
    }
}

/// Where Flink refuses to restore (`StateMigrationException`), flott does what was meant: nobody gains from a job that
/// can't be given a time to live without losing its state.
#[test]
fn v8_2_11_s33_time_to_live_can_be_added_and_given_up() {
    run(ttl(), |state| {
        state.restart_with(None);
        state.at(0).write(ID, A);
        state.at(500).restart_with(Some(ttl()));
        assert_eq!(state.at(599).read(ID), Some(A));
        state.restart_with(None);
        assert_eq!(state.at(10_000).read(ID), Some(A));
        state.restart_with(Some(ttl()));
        assert_eq!(state.at(10_100).read(ID), None);
    });
}

#[test]
fn v8_2_12_s14_a_value_expires_exactly_when_its_time_has_passed() {
    run(ttl(), |state| {
        state.at(0).write(ID, A);
        assert_eq!(state.at(99).read(ID), Some(A));
        assert_eq!(state.at(100).read(ID), None);
    });
}
