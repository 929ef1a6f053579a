//! `flott snapshot` on the snapshot of format version 1 that is kept in the repository.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../flott-state/tests/fixtures/snapshot-v1")
}

fn snapshot(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_flott")).arg("snapshot").args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_whole_snapshot_is_shown_and_verified() {
    let path = fixture().display().to_string();
    let shown = snapshot(&["show", &path]);
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    let shown = text(&shown.stdout);
    for word in ["operator", "parallelism", "key group"] {
        assert!(shown.contains(word), "{word}: {shown}");
    }
    let verified = snapshot(&["verify", &path]);
    assert!(verified.status.success(), "{}", text(&verified.stdout));
    let dumped = snapshot(&["dump", &path, "--operator", "sum", "--state", "sum"]);
    assert!(dumped.status.success(), "{}", text(&dumped.stderr));
    assert_eq!(text(&dumped.stdout).lines().count(), 2);
}

#[test]
fn a_snapshot_is_the_same_as_itself_and_its_lists_can_be_read() {
    let path = fixture().display().to_string();
    let same = snapshot(&["diff", &path, &path]);
    assert!(same.status.success(), "{}{}", text(&same.stdout), text(&same.stderr));
    assert_eq!(text(&same.stdout), "");
    let offsets = snapshot(&["dump", &path, "--operator", "sum", "--state", "offsets"]);
    assert_eq!(text(&offsets.stdout).lines().next(), Some(r#"{"element":3,"subtask":0}"#));
    let large = snapshot(&["dump", &path, "--operator", "map", "--state", "large"]);
    assert!(large.status.success(), "{}", text(&large.stderr));
}

#[test]
fn a_damaged_file_is_named_and_the_exit_code_tells() {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(fixture()).unwrap() {
        let file = file.unwrap();
        let mut bytes = std::fs::read(file.path()).unwrap();
        if file.file_name() != "_metadata" {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        }
        std::fs::write(copy.path().join(file.file_name()), bytes).unwrap();
    }
    let verified = snapshot(&["verify", &copy.path().display().to_string()]);
    assert_eq!(verified.status.code(), Some(1));
    assert!(text(&verified.stdout).contains("is damaged"), "{}", text(&verified.stdout));
}

#[test]
fn a_path_without_a_snapshot_is_told_in_one_line() {
    let missing = snapshot(&["show", "/no/such/chk-1"]);
    assert_eq!(missing.status.code(), Some(2));
    let error = text(&missing.stderr);
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains("there is no file:///no"), "{error}");
}

fn answered(arguments: &[&str], answer: &str) -> Output {
    use std::io::Write;
    use std::process::Stdio;
    let mut child = Command::new(env!("CARGO_BIN_EXE_flott"))
        .arg("snapshot")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_snapshot_is_disposed_of_when_that_is_confirmed() {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(fixture()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let other = copy.path().join("other");
    std::fs::write(&other, "not of the snapshot").unwrap();
    let path = copy.path().display().to_string();
    let asked = answered(&["dispose", &path], "n\n");
    assert!(!asked.status.success());
    assert!(text(&asked.stdout).contains("Delete it for good?"), "{}", text(&asked.stdout));
    assert!(snapshot(&["verify", &path]).status.success(), "nothing was deleted");
    let confirmed = answered(&["dispose", &path], "y\n");
    assert!(confirmed.status.success(), "{}", text(&confirmed.stderr));
    let left: Vec<_> = std::fs::read_dir(copy.path()).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(left, [other]);
}

#[test]
fn what_is_no_snapshot_is_not_disposed_of() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("data"), "precious").unwrap();
    let refused = snapshot(&["dispose", "--yes", &directory.path().display().to_string()]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).starts_with("error: "), "{}", text(&refused.stderr));
    assert!(directory.path().join("data").exists());
}
