//! Reading JSON lines.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod common;

use std::fs;

use common::{read_all, read_error};
use flott_connectors::file::{BadRecords, FileSource, JsonLines};
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Event {
    id: u32,
    kind: Option<String>,
}

fn event(id: u32, kind: Option<&str>) -> Event {
    Event { id, kind: kind.map(str::to_owned) }
}

fn source(content: &str) -> (TempDir, FileSource<JsonLines<Event>>) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("f.jsonl"), content).unwrap();
    let source = FileSource::json_lines(dir.path());
    (dir, source)
}

#[test]
fn each_line_is_a_value_and_blank_lines_are_none() {
    let (_dir, source) = source("{\"id\":1,\"kind\":\"ü\"}\r\n\n  \n{\"id\":2}");
    let expected = [event(1, Some("ü")), event(2, None)];
    assert_eq!(read_all(&source).unwrap(), expected);
    assert_eq!(read_all(&source.with_split_size(7)).unwrap(), expected);
}

#[test]
fn a_bad_value_fails_with_line_and_column() {
    let (dir, source) = source("{\"id\":1}\n\n{\"id\":\"x\"}\n");
    let path = dir.path().join("f.jsonl");
    let expected = format!("{}:3, column 9: invalid type: string \"x\", expected u32", path.display());
    assert_eq!(read_error(&source), expected);
    assert_eq!(read_error(&source.with_split_size(5)), expected);
}

#[test]
fn skipped_values_leave_the_others() {
    let (_dir, source) = source("{\n{\"id\":1}\nnonsense\n{\"id\":2}\n");
    let rows = read_all(&source.on_bad_records(BadRecords::Skip)).unwrap();
    assert_eq!(rows, [event(1, None), event(2, None)]);
}
