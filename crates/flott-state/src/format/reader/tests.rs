use std::collections::BTreeMap;

use flott_core::key_group::KeyGroupRange;
use proptest::prelude::*;

use super::*;
use crate::StateType;
use crate::format::{StateFile, StateFileEncoder};
use crate::snapshot::{
    GroupEntries, KeyedStateMeta, KeyedStateSnapshot, OperatorStateSnapshot, RedistributionMode, StateKind,
};
use crate::storage::MemoryBlobStore;

const ALL: KeyGroupRange = KeyGroupRange { start: 0, end: 128 };

fn keyed_state() -> impl Strategy<Value = KeyedStateSnapshot> {
    let kind = prop_oneof![Just(StateKind::Value), Just(StateKind::Map), Just(StateKind::EventTimers)];
    let entries = prop::collection::vec(any::<u8>(), 1..40)
        .prop_flat_map(|bytes| (1..=bytes.len() as u64, Just(bytes)))
        .prop_map(|(count, bytes)| GroupEntries { count, bytes });
    let groups = prop::collection::btree_map(0..128_u32, entries, 0..20);
    let removed = prop::option::of(groups.clone());
    ("[a-z]{1,5}", kind, any::<bool>(), groups, removed).prop_map(|(name, kind, ttl, groups, removed)| {
        let types = StateType::of_each::<String, (), i64>();
        KeyedStateSnapshot { meta: KeyedStateMeta { name, kind, ttl, types }, groups, removed }
    })
}

fn operator_state() -> impl Strategy<Value = OperatorStateSnapshot> {
    let mode = prop_oneof![
        Just(RedistributionMode::SplitDistribute),
        Just(RedistributionMode::Union),
        Just(RedistributionMode::Broadcast)
    ];
    let elements = prop::collection::vec(any::<Vec<u8>>(), 0..10);
    ("[a-z]{1,5}", mode, elements).prop_map(|(name, mode, elements)| OperatorStateSnapshot {
        name,
        mode,
        element_type: StateType::of::<String>(),
        elements,
    })
}

fn snapshot() -> impl Strategy<Value = OperatorSnapshot> {
    let keyed = prop::collection::vec(keyed_state(), 0..4);
    let operator = prop::collection::vec(operator_state(), 0..4);
    (keyed, operator).prop_map(|(keyed, operator)| OperatorSnapshot {
        keyed,
        operator,
        ..OperatorSnapshot::default()
    })
}

/// The bytes of a file with these operators.
fn file(operators: &[(u128, OperatorSnapshot)]) -> Vec<u8> {
    let mut encoder = StateFileEncoder::new();
    for (operator, snapshot) in operators {
        snapshot.write(encoder.operator(*operator)).unwrap();
    }
    encoder.finish().unwrap().bytes
}

/// A file with several chunks.
fn small_file() -> Vec<u8> {
    let meta = KeyedStateMeta {
        name: "sum".to_owned(),
        kind: StateKind::Value,
        ttl: false,
        types: StateType::of_each::<String, (), i64>(),
    };
    let groups = BTreeMap::from([
        (3, GroupEntries { count: 2, bytes: vec![1; 20] }),
        (90, GroupEntries { count: 1, bytes: vec![2; 10] }),
    ]);
    let list = OperatorStateSnapshot {
        name: "offsets".to_owned(),
        mode: RedistributionMode::SplitDistribute,
        element_type: StateType::of::<u64>(),
        elements: vec![vec![5; 8], vec![]],
    };
    let snapshot = OperatorSnapshot {
        keyed: vec![KeyedStateSnapshot { meta, groups, removed: None }],
        operator: vec![list],
        ..OperatorSnapshot::default()
    };
    file(&[(1, snapshot)])
}

/// Everything that reading does.
fn read_all(bytes: &[u8]) -> Result<(), StorageError> {
    let reader = StateFileReader::of_bytes(bytes.to_vec(), "bytes")?;
    for operator in reader.operators() {
        reader.operator(operator, ALL)?;
    }
    reader.verify()
}

proptest! {
    #[test]
    fn what_was_written_is_read(first in snapshot(), second in snapshot()) {
        let bytes = file(&[(1, first.clone()), (u128::MAX, second.clone())]);
        let reader = StateFileReader::of_bytes(bytes, "bytes").unwrap();
        reader.verify().unwrap();
        prop_assert_eq!(reader.operator(1, ALL).unwrap(), first);
        prop_assert_eq!(reader.operator(u128::MAX, ALL).unwrap(), second);
        prop_assert!(reader.operator(2, ALL).unwrap().is_empty());
    }

    #[test]
    fn of_keyed_state_only_the_wanted_groups_are_read(snapshot in snapshot(), start in 0..128_u32, len in 0..128_u32) {
        let range = KeyGroupRange { start, end: (start + len).min(128) };
        let reader = StateFileReader::of_bytes(file(&[(1, snapshot.clone())]), "bytes").unwrap();
        let mut expected = snapshot;
        for state in &mut expected.keyed {
            let of_keys = std::iter::once(&mut state.groups).chain(&mut state.removed);
            of_keys.for_each(|groups| groups.retain(|group, _| range.contains(*group)));
        }
        prop_assert_eq!(reader.operator(1, range).unwrap(), expected);
    }

    #[test]
    fn bytes_from_anywhere_are_refused_without_a_panic(bytes in any::<Vec<u8>>()) {
        prop_assert!(read_all(&bytes).is_err());
    }

    /// A wrong index behind right checksums is what a faulty writer makes, or somebody with bad intent.
    #[test]
    fn an_index_that_lies_is_refused_without_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let bytes = small_file();
        let index_len = u64::from_le_bytes(*bytes[bytes.len() - 24..].first_chunk().unwrap()) as usize;
        let chunks = bytes.len() - 24 - index_len;
        let mut index = bytes[chunks..bytes.len() - 24].to_vec();
        index[at.index(index_len)] = byte;
        let mut lying = bytes[..chunks].to_vec();
        frame::close(STATE_FILE, &index, &mut lying);
        let _ = read_all(&lying);
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let bytes = small_file();
    read_all(&bytes).unwrap();
    for at in 0..bytes.len() {
        assert!(read_all(&bytes[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(read_all(&damaged).is_err(), "bit {bit} of byte {at}");
        }
    }
}

#[test]
fn damage_in_groups_that_are_not_wanted_is_not_met() {
    let mut bytes = small_file();
    bytes[HEADER_BYTES] ^= 1;
    let reader = StateFileReader::of_bytes(bytes, "bytes").unwrap();
    assert_eq!(reader.operator(1, KeyGroupRange { start: 64, end: 128 }).unwrap().keyed[0].groups.len(), 1);
    let error = reader.operator(1, KeyGroupRange { start: 0, end: 64 }).unwrap_err().to_string();
    assert!(error.starts_with("bytes is damaged: the checksum of its entries of a key group is "), "{error}");
}

fn in_store(bytes: &[u8]) -> (Arc<MemoryBlobStore>, StateFile) {
    let store = Arc::new(MemoryBlobStore::new());
    store.create("job/chk-1/0-0", bytes).unwrap();
    let checksum = u64::from_le_bytes(*bytes[bytes.len() - 16..].first_chunk().unwrap());
    (store, StateFile { path: "chk-1/0-0".to_owned(), size: bytes.len() as u64, checksum })
}

#[test]
fn a_file_in_storage_is_the_one_meant() {
    let bytes = small_file();
    let (store, file) = in_store(&bytes);
    let open = |file: &StateFile| StateFileReader::open(Arc::clone(&store) as _, "job", file);
    assert_eq!(
        open(&file).unwrap().operator(1, ALL).unwrap(),
        StateFileReader::of_bytes(bytes.clone(), "").unwrap().operator(1, ALL).unwrap()
    );
    let damage = |file| match open(&file).unwrap_err() {
        StorageError::Damaged { place, damage } if place == "memory:/job/chk-1/0-0" => damage,
        other => panic!("{other}"),
    };
    let longer = StateFile { size: file.size + 1, ..file.clone() };
    assert_eq!(damage(longer), Damage::Length { found: file.size, expected: file.size + 1 });
    let other = StateFile { checksum: file.checksum ^ 1, ..file.clone() };
    assert!(matches!(damage(other), Damage::OtherFile { .. }));
    let missing = StateFile { path: "chk-1/0-1".to_owned(), ..file };
    assert!(matches!(open(&missing), Err(StorageError::NotFound { .. })));
}

#[test]
fn chunks_side_by_side_are_read_together_and_in_bounds() {
    let mut encoder = StateFileEncoder::new();
    let mut section = encoder.operator(1);
    let meta = KeyedStateMeta {
        name: "a".to_owned(),
        kind: StateKind::Value,
        ttl: false,
        types: StateType::of_each::<String, (), i64>(),
    };
    section.keyed_state(&meta).unwrap();
    for group in 0..128 {
        section.entries(0, group, 1, &vec![group as u8; 100_000]).unwrap();
    }
    let reader = StateFileReader::of_bytes(encoder.finish().unwrap().bytes, "bytes").unwrap();
    let wanted = |chunk: &Chunk| matches!(chunk.kind, ChunkKind::Entries { group, .. } if group % 64 != 0);
    let runs = reader.runs(wanted);
    assert_eq!(runs.iter().map(|run| run.chunks.len()).sum::<usize>(), 126);
    assert!(runs.len() >= 4 && runs.len() < 10, "{} runs", runs.len());
    assert!(runs.iter().all(|run| run.bytes.end - run.bytes.start <= READ_BYTES));
}
