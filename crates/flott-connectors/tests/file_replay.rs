//! Every kind of file source read with checkpoints and failures at random moments, at changing parallelism: each record comes
//! once.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use flott_connectors::file::{CsvOptions, FileSource, Format};
use flott_runtime::seam::SystemClock;
use flott_runtime::source::testing::{Replay, ReplayStep};
use proptest::prelude::*;
use tempfile::TempDir;

fn step() -> impl Strategy<Value = ReplayStep> {
    prop_oneof![
        8 => (0..4u32).prop_map(ReplayStep::Poll),
        6 => (0..4u32).prop_map(ReplayStep::Serve),
        2 => Just(ReplayStep::Checkpoint),
        1 => (1..5u32).prop_map(ReplayStep::Restore),
        1 => (0..4u32).prop_map(ReplayStep::RestoreReader),
        1 => Just(ReplayStep::Tick),
    ]
}

fn steps() -> impl Strategy<Value = Vec<ReplayStep>> {
    prop::collection::vec(step(), 0..120)
}

/// What a source yields, sorted, with these steps in between.
fn read<F: Format<Record: Ord>>(
    source: &FileSource<F>,
    parallelism: u32,
    steps: Vec<ReplayStep>,
) -> Vec<F::Record> {
    let mut replay = Replay::start(source, parallelism, Arc::new(SystemClock::new())).unwrap();
    steps.into_iter().for_each(|step| replay.step(step).unwrap());
    let mut records = replay.finish().unwrap();
    records.sort();
    records
}

/// Lines so long that a poll takes about ten of them; none is like another.
fn lines(file: usize) -> Vec<String> {
    (0..150).map(|n| format!("{file} {n:03} {}", "x".repeat(n * 97 % 6_000))).collect()
}

fn write_plain(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

fn write_gzip(path: &Path, text: &str) {
    let mut encoder = GzEncoder::new(fs::File::create(path).unwrap(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap();
}

/// Three files, two plain and one gzip; `text` makes the content from the lines.
fn directory(text: impl Fn(Vec<String>) -> String) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write_plain(&dir.path().join("a"), &text(lines(0)));
    write_gzip(&dir.path().join("b.gz"), &text(lines(1)));
    write_plain(&dir.path().join("c"), &text(lines(2)));
    dir
}

fn all(files: std::ops::Range<usize>) -> Vec<String> {
    files.flat_map(lines).collect()
}

/// What the source of this directory must yield.
fn expected() -> Vec<(String, u64)> {
    all(0..3).into_iter().map(|line| (line, 7)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn lines_come_once(steps in steps(), parallelism in 1..4u32, split_bytes in 20_000..300_000u64) {
        let dir = directory(|lines| lines.join("\r\n"));
        let source = FileSource::lines(dir.path()).with_split_size(split_bytes);
        prop_assert_eq!(read(&source, parallelism, steps), all(0..3));
    }

    #[test]
    fn json_values_come_once(steps in steps(), parallelism in 1..4u32, split_bytes in 20_000..300_000u64) {
        let dir = directory(|lines| lines.iter().map(|line| format!("[\"{line}\", 7]\n\n")).collect());
        let source = FileSource::json_lines::<(String, u64)>(dir.path()).with_split_size(split_bytes);
        prop_assert_eq!(read(&source, parallelism, steps), expected());
    }

    #[test]
    fn csv_rows_come_once(steps in steps(), parallelism in 1..4u32, split_bytes in 20_000..300_000u64) {
        let rows = |lines: Vec<String>| lines.iter().map(|line| format!("{line},7\n")).collect::<String>();
        let with_header = directory(|lines| format!("line,seven\n{}", rows(lines)));
        let source = FileSource::csv::<(String, u64)>(with_header.path(), CsvOptions::new());
        prop_assert_eq!(read(&source.with_split_size(split_bytes), parallelism, steps.clone()), expected());
        let without = directory(rows);
        let source = FileSource::csv::<(String, u64)>(without.path(), CsvOptions::new().header(false));
        prop_assert_eq!(read(&source.with_split_size(split_bytes), parallelism, steps), expected());
    }

    #[test]
    fn files_that_appear_while_a_directory_is_watched_are_read_once(
        steps in prop::collection::vec(steps(), 3),
        parallelism in 1..4u32,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let source = FileSource::lines(dir.path()).with_split_size(100_000);
        let source = source.monitor_continuously(Duration::from_secs(1));
        let mut replay = Replay::start(&source, parallelism, Arc::new(SystemClock::new())).unwrap();
        for (file, steps) in steps.into_iter().enumerate() {
            write_plain(&dir.path().join(file.to_string()), &lines(file).join("\n"));
            steps.into_iter().for_each(|step| replay.step(step).unwrap());
        }
        replay.step(ReplayStep::Tick).unwrap();
        let mut read = replay.finish().unwrap();
        read.sort();
        prop_assert_eq!(read, all(0..3));
    }
}
