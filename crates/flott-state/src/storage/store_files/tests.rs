use std::fs;

use flott_core::key_group::KeyGroupRange;

use super::*;
use crate::storage::{MemoryBlobStore, StateLimits};

const LARGE: usize = 2 * PIECE_BYTES + 17;

fn target(name: &str) -> SnapshotTarget {
    SnapshotTarget {
        store: Arc::new(MemoryBlobStore::named(name, "")),
        root: "job".to_owned(),
        directory: "chk-3".to_owned(),
        checkpoint: 3,
        limits: StateLimits { inline_below: 100, largest: None },
        salt: 0xf,
    }
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 % 251) as u8).collect()
}

/// Stores a small file and a large one.
fn stored(target: &SnapshotTarget) -> StoreImage {
    let local = tempfile::tempdir().unwrap();
    let files = [("CURRENT", 20, FileScope::Exclusive), ("000012.sst", LARGE, FileScope::Shared)];
    let files = files.map(|(name, len, scope)| {
        let path = local.path().join(name);
        fs::write(&path, bytes(len)).unwrap();
        let content = target.store_local(&format!("1-0-{name}"), scope, &path).unwrap();
        StoreFile { name: name.to_owned(), content }
    });
    let key_groups = KeyGroupRange { start: 0, end: 128 };
    let (backend, files) = ("rocksdb".to_owned(), files.to_vec());
    let store = StoreFiles { checkpoint: 3, operator: 1, backend, instance: 5, key_groups, files };
    StoreImage::of(&target.source(), store)
}

#[test]
fn files_come_back_as_they_were() {
    let target = target("come back");
    let image = stored(&target);
    assert!(matches!(&image.files.files[0].content, StoredBytes::Inline(bytes) if bytes.len() == 20));
    let paths: Vec<_> = image.files.stored().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["shared/3-1-0-000012.sst-000000000000000f"]);
    assert_eq!(image.files.size(), 20 + LARGE as u64);
    let into = tempfile::tempdir().unwrap();
    image.download(into.path()).unwrap();
    assert_eq!(fs::read(into.path().join("CURRENT")).unwrap(), bytes(20));
    assert_eq!(fs::read(into.path().join("000012.sst")).unwrap(), bytes(LARGE));
}

#[test]
fn a_file_that_is_missing_cut_or_changed_is_told() {
    let target = target("told");
    let image = stored(&target);
    let path = "job/shared/3-1-0-000012.sst-000000000000000f";
    let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut content = bytes(LARGE);
        change(&mut content);
        target.store.delete(path).unwrap();
        if !content.is_empty() {
            target.store.create(path, &content).unwrap();
        }
        let into = tempfile::tempdir().unwrap();
        let verified = target.source().verify_store(&image.files).unwrap_err().to_string();
        (image.download(into.path()).unwrap_err().to_string(), verified)
    };
    let both = |(restored, verified): (String, String), expected: &str| {
        assert!(restored.contains(expected), "{restored}");
        assert!(verified.contains(expected), "{verified}");
    };
    both(damaged(&|bytes| bytes[PIECE_BYTES + 1] ^= 1), "the checksum of its content is");
    both(damaged(&|bytes| bytes.truncate(9)), "it has 9 bytes and should have 2097169");
    both(damaged(&Vec::clear), "there is no memory://told/job");
}

#[test]
fn a_name_leads_nowhere_else() {
    let target = target("nowhere else");
    let mut image = stored(&target);
    for name in ["../escaped", "/tmp/escaped", "..", ""] {
        image.files.files[0].name = name.to_owned();
        let into = tempfile::tempdir().unwrap();
        let error = image.download(into.path()).unwrap_err().to_string();
        assert!(error.contains("a file of a store has a name with a path"), "{error}");
    }
}
