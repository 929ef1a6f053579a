use super::*;

#[test]
fn a_missing_snapshot_is_reported_with_what_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    std::fs::create_dir_all(format!("{path}/job/chk-12")).unwrap();
    let message = |below: &str| StoredSnapshot::open(&format!("{path}/{below}")).unwrap_err().to_string();
    assert_eq!(message("job/chk-11"), format!("there is no file://{path}/job/chk-11; there is chk-12"));
    assert_eq!(message("jbo/chk-12"), format!("there is no file://{path}/jbo; there is job"));
    assert_eq!(message("job/chk-12/_metadata"), format!("there is no file://{path}/job/chk-12/_metadata"));
}
