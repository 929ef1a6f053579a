use super::*;

fn store() -> (tempfile::TempDir, LocalBlobStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = LocalBlobStore::new(directory.path()).unwrap();
    (directory, store)
}

#[test]
fn a_blob_is_a_file_of_its_path() {
    let (directory, store) = store();
    store.create("chk-1/_metadata", b"bytes").unwrap();
    assert_eq!(fs::read(directory.path().join("chk-1/_metadata")).unwrap(), b"bytes");
    assert_eq!(store.url(), format!("file://{}", directory.path().display()));
}

#[test]
fn a_directory_that_becomes_empty_vanishes() {
    let (directory, store) = store();
    store.create("chk-1/deep/a", b"a").unwrap();
    store.create("chk-1/b", b"b").unwrap();
    store.delete("chk-1/deep/a").unwrap();
    assert_eq!(store.children("chk-1").unwrap(), ["b"]);
    store.delete("chk-1/b").unwrap();
    assert_eq!(store.children("").unwrap(), [""; 0]);
    assert!(directory.path().is_dir());
}

#[test]
fn what_a_crash_left_half_written_is_listed_and_can_be_deleted() {
    let (_directory, store) = store();
    let mut writer = store.writer("chk-1/state").unwrap();
    writer.write(b"half").unwrap();
    std::mem::forget(writer);
    let left = store.list("").unwrap();
    assert_eq!(left.len(), 1);
    assert!(left[0].path.starts_with("chk-1/state.") && left[0].path.ends_with(".tmp"), "{left:?}");
    store.delete(&left[0].path).unwrap();
    assert_eq!(store.children("").unwrap(), [""; 0]);
}

#[test]
fn a_half_written_file_of_another_process_is_no_obstacle() {
    let (directory, store) = store();
    for number in 0..10_000 {
        fs::write(directory.path().join(format!("a.{number}.tmp")), "theirs").unwrap();
    }
    store.create("a", b"ours").unwrap();
    assert_eq!(store.get("a").unwrap(), b"ours");
    assert_eq!(fs::read(directory.path().join("a.9999.tmp")).unwrap(), b"theirs");
}

#[test]
fn directories_may_vanish_while_files_are_made_in_them() {
    let (_directory, store) = store();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for number in 0..50 {
                    let path = format!("deep/er/{thread}-{number}");
                    store.create(&path, b"x").unwrap();
                    store.delete(&path).unwrap();
                }
            });
        }
    });
    assert_eq!(store.list("").unwrap(), []);
}

#[test]
fn the_first_missing_directory_is_named_with_what_is_there_instead() {
    let (directory, _) = store();
    fs::create_dir(directory.path().join("checkpoints")).unwrap();
    let store = LocalBlobStore::new(directory.path().join("chekpoints/job")).unwrap();
    let error = store.get("chk-1/_metadata").unwrap_err().to_string();
    let place = format!("file://{}/chekpoints", directory.path().display());
    assert_eq!(error, format!("there is no {place}; there is checkpoints"));
}

#[test]
fn a_directory_is_no_blob() {
    let (_directory, store) = store();
    store.create("a/b", b"").unwrap();
    assert!(store.get("a").is_err());
    let error = store.create("a/b/c", b"").unwrap_err().to_string();
    assert!(error.starts_with("cannot write file://"), "{error}");
}

#[test]
fn a_directory_that_can_not_be_written_is_an_error_that_names_it() {
    // Files can't be made in /proc, whoever asks.
    let store = LocalBlobStore::new("/proc/checkpoints").unwrap();
    let error = store.create("a", b"").unwrap_err().to_string();
    assert!(error.starts_with("cannot write file:///proc/checkpoints/a: "), "{error}");
}
