//! A value that can't be encoded.

use flott_core::hash::key_hash;
use flott_state::{
    CurrentKey, KeyedStateStore, OperatorSnapshot, SnapshotBudget, SnapshotRequest, ValueStateDescriptor,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::support::empty;

/// Can't be encoded when it is 7.
#[derive(Clone, Deserialize)]
struct Unlucky(u64);

impl Serialize for Unlucky {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 == 7 { Err(serde::ser::Error::custom("out of luck")) } else { self.0.serialize(serializer) }
    }
}

#[test]
fn a_value_that_cannot_be_encoded_ends_the_snapshot_and_not_the_task() {
    for change in [false, true] {
        let mut state = empty(Vec::new());
        let value = state.value_state(ValueStateDescriptor::new("value")).unwrap();
        for key in 0..10 {
            let at = &mut CurrentKey::new(&mut state, &key, key_hash(&key).unwrap());
            value.update(at, Unlucky(key)).unwrap();
        }
        state.begin_snapshot(SnapshotRequest::whole(1)).unwrap();
        if change {
            let at = &mut CurrentKey::new(&mut state, &7, key_hash(&7u64).unwrap());
            value.update(at, Unlucky(8)).unwrap();
        }
        let failed = state.drain_snapshot(&mut SnapshotBudget::unlimited(), &mut OperatorSnapshot::default());
        let failed = failed.unwrap_err().to_string();
        assert!(failed.starts_with("cannot take a snapshot of state 'value' (a value state):"), "{failed}");
        assert!(failed.contains("out of luck"), "{failed}");
        assert_eq!(state.snapshot().is_ok(), change, "the next one succeeds once the value is gone");
    }
}
