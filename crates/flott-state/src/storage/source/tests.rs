use std::collections::BTreeMap;

use super::*;
use crate::format::StateFileEncoder;
use crate::snapshot::{GroupEntries, KeyedStateMeta, KeyedStateSnapshot, StateKind};
use crate::storage::{CheckpointDirectory, CheckpointStorage, FileScope};

fn part(groups: &[(u32, u8)], removed: Option<&[(u32, u8)]>) -> KeyedStateSnapshot {
    let types = crate::StateType::of_each::<u64, (), i64>();
    let meta = KeyedStateMeta { name: "sum".to_owned(), kind: StateKind::Value, ttl: false, types };
    let entries = |groups: &[(u32, u8)]| -> BTreeMap<_, _> {
        groups.iter().map(|(group, byte)| (*group, GroupEntries { count: 1, bytes: vec![*byte] })).collect()
    };
    KeyedStateSnapshot { meta, groups: entries(groups), removed: removed.map(entries) }
}

#[test]
fn of_an_incremental_checkpoint_the_wanted_groups_of_all_parts_come_oldest_first() {
    let storage =
        CheckpointStorage::FileSystem { directory: "memory://parts".to_owned(), create_subdir: true };
    let directory = CheckpointDirectory::new(crate::format::JobKey(1), &storage, 0, 0).unwrap();
    let parts = [part(&[(3, 1), (90, 2)], None), part(&[(3, 7)], Some(&[(90, 2)])), part(&[], Some(&[]))];
    let stored = parts.iter().zip(1..).map(|(keyed, checkpoint)| {
        let mut encoder = StateFileEncoder::new();
        let snapshot = OperatorSnapshot {
            keyed: vec![keyed.clone()],
            operator: Vec::new(),
            ..OperatorSnapshot::default()
        };
        snapshot.write(encoder.operator(1)).unwrap();
        directory.checkpoint(checkpoint).store("0-0", FileScope::Shared, encoder).unwrap()
    });
    let handle = SnapshotHandle { parts: stored.collect(), checkpointed_bytes: 0 };
    let read =
        |start, end| directory.source().operator(&handle, 1, KeyGroupRange { start, end }).unwrap().keyed;
    assert_eq!(read(0, 128), parts);
    assert_eq!(read(0, 64), [part(&[(3, 1)], None), part(&[(3, 7)], Some(&[])), part(&[], Some(&[]))]);
    directory.source().verify(&handle).unwrap();
}
