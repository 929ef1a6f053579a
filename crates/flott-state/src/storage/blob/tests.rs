//! What every store does alike, and paths.

use super::*;
use crate::storage::{LocalBlobStore, MemoryBlobStore};

/// Runs a test on every kind of store.
fn with_stores(test: impl Fn(&dyn BlobStore)) {
    test(&MemoryBlobStore::new());
    // Tests run side by side, and a name is known to all of them.
    let name = format!("the stores of a test on {:?}", std::thread::current().id());
    test(&MemoryBlobStore::named(&name, "some/root"));
    let directory = tempfile::tempdir().unwrap();
    test(&LocalBlobStore::new(directory.path().join("not/there/yet")).unwrap());
    #[cfg(feature = "s3")]
    with_s3(test);
}

/// On the server that `FLOTT_TEST_S3` names, if it does, below a path that no other test uses.
#[cfg(feature = "s3")]
fn with_s3(test: impl Fn(&dyn BlobStore)) {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if let Ok(url) = std::env::var("FLOTT_TEST_S3") {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let store = crate::storage::open(&format!("{url}/{}-{number}", std::process::id())).unwrap();
        test(store.as_ref());
        store.list("").unwrap().iter().for_each(|blob| store.delete(&blob.path).unwrap());
    }
}

fn paths(blobs: &[BlobInfo]) -> Vec<&str> {
    blobs.iter().map(|blob| blob.path.as_str()).collect()
}

#[test]
fn what_was_created_is_read_and_listed() {
    with_stores(|store| {
        store.create("chk-1/_metadata", b"one").unwrap();
        store.create("chk-10/_metadata", b"ten!").unwrap();
        store.create("shared/a", b"").unwrap();
        assert_eq!(store.get("chk-10/_metadata").unwrap(), b"ten!");
        assert_eq!(store.get("shared/a").unwrap(), b"");
        assert_eq!(store.size("chk-1/_metadata").unwrap(), 3);
        assert_eq!(store.get_range("chk-10/_metadata", 1..3).unwrap(), b"en");
        assert_eq!(paths(&store.list("").unwrap()), ["chk-1/_metadata", "chk-10/_metadata", "shared/a"]);
        let below = store.list("chk-1").unwrap();
        assert_eq!(below, [BlobInfo { path: "chk-1/_metadata".to_owned(), size: 3 }]);
        assert_eq!(store.children("").unwrap(), ["chk-1", "chk-10", "shared"]);
        assert_eq!(store.children("shared").unwrap(), ["a"]);
    });
}

#[test]
fn of_two_that_create_the_same_blob_the_second_is_told() {
    with_stores(|store| {
        store.create("a/b", b"first").unwrap();
        let error = store.create("a/b", b"second").unwrap_err();
        assert!(matches!(&error, StorageError::AlreadyExists { place } if place.ends_with("a/b")), "{error}");
        assert_eq!(store.get("a/b").unwrap(), b"first");
        assert_eq!(paths(&store.list("").unwrap()), ["a/b"]);
    });
}

#[test]
fn of_many_threads_that_create_the_same_blob_one_succeeds() {
    with_stores(|store| {
        let created = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8_u8)
                .map(|thread| scope.spawn(move || store.create("commit", &[thread; 100]).is_ok()))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|ok| *ok).count()
        });
        assert_eq!(created, 1);
        let bytes = store.get("commit").unwrap();
        assert!(bytes.len() == 100 && bytes.iter().all(|byte| *byte == bytes[0]));
    });
}

#[test]
fn a_written_blob_appears_when_it_is_finished_and_not_before() {
    with_stores(|store| {
        let mut writer = store.writer("a/large").unwrap();
        writer.write(b"first ").unwrap();
        writer.write(b"second").unwrap();
        assert!(matches!(store.get("a/large"), Err(StorageError::NotFound { .. })));
        writer.finish().unwrap();
        assert_eq!(store.get("a/large").unwrap(), b"first second");
        assert_eq!(paths(&store.list("").unwrap()), ["a/large"]);
    });
}

#[test]
fn a_writer_that_is_dropped_leaves_nothing() {
    with_stores(|store| {
        let mut writer = store.writer("a/large").unwrap();
        writer.write(b"half").unwrap();
        drop(writer);
        assert_eq!(store.list("").unwrap(), []);
    });
}

#[test]
fn a_deleted_blob_is_gone_and_can_be_made_again() {
    with_stores(|store| {
        store.create("chk-1/deep/a", b"a").unwrap();
        store.create("chk-1/b", b"b").unwrap();
        store.delete("chk-1/deep/a").unwrap();
        assert_eq!(paths(&store.list("").unwrap()), ["chk-1/b"]);
        store.delete("chk-1/b").unwrap();
        assert_eq!(store.list("").unwrap(), []);
        store.delete("chk-1/b").unwrap();
        store.delete("never/there").unwrap();
        store.create("chk-1/b", b"again").unwrap();
        assert_eq!(store.get("chk-1/b").unwrap(), b"again");
    });
}

#[test]
fn a_missing_blob_is_reported_with_what_is_there_instead() {
    with_stores(|store| {
        for name in ["chk-41", "chk-42", "shared"] {
            store.create(&format!("job/{name}/_metadata"), b"").unwrap();
        }
        let error = store.get("job/chk-43").unwrap_err();
        let StorageError::NotFound { place, near } = &error else { panic!("{error}") };
        assert_eq!(*place, format!("{}/job/chk-43", store.url()));
        assert_eq!(near, &["chk-41", "chk-42", "shared"]);
        assert!(error.to_string().ends_with("there is chk-41, chk-42, shared"), "{error}");
    });
}

#[test]
fn more_bytes_than_there_are_can_not_be_read() {
    with_stores(|store| {
        store.create("a", b"four").unwrap();
        assert_eq!(store.get_range("a", 4..4).unwrap(), b"");
        let error = store.get_range("a", 2..5).unwrap_err();
        assert!(error.to_string().contains("it has 4 bytes, not 5"), "{error}");
        assert!(store.get_range("a", 2..u64::MAX).is_err());
    });
}

#[test]
fn a_path_that_leaves_the_store_is_refused() {
    with_stores(|store| {
        for path in ["", "/", "/etc/passwd", "a//b", "a/", "../a", "a/../../b", "./a", "a\\b", "a\0"] {
            let refused = |error: StorageError| matches!(error, StorageError::BadPath { .. });
            assert!(store.create(path, b"").is_err_and(refused), "create {path:?}");
            assert!(store.get(path).is_err_and(refused), "get {path:?}");
            assert!(store.delete(path).is_err_and(refused), "delete {path:?}");
            assert!(store.writer(path).is_err_and(refused), "writer {path:?}");
            assert!(path.is_empty() || store.list(path).is_err_and(refused), "list {path:?}");
        }
    });
}
