//! The rules that hold for every kind of state.

use std::time::Duration;

use flott_state::{
    KeyedStateStore, StateTtlConfig, StateVisibility::ReturnExpiredIfNotCleanedUp, UpdateType,
    ValueStateDescriptor,
};

use crate::support::{KINDS, at, restored, run, ttl};

#[test]
fn s13_a_time_to_live_of_nothing_is_refused() {
    for nothing in [Duration::ZERO, Duration::from_micros(999)] {
        for open in KINDS {
            let refused = open(&mut restored(Vec::new(), 0), Some(StateTtlConfig::new(nothing)));
            assert_eq!(
                refused.err().unwrap().to_string(),
                "state 'state' has no valid time to live: TTL is expected to be positive, at least a millisecond"
            );
        }
    }
}

#[test]
fn s29_s30_clean_up_that_looks_at_nothing_is_refused() {
    let refused = |config| {
        let descriptor = ValueStateDescriptor::<i64>::new("v").enable_time_to_live(config);
        restored(Vec::new(), 0).value_state(descriptor).err().unwrap().to_string()
    };
    assert_eq!(
        refused(ttl().cleanup_incrementally(0, true)),
        "state 'v' has no valid time to live: cleanup_incrementally must look at one entry at least"
    );
    assert_eq!(
        refused(ttl().cleanup_in_rocksdb_compact_filter(0)),
        "state 'v' has no valid time to live: cleanup_in_rocksdb_compact_filter must ask for the time after one entry at \
         least"
    );
}

#[test]
fn s17_state_whose_time_to_live_is_disabled_never_expires() {
    run(ttl().update_type(UpdateType::Disabled), |state| {
        state.at(0).write(1, 5);
        assert_eq!(state.at(i64::MAX).read(1), Some(5));
    });
}

#[test]
fn s18_by_default_an_expired_value_is_absent_while_it_is_still_stored() {
    let default = StateTtlConfig::new(Duration::from_millis(100));
    run(default.disable_cleanup_in_background(), |state| {
        state.at(0).write(1, 5);
        state.at(100);
        assert_eq!(state.stored(), 1);
        assert_eq!(state.read(1), None);
    });
}

/// A state has no default value here; only whoever reads gives one. So none comes back for what has expired.
#[test]
fn s34_an_expired_value_has_no_default() {
    let mut state = restored(Vec::new(), 0);
    let value = state.value_state(ValueStateDescriptor::new("v").enable_time_to_live(ttl())).unwrap();
    assert_eq!(*value.get_or_insert_with(&mut at(&mut state, &1), || 7_i64).unwrap(), 7);
    state.set_processing_time(100);
    assert_eq!(value.value(&mut at(&mut state, &1)).unwrap(), None);
    assert_eq!(*value.get_or_insert_with(&mut at(&mut state, &1), || 8_i64).unwrap(), 8);
}

#[test]
fn s20_a_read_removes_what_has_expired() {
    for config in [ttl(), ttl().state_visibility(ReturnExpiredIfNotCleanedUp)] {
        run(config, |state| {
            state.at(0).write(1, 5);
            state.write(2, 6);
            state.at(200);
            assert_eq!(state.stored(), 2);
            state.read(1);
            assert_eq!(state.stored(), 1);
        });
    }
}

#[test]
fn s22_what_is_never_touched_stays_stored() {
    run(StateTtlConfig::new(Duration::from_millis(100)), |state| {
        state.at(0).write(1, 5);
        state.at(1000);
        assert_eq!(state.stored(), 1);
    });
}

#[test]
fn s30_s31_clean_up_during_compaction_is_for_backends_on_disk_to_ask_for() {
    let config = StateTtlConfig::new(Duration::from_millis(100));
    assert_eq!(config.compaction_filter_entries(), Some(1000));
    assert_eq!(config.clone().disable_cleanup_in_background().compaction_filter_entries(), None);
    let asked_for = config.cleanup_in_rocksdb_compact_filter(7).disable_cleanup_in_background();
    assert_eq!(asked_for.compaction_filter_entries(), Some(7));
}

#[test]
fn s32_the_time_to_live_may_be_changed_at_a_restore() {
    run(ttl(), |state| {
        state.at(0).write(1, 5);
        state.restart_with(Some(StateTtlConfig::new(Duration::from_millis(50))));
        assert_eq!(state.at(60).read(1), None);
        state.write(1, 6);
        state.restart_with(Some(ttl().update_type(UpdateType::OnReadAndWrite)));
        assert_eq!(state.at(150).read(1), Some(6));
        assert_eq!(state.at(240).read(1), Some(6));
    });
}

#[test]
fn s35_clear_removes_what_the_current_key_has() {
    run(ttl(), |state| {
        state.at(0).write(1, 5);
        state.write(2, 6);
        state.clear(1);
        assert_eq!((state.read(1), state.read(2)), (None, Some(6)));
        assert_eq!(state.stored(), 1);
    });
}

#[test]
fn s99_one_name_has_one_time_to_live() {
    let mut state = restored(Vec::new(), 0);
    state.value_state(ValueStateDescriptor::<i64>::new("v").enable_time_to_live(ttl())).unwrap();
    assert!(state.value_state(ValueStateDescriptor::<i64>::new("v").enable_time_to_live(ttl())).is_ok());
    assert_eq!(
        state.value_state(ValueStateDescriptor::<i64>::new("v")).err().unwrap().to_string(),
        "state 'v' is already registered as ValueState<i64> with time to live, asked for as ValueState<i64>; give each \
         state its own name"
    );
}
