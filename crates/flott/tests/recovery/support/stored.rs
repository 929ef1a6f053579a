//! Looks into snapshots in storage, as nobody but a test needs to.

use std::collections::BTreeMap;

use flott_core::encoding;
use flott_core::key_group::KeyGroupRange;
use flott_state::OperatorSnapshot;
use flott_state::format::{SubtaskState, TaskMetadata};
use flott_state::storage::StoredSnapshot;
use serde::de::DeserializeOwned;

/// What each subtask of the operator of this name has stored; nothing for those that had finished.
pub(crate) fn operator(snapshot: &StoredSnapshot, name: &str) -> Vec<OperatorSnapshot> {
    let tasks = snapshot.metadata.tasks.iter();
    let found = tasks.flat_map(|task| task.operators.iter().map(move |operator| (task, operator)));
    let mut found = found.filter(|(_, operator)| operator.name == name);
    let (task, operator) = found.next().unwrap_or_else(|| panic!("no operator '{name}'"));
    assert!(found.next().is_none(), "two operators '{name}'");
    subtasks(snapshot, task, operator.id)
}

fn subtasks(snapshot: &StoredSnapshot, task: &TaskMetadata, id: u128) -> Vec<OperatorSnapshot> {
    let all = KeyGroupRange::of_subtask(0, 1, task.max_parallelism);
    let stored = task.subtasks.iter().map(|subtask| match subtask {
        SubtaskState::Stored(handle) => snapshot.source.operator(handle, id, all).unwrap(),
        SubtaskState::Finished => OperatorSnapshot::default(),
    });
    stored.collect()
}

/// The elements of all operator states, subtask by subtask.
pub(crate) fn elements<E: DeserializeOwned>(snapshots: &[OperatorSnapshot]) -> Vec<E> {
    let states = snapshots.iter().flat_map(|snapshot| &snapshot.operator);
    states.flat_map(|state| &state.elements).map(|bytes| encoding::decode(bytes).unwrap()).collect()
}

/// The entries of the only keyed state, which has no namespaces.
pub(crate) fn entries<K, V>(snapshots: &[OperatorSnapshot]) -> BTreeMap<K, V>
where
    K: DeserializeOwned + Ord,
    V: DeserializeOwned,
{
    let mut entries = BTreeMap::new();
    for state in snapshots.iter().flat_map(|snapshot| &snapshot.keyed) {
        for group in state.groups.values() {
            let mut bytes = group.bytes.as_slice();
            for _ in 0..group.count {
                let (key, value) = encoding::decode_prefix::<(K, V)>(&mut bytes).unwrap();
                assert!(entries.insert(key, value).is_none(), "a key is stored twice");
            }
            assert_eq!(bytes, []);
        }
    }
    entries
}
