use super::*;
use crate::storage::{self, StorageError};

#[test]
fn escapes_in_a_url_are_read() {
    assert_eq!(decode("/a%20b/%C3%A4%25/c d").unwrap(), "/a b/ä%/c d");
    assert_eq!(decode(&encode("/100 %/a%20b")).unwrap(), "/100 %/a%20b");
}

#[test]
fn what_is_no_escape_is_an_error() {
    for bad in ["/a%", "/a%2", "/a%zz", "/a%+1", "/a%ff"] {
        assert!(decode(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_directory_with_a_percent_sign_is_found_again_by_its_url() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("100 %");
    let store = storage::open(&format!("file://{}/100%20%25", directory.path().display())).unwrap();
    store.create("file", b"content").unwrap();
    assert_eq!(std::fs::read(path.join("file")).unwrap(), b"content");
    let missing = storage::open(path.to_str().unwrap()).unwrap().get("other").unwrap_err();
    assert!(matches!(missing, StorageError::NotFound { place, .. } if place.contains("/100 %25/other")));
}
