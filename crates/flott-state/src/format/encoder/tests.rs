use super::*;
use crate::StateType;
use crate::format::StateFileReader;
use crate::snapshot::StateKind;
use flott_core::key_group::KeyGroupRange;

const ALL: KeyGroupRange = KeyGroupRange { start: 0, end: 128 };

fn meta(name: &str) -> KeyedStateMeta {
    KeyedStateMeta {
        name: name.to_owned(),
        kind: StateKind::Value,
        ttl: false,
        types: StateType::of_each::<String, (), i64>(),
    }
}

fn finish(encoder: StateFileEncoder) -> StateFileReader {
    StateFileReader::of_bytes(encoder.finish().unwrap().bytes, "a test").unwrap()
}

#[test]
fn a_file_without_state_is_empty_and_can_be_read() {
    let encoder = StateFileEncoder::new();
    assert!(encoder.is_empty());
    assert_eq!(finish(encoder).operators().count(), 0);
}

#[test]
fn operators_may_take_turns() {
    let mut encoder = StateFileEncoder::new();
    let first = encoder.operator(1).keyed_state(&meta("a")).unwrap();
    let second = encoder.operator(2).keyed_state(&meta("b")).unwrap();
    assert_eq!((first, second), (0, 0));
    encoder.operator(1).entries(0, 5, 1, b"one").unwrap();
    encoder.operator(2).entries(0, 5, 1, b"two").unwrap();
    encoder.operator(1).entries(0, 5, 1, b"ONE").unwrap();
    assert!(!encoder.is_empty());
    let reader = finish(encoder);
    let first = reader.operator(1, ALL).unwrap();
    assert_eq!(
        (first.keyed[0].groups[&5].count, first.keyed[0].groups[&5].bytes.as_slice()),
        (2, &b"oneONE"[..])
    );
    assert_eq!(reader.operator(2, ALL).unwrap().keyed[0].groups[&5].bytes, b"two");
}

#[test]
fn what_is_taken_on_the_way_and_what_is_left_make_the_file() {
    let encode = |take: bool| {
        let mut encoder = StateFileEncoder::new();
        let mut bytes = Vec::new();
        encoder.operator(1).keyed_state(&meta("a")).unwrap();
        for group in 0..10 {
            encoder.operator(1).entries(0, group / 2, 1, &[group as u8; 100]).unwrap();
            if take {
                bytes.extend(encoder.take());
                assert_eq!(encoder.buffered(), 0);
            }
        }
        let end = encoder.finish().unwrap();
        bytes.extend(&end.bytes);
        (bytes, end.size, end.checksum)
    };
    let (bytes, size, checksum) = encode(true);
    assert_eq!(size, bytes.len() as u64);
    assert_eq!((bytes, size, checksum), encode(false));
}

#[test]
fn a_long_group_is_cut_into_chunks_that_can_be_checked_one_by_one() {
    let mut encoder = StateFileEncoder::new();
    encoder.operator(1).keyed_state(&meta("a")).unwrap();
    for _ in 0..64 {
        encoder.operator(1).entries(0, 3, 1, &vec![7; 100_000]).unwrap();
    }
    encoder.close_chunk();
    let lens: Vec<_> = encoder.index.chunks.iter().map(|chunk| chunk.len).collect();
    assert_eq!(lens.iter().sum::<u64>(), 6_400_000);
    assert!(lens.len() >= 5 && lens.iter().all(|len| *len < CHUNK_BYTES + 100_000), "{lens:?}");
    assert_eq!(finish(encoder).operator(1, ALL).unwrap().keyed[0].groups[&3].count, 64);
}
