use super::*;

#[test]
fn names_are_those_of_flink() {
    let job = JobKey(0xa1b2_c3d4_e5f6_0718_293a_4b5c_6d7e_8f90);
    assert_eq!(job.to_string(), "a1b2c3d4e5f60718293a4b5c6d7e8f90");
    assert_eq!(checkpoint_directory(42), "chk-42");
    assert_eq!(savepoint_directory(job, 0xffff_0123_4567_89ab), "savepoint-a1b2c3-0123456789ab");
}

#[test]
fn only_the_names_of_checkpoints_are_those_of_checkpoints() {
    assert_eq!(checkpoint_of_directory("chk-42"), Some(42));
    for name in
        ["chk-", "chk-042", "chk--1", "chk-+1", "chk-1x", "chk", "savepoint-1", "chk-99999999999999999999"]
    {
        assert_eq!(checkpoint_of_directory(name), None, "{name}");
    }
}

#[test]
fn a_path_tells_which_checkpoint_has_written_it() {
    for (path, writer) in [
        ("chk-7/_metadata", Some(7)),
        ("chk-7/0-1-00ab.3.tmp", Some(7)),
        ("shared/7-0-1-00ab", Some(7)),
        ("shared/07-x", None),
        ("shared/notes", None),
        ("taskowned/7-x", None),
        ("_metadata", None),
        ("notes/chk-7", None),
    ] {
        assert_eq!(writer_of(path), writer, "{path}");
    }
}
