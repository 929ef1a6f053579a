//! Reading CSV.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;

use common::{enumerator, read_all, read_by_subtask, read_error, reader, serve};
use flott_connectors::file::{BadRecord, BadRecords, CsvOptions, CsvTrim, FileSource};
use flott_runtime::operator::OutputTag;
use flott_runtime::source::InputStatus;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    name: String,
    delay: Option<i32>,
}

fn row(name: &str, delay: Option<i32>) -> Row {
    Row { name: name.to_owned(), delay }
}

fn file(content: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("f.csv"), content).unwrap();
    dir
}

fn source(dir: &TempDir, options: CsvOptions) -> FileSource<flott_connectors::file::Csv<Row>> {
    FileSource::csv(dir.path(), options)
}

fn path(dir: &TempDir) -> String {
    dir.path().join("f.csv").display().to_string()
}

#[test]
fn rows_are_read_by_the_names_of_the_header_and_empty_fields_are_none() {
    let dir = file("delay,ignored,name\n5,x,anna\n,y,\"ber\nta\"\n");
    let rows = read_all(&source(&dir, CsvOptions::new())).unwrap();
    assert_eq!(rows, [row("anna", Some(5)), row("ber\nta", None)]);
}

#[test]
fn without_header_rows_are_read_by_position_and_delimiter_quote_and_trim_apply() {
    let dir = file(" 'a;b' ;1\nc; \n");
    let options =
        CsvOptions::new().header(false).delimiter(b';').quote(None).trim(CsvTrim::All).flexible(true);
    let rows: Vec<Vec<String>> = read_all(&FileSource::csv(dir.path(), options)).unwrap();
    assert_eq!(rows, [vec!["'a", "b'", "1"], vec!["c", ""]]);
    let dir = file("'a;b';1\n");
    let options = CsvOptions::new().header(false).delimiter(b';').quote(Some(b'\''));
    assert_eq!(read_all(&source(&dir, options)).unwrap(), [row("a;b", Some(1))]);
}

#[test]
fn a_text_for_missing_values_is_read_as_none() {
    let dir = file("name,delay\nanna,NA\nNAN,1\n");
    let rows = read_all(&source(&dir, CsvOptions::new().null("NA"))).unwrap();
    assert_eq!(rows, [row("anna", None), row("NAN", Some(1))]);
    assert!(read_error(&source(&dir, CsvOptions::new())).contains("column 2 'delay'"));
}

#[test]
fn a_bad_field_fails_with_file_line_column_and_text() {
    let dir = file("name,delay\nanna,5\n\n\"ber\nta\",6\ncarl,abc\n");
    let expected = format!("{}:6, column 2 'delay': invalid digit found in string (\"abc\")", path(&dir));
    assert_eq!(read_error(&source(&dir, CsvOptions::new())), expected);
    let dir = file("name,delay\r\nanna,5\r\ncarl,abc\r\n");
    let expected = format!("{}:3, column 2 'delay': invalid digit found in string (\"abc\")", path(&dir));
    assert_eq!(read_error(&source(&dir, CsvOptions::new())), expected);
    for split_bytes in [3, 12, 22] {
        let cut = source(&dir, CsvOptions::new().splittable(true)).with_split_size(split_bytes);
        assert_eq!(read_error(&cut), expected, "in splits of {split_bytes}");
    }
}

#[test]
fn a_row_of_another_width_is_bad_unless_rows_may_differ() {
    let dir = file("name,delay\nanna\n");
    let error = read_error(&source(&dir, CsvOptions::new()));
    assert_eq!(error, format!("{}:2: 1 fields where 2 were expected", path(&dir)));
    let dir = file("name,delay\nanna,1,surplus\n");
    assert_eq!(read_all(&source(&dir, CsvOptions::new().flexible(true))).unwrap(), [row("anna", Some(1))]);
}

#[test]
fn a_field_that_is_not_utf8_is_a_bad_record_with_its_column() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("f.csv"), b"name,delay\nan\xffna,1\nb,2\n").unwrap();
    let error = read_error(&source(&dir, CsvOptions::new()));
    assert!(error.ends_with("f.csv:2, column 1 'name': byte 3 of the field is not valid UTF-8"), "{error}");
    let skipped = source(&dir, CsvOptions::new()).on_bad_records(BadRecords::Skip);
    assert_eq!(read_all(&skipped).unwrap(), [row("b", Some(2))]);
}

#[test]
fn diverted_rows_keep_line_column_and_text() {
    let dir = file("name,delay\r\na,1\r\nb,\"x\r\ny\"\r\nc,3\r\nd\r\n");
    let tag = OutputTag::<BadRecord>::new("bad");
    let source = source(&dir, CsvOptions::new()).on_bad_records(BadRecords::Divert(tag.clone()));
    let mut enumerator = enumerator(&source, 1).unwrap();
    let mut reader = reader(&source, 0, 1);
    let bad = reader.connect(&tag);
    serve(&mut enumerator, 0, &mut reader).unwrap();
    assert_eq!(reader.poll().unwrap().0, [row("a", Some(1)), row("c", Some(3))]);
    let bad: Vec<_> = bad.borrow().iter().map(|bad| (bad.line, bad.raw.clone())).collect();
    assert_eq!(bad, [(3, "b,\"x\r\ny\"".to_owned()), (6, "d".to_owned())]);
    assert_eq!(reader.context().metrics().record_errors.get(), 2);
}

#[test]
fn a_file_is_not_cut_unless_it_is_said_to_be_splittable() {
    let text: String = (0..1000).map(|n| format!("name-{n},{n}\r\n")).collect();
    let dir = file(&format!("name,delay\r\n{text}"));
    let whole = read_by_subtask(&source(&dir, CsvOptions::new()).with_split_size(100), 2).unwrap();
    assert_eq!((whole[0].len(), whole[1].len()), (1000, 0));
    let cut = source(&dir, CsvOptions::new().splittable(true)).with_split_size(100);
    let parts = read_by_subtask(&cut, 2).unwrap();
    assert!(!parts[1].is_empty());
    assert_eq!(parts.iter().map(Vec::len).sum::<usize>(), 1000);
}

#[test]
fn a_reader_restored_after_every_batch_repeats_and_loses_nothing() {
    let text: String = (0..3000).map(|n| format!("\"name\r\n{n}\",{n}\r\n")).collect();
    let dir = file(&format!("name,delay\r\n{text}"));
    let source = source(&dir, CsvOptions::new());
    let split = enumerator(&source, 1).unwrap().request_split(0).unwrap().assigned.remove(0).1;
    let mut splits = vec![split];
    let mut delays = Vec::new();
    let mut restores = 0;
    while !splits.is_empty() {
        let mut reader = reader(&source, 0, 1);
        reader.reader().add_splits(splits).unwrap();
        let (rows, status) = reader.poll().unwrap();
        assert_eq!(status, InputStatus::MoreAvailable);
        delays.extend(rows.iter().filter_map(|row| row.delay));
        splits = reader.reader().snapshot_state(1).unwrap();
        restores += 1;
    }
    assert!(restores > 2);
    assert_eq!(delays, (0..3000).collect::<Vec<_>>());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_rows_in_splits_of_any_size_are_read_once_and_in_order(
        names in prop::collection::vec("[a-z]{1,6}", 1..20),
        line_end in "\n|\r\n",
        blank_lines in any::<bool>(),
        header in any::<bool>(),
        split_bytes in 1u64..40,
    ) {
        let mut text = if header { format!("name,delay{line_end}") } else { String::new() };
        for name in &names {
            text += &format!("{name},7{line_end}");
            if blank_lines {
                text += &line_end;
            }
        }
        let dir = file(&text);
        let options = CsvOptions::new().header(header).splittable(true);
        let rows = read_all(&source(&dir, options).with_split_size(split_bytes)).unwrap();
        prop_assert_eq!(rows.into_iter().map(|row| row.name).collect::<Vec<_>>(), names);
    }
}

#[test]
fn without_header_rows_are_as_wide_as_the_first_one_also_where_a_restored_reader_begins() {
    let dir = file("anna,1\nber\ncarl,2\n");
    let source = source(&dir, CsvOptions::new().header(false)).on_bad_records(BadRecords::Skip);
    let split = enumerator(&source, 1).unwrap().request_split(0).unwrap().assigned.remove(0).1;
    let mut reader = reader(&source, 0, 1);
    let split = flott_connectors::file::FileSplit { position: Some(7), ..split };
    reader.reader().add_splits(vec![split]).unwrap();
    assert_eq!(reader.poll().unwrap().0, [row("carl", Some(2))]);
}
