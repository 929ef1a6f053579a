//! Against a real server: `FLOTT_TEST_S3=s3://BUCKET/PREFIX` and the `AWS_` variables name it (`tools/test-s3` starts one).

use super::*;
use crate::storage::url;

#[test]
fn a_bucket_and_a_prefix_make_a_store() {
    assert_eq!(url::open("s3://bucket/some/prefix/").unwrap().url(), "s3://bucket/some/prefix");
    assert_eq!(url::open("s3a://bucket").unwrap().url(), "s3://bucket");
    assert!(url::open("s3://").unwrap_err().to_string().contains("names no bucket"));
}

#[test]
#[ignore = "needs an S3 server, which tools/test-s3 starts"]
fn a_large_blob_is_written_in_parts_and_given_up_in_the_middle() {
    let store = url::open(&std::env::var("FLOTT_TEST_S3").unwrap()).unwrap();
    let piece: Vec<u8> = (0..3_000_000_u32).map(|number| (number * 31) as u8).collect();
    let mut writer = store.writer("large/blob").unwrap();
    (0..7).for_each(|_| writer.write(&piece).unwrap());
    writer.finish().unwrap();
    assert_eq!(store.size("large/blob").unwrap(), 21_000_000);
    assert_eq!(
        store.get_range("large/blob", 2_999_990..3_000_010).unwrap(),
        [&piece[2_999_990..], &piece[..10]].concat()
    );

    let mut writer = store.writer("large/given-up").unwrap();
    (0..3).for_each(|_| writer.write(&piece).unwrap());
    drop(writer);
    assert!(matches!(store.size("large/given-up"), Err(StorageError::NotFound { .. })));
    store.delete("large/blob").unwrap();
    assert_eq!(store.list("large").unwrap(), []);
}
