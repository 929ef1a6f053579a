use super::*;

/// A disk without room.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_of_one_line_that_names_the_file() {
    let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let (in_progress, target) = (PathBuf::from("out/.part.inprogress"), PathBuf::from("out/part"));
    let mut part = Part { file, in_progress, target, length: 0, begun_ms: 0, written_ms: 0 };
    let error = part.write(b"one line\n").unwrap_err().to_string();
    assert!(error.starts_with("the file sink can't write 'out/.part.inprogress': No space left"), "{error}");
    assert_eq!((part.length, error.lines().count()), (0, 1));
}
