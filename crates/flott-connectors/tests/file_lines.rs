//! Reading lines: splits, compression, restoring at any record, and what can go wrong.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;
use std::io::Write as _;
use std::time::Duration;

use common::{KJV, enumerator, read_all, read_by_subtask, read_error, reader, restored, serve};
use flate2::{Compression, write::GzEncoder};
use flott_connectors::file::{BadRecord, BadRecords, FileSource};
use flott_runtime::operator::OutputTag;
use flott_runtime::source::InputStatus;
use proptest::prelude::*;
use tempfile::TempDir;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn dir_with(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

#[test]
fn every_line_of_the_bible_is_read_once_at_any_parallelism() {
    let text = fs::read_to_string(KJV).unwrap();
    let mut expected: Vec<&str> = text.lines().collect();
    assert_eq!(read_all(&FileSource::lines(KJV)).unwrap(), expected, "one reader keeps the order");
    expected.sort_unstable();
    for parallelism in [2, 4] {
        let parts = read_by_subtask(&FileSource::lines(KJV), parallelism).unwrap();
        assert!(parts.iter().all(|part| !part.is_empty()), "every subtask has work");
        let mut lines: Vec<String> = parts.into_iter().flatten().collect();
        lines.sort_unstable();
        assert_eq!(lines, expected);
    }
}

#[test]
fn a_directory_is_read_with_its_subdirectories_in_order_and_without_hidden_names() {
    let dir = dir_with(&[
        ("b.txt", b"b\n"),
        ("a/z.txt", b"az\n"),
        (".hidden", b"no\n"),
        ("_SUCCESS", b"no\n"),
        (".git/x", b"no\n"),
        ("empty.txt", b""),
    ]);
    assert_eq!(read_all(&FileSource::lines(dir.path())).unwrap(), ["az", "b"]);
}

#[test]
fn a_pattern_selects_files_by_name() {
    let dir =
        dir_with(&[("f-1.txt", b"1\n"), ("f-22.txt", b"22\n"), ("g-1.txt", b"no\n"), (".f-1.txt", b"no\n")]);
    assert_eq!(read_all(&FileSource::lines(dir.path().join("f-*.txt"))).unwrap(), ["1", "22"]);
    assert_eq!(read_all(&FileSource::lines(dir.path().join("f-?.txt"))).unwrap(), ["1"]);
}

#[test]
fn gzip_is_known_by_name_or_by_its_first_bytes_and_may_have_several_members() {
    let mut members = gzip(b"one\ntw");
    members.extend(gzip(b"o\nthree"));
    let dir = dir_with(&[("a.gz", &members), ("b", &gzip(b"four\n"))]);
    assert_eq!(read_all(&FileSource::lines(dir.path())).unwrap(), ["one", "two", "three", "four"]);
}

#[test]
fn a_line_longer_than_the_buffer_is_read_whole() {
    let long = "x".repeat(300_000);
    let dir = dir_with(&[("a", format!("{long}\nshort\n").as_bytes())]);
    assert_eq!(read_all(&FileSource::lines(dir.path()).with_split_size(70_000)).unwrap(), [&long, "short"]);
}

#[test]
fn a_missing_file_an_empty_directory_and_an_unmatched_pattern_stop_the_job_at_start() {
    let dir = dir_with(&[("_only", b"x")]);
    let missing = read_error(&FileSource::lines(dir.path().join("missing.txt")));
    assert!(missing.contains("missing.txt") && missing.contains("no such file"), "{missing}");
    let empty = read_error(&FileSource::lines(dir.path()));
    assert!(empty.contains("no file there") && empty.contains("monitor_continuously"), "{empty}");
    let unmatched = read_error(&FileSource::lines(dir.path().join("*.csv")));
    assert!(unmatched.contains("*.csv"), "{unmatched}");
    let below_a_file = read_error(&FileSource::lines(dir.path().join("_only/below")));
    assert!(below_a_file.contains("_only/below"), "{below_a_file}");
}

#[test]
fn damaged_gzip_fails_with_file_and_position() {
    let whole = gzip("a line of text\n".repeat(1000).as_bytes());
    let dir = dir_with(&[("cut.gz", &whole[..whole.len() - 9]), ("fake.gz", b"plain text\n")]);
    let cut = read_error(&FileSource::lines(dir.path().join("cut.gz")));
    assert!(cut.contains("cut.gz") && cut.contains("of the unpacked content"), "{cut}");
    let fake = read_error(&FileSource::lines(dir.path().join("fake.gz")));
    assert!(fake.contains("fake.gz' at byte 0") && fake.contains("gzip"), "{fake}");
}

#[test]
fn bytes_that_are_not_utf8_fail_with_line_and_column_also_in_the_middle_of_a_file() {
    let dir = dir_with(&[("a.txt", b"one\ntwo\nthree\nfo\xffur\n")]);
    let expected =
        format!("{}:4, column 3: byte 0xff is not valid UTF-8", dir.path().join("a.txt").display());
    for split_bytes in [1, 5, 9, 1000] {
        assert_eq!(read_error(&FileSource::lines(dir.path()).with_split_size(split_bytes)), expected);
    }
    let zipped = dir_with(&[("a.gz", &gzip(b"one\ntwo\nthree\nfo\xffur\n"))]);
    assert!(read_error(&FileSource::lines(zipped.path())).contains("a.gz:4, column 3"));
}

#[test]
fn skipped_bad_lines_are_counted() {
    let dir = dir_with(&[("a", b"good\n\xff\nfine\n\xfe")]);
    let source = FileSource::lines(dir.path()).on_bad_records(BadRecords::Skip);
    let mut enumerator = enumerator(&source, 1).unwrap();
    let mut reader = reader(&source, 0, 1);
    serve(&mut enumerator, 0, &mut reader).unwrap();
    assert_eq!(reader.poll().unwrap().0, ["good", "fine"]);
    assert_eq!(reader.context().metrics().record_errors.get(), 2);
}

#[test]
fn diverted_bad_lines_go_to_the_side_output() {
    let dir = dir_with(&[("a", b"good\n\xff!\n")]);
    let tag = OutputTag::<BadRecord>::new("bad");
    let source = FileSource::lines(dir.path()).on_bad_records(BadRecords::Divert(tag.clone()));
    let mut enumerator = enumerator(&source, 1).unwrap();
    let mut reader = reader(&source, 0, 1);
    let bad = reader.connect(&tag);
    serve(&mut enumerator, 0, &mut reader).unwrap();
    assert_eq!(reader.poll().unwrap().0, ["good"]);
    let bad = bad.borrow();
    assert_eq!((bad.len(), bad[0].line, bad[0].raw.as_str()), (1, 2, "\u{fffd}!"));
    assert_eq!(reader.context().metrics().record_errors.get(), 1);
}

#[test]
fn diverting_to_a_side_output_that_nobody_reads_fails_before_any_record() {
    let dir = dir_with(&[("a", b"good\n")]);
    let source = FileSource::lines(dir.path()).on_bad_records(BadRecords::Divert(OutputTag::new("bad")));
    let error = read_error(&source);
    assert!(error.contains("side output 'bad', which nobody reads"), "{error}");
}

#[test]
fn a_file_that_changes_before_it_is_read_fails_the_job() {
    let dir = dir_with(&[("a", b"one\n")]);
    let source = FileSource::lines(dir.path());
    let mut enumerator = enumerator(&source, 1).unwrap();
    fs::write(dir.path().join("a"), b"one\ntwo\n").unwrap();
    let mut reader = reader(&source, 0, 1);
    serve(&mut enumerator, 0, &mut reader).unwrap();
    let error = reader.poll().err().unwrap().to_string();
    assert!(error.contains("has changed") && error.contains("size then 4 bytes, now 8"), "{error}");
}

#[test]
fn monitoring_finds_each_new_file_once_also_after_a_restore() {
    let dir = dir_with(&[("a", b"1\n")]);
    let source = FileSource::lines(dir.path()).monitor_continuously(Duration::from_secs(5));
    let mut first = enumerator(&source, 1).unwrap();
    let mut reader = reader(&source, 0, 1);
    serve(&mut first, 0, &mut reader).unwrap();
    assert_eq!(reader.poll().unwrap().0, ["1"]);
    serve(&mut first, 0, &mut reader).unwrap();
    assert_eq!(reader.poll().unwrap().1, InputStatus::NothingAvailable { retry_after: None });

    fs::write(dir.path().join("b"), b"2\n").unwrap();
    let decided = first.tick().unwrap();
    assert_eq!(decided.tick_after, Some(Duration::from_secs(5)));
    assert_eq!(decided.assigned.len(), 1, "the waiting reader gets it");
    assert!(decided.assigned[0].1.file.path.ends_with("/b"));
    assert_eq!(first.tick().unwrap().assigned, []);

    let mut second = restored(&source, first.snapshot().unwrap(), 1);
    fs::write(dir.path().join("c"), b"3\n").unwrap();
    assert_eq!(second.request_split(0).unwrap().assigned, []);
    let decided = second.tick().unwrap();
    assert_eq!(decided.assigned.len(), 1);
    assert!(decided.assigned[0].1.file.path.ends_with("/c"));
}

#[test]
fn splits_given_back_are_assigned_again() {
    let dir = dir_with(&[("a", b"1\n2\n")]);
    let mut enumerator = enumerator(&FileSource::lines(dir.path()).with_split_size(2), 2).unwrap();
    let given = enumerator.request_split(1).unwrap().assigned.remove(0).1;
    enumerator.add_splits_back(vec![given.clone()], 1).unwrap();
    assert_eq!(enumerator.request_split(0).unwrap().assigned, [(0, given)]);
}

/// Reads with a fresh enumerator and reader from the stored state after every poll. Batches hold 1,024 records or
/// 32 KiB, so lines of a kilobyte make many restores.
fn read_with_restores(source: &FileSource<flott_connectors::file::Lines>) -> Vec<String> {
    let mut enumerator = enumerator(source, 1).unwrap();
    let mut current = reader(source, 0, 1);
    let mut lines = Vec::new();
    loop {
        serve(&mut enumerator, 0, &mut current).unwrap();
        let (mut batch, status) = current.poll().unwrap();
        lines.append(&mut batch);
        if status == InputStatus::EndOfInput {
            return lines;
        }
        let splits = current.reader().snapshot_state(1).unwrap();
        let bytes = flott_core::encoding::to_vec(&(enumerator.snapshot().unwrap(), splits)).unwrap();
        let (state, splits) = flott_core::encoding::decode(&bytes).unwrap();
        enumerator = restored(source, state, 1);
        current = reader(source, 0, 1);
        current.reader().add_splits(splits).unwrap();
    }
}

#[test]
fn a_restore_after_every_batch_repeats_and_loses_nothing() {
    let text: String = (0..300).map(|n| format!("{n} {}\n", "x".repeat(n * 7 % 2000))).collect();
    let expected: Vec<&str> = text.lines().collect();
    let dir = dir_with(&[("a", text.as_bytes())]);
    assert_eq!(read_with_restores(&FileSource::lines(dir.path())), expected);
    assert_eq!(read_with_restores(&FileSource::lines(dir.path()).with_split_size(10_000)), expected);
    let zipped = dir_with(&[("a.gz", &gzip(text.as_bytes()))]);
    assert_eq!(read_with_restores(&FileSource::lines(zipped.path())), expected);
}

#[test]
fn a_reader_restored_at_any_record_goes_on_with_the_next() {
    let text = "a\n\nbcd\r\ne";
    for zipped in [false, true] {
        let content = if zipped { gzip(text.as_bytes()) } else { text.as_bytes().to_vec() };
        let dir = dir_with(&[("f", &content)]);
        let source = FileSource::lines(dir.path());
        let split = enumerator(&source, 1).unwrap().request_split(0).unwrap().assigned.remove(0).1;
        for (position, expected) in [(0, 4), (2, 3), (3, 2), (8, 1), (9, 0)] {
            let mut reader = reader(&source, 0, 1);
            let split = flott_connectors::file::FileSplit { position: Some(position), ..split.clone() };
            reader.reader().add_splits(vec![split]).unwrap();
            let lines = reader.poll().unwrap().0;
            assert_eq!(lines, ["a", "", "bcd", "e"][4 - expected..], "from byte {position}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_in_splits_of_any_size_is_read_once_and_in_order(
        text in "([a-zé]{0,6}(\n|\r\n)){0,20}[a-z]{0,4}",
        split_bytes in 1u64..40,
    ) {
        prop_assume!(!text.is_empty());
        let dir = dir_with(&[("f", text.as_bytes())]);
        let lines = read_all(&FileSource::lines(dir.path()).with_split_size(split_bytes)).unwrap();
        prop_assert_eq!(lines, text.lines().collect::<Vec<_>>());
    }
}
