use super::*;
use crate::format::StateFileEncoder;
use crate::snapshot::{OperatorStateSnapshot, RedistributionMode, SnapshotSink};
use crate::storage::MemoryBlobStore;

fn target(inline_below: u64, largest: Option<u64>) -> SnapshotTarget {
    SnapshotTarget {
        store: Arc::new(MemoryBlobStore::new()),
        root: "job".to_owned(),
        directory: "chk-3".to_owned(),
        checkpoint: 3,
        limits: StateLimits { inline_below, largest },
        salt: 0xf,
    }
}

fn encoder(bytes: usize) -> StateFileEncoder {
    let mut encoder = StateFileEncoder::new();
    let state = OperatorStateSnapshot {
        name: "list".to_owned(),
        mode: RedistributionMode::Union,
        element_type: crate::StateType::of::<u8>(),
        elements: vec![vec![7; bytes]],
    };
    encoder.operator(1).operator_state(&state).unwrap();
    encoder
}

fn file_size(bytes: usize) -> u64 {
    encoder(bytes).finish().unwrap().size
}

#[test]
fn state_is_inlined_below_the_threshold_and_a_file_from_it_on() {
    let size = file_size(1_000);
    let part = target(size + 1, None).store("0-0", FileScope::Exclusive, encoder(1_000)).unwrap();
    assert!(matches!(&part, StatePart::Inline(bytes) if bytes.len() as u64 == size));
    let at_threshold = target(size, None);
    let part = at_threshold.store("0-0", FileScope::Exclusive, encoder(1_000)).unwrap();
    assert!(matches!(&part, StatePart::File(file) if file.size == size));
    assert_eq!(at_threshold.store.list("").unwrap().len(), 1);
}

#[test]
fn small_pieces_that_make_a_large_file_are_one_file() {
    let target = target(500, None);
    let end = encoder(1_000).finish().unwrap();
    let mut upload = target.upload("0-0", FileScope::Exclusive);
    let (start, rest) = end.bytes.split_at(900);
    start.chunks(7).for_each(|piece| upload.write(piece).unwrap());
    let part = upload.finish(EncodedEnd { bytes: rest.to_vec(), ..end.clone() }).unwrap();
    let StatePart::File(file) = part else { panic!("inlined") };
    assert_eq!((file.size, file.checksum), (end.size, end.checksum));
    assert_eq!(target.store.get(&join("job", &file.path)).unwrap(), end.bytes);
}

#[test]
fn shared_files_are_outside_the_directory_of_the_checkpoint() {
    let target = target(0, None);
    let StatePart::File(file) = target.store("4-1", FileScope::Shared, encoder(10)).unwrap() else {
        panic!()
    };
    assert_eq!(file.path, "shared/3-4-1-000000000000000f");
    assert_eq!(super::super::layout::writer_of(&file.path), Some(3));
}

#[test]
fn too_much_state_is_noticed_as_soon_as_it_is_there() {
    let target = target(u64::MAX, Some(1_000));
    let mut upload = target.upload("0-0", FileScope::Exclusive);
    upload.write(&[0; 1_000]).unwrap();
    let error = upload.write(&[0]).unwrap_err();
    assert!(matches!(error, StorageError::TooLarge { size: 1_001, largest: 1_000, .. }), "{error}");
}

#[test]
fn an_upload_that_is_dropped_leaves_nothing() {
    let target = target(0, None);
    let mut upload = target.upload("0-0", FileScope::Exclusive);
    upload.write(&[0; 100]).unwrap();
    drop(upload);
    assert_eq!(target.store.list("").unwrap(), []);
}
