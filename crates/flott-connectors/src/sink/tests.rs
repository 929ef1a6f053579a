mod recovery;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use flott_core::Batch;
use flott_core::seam::Clock;
use flott_core::time::{MIN_WATERMARK, Timestamp};
use flott_runtime::sink::testing::sink_context;
use flott_runtime::sink::{CommitError, Committer, Sink, SinkWriter, WriteContext};

use super::commit::FileCommitter;
use super::*;

#[derive(Default)]
struct ManualClock(AtomicI64);

impl Clock for ManualClock {
    fn wall_ms(&self) -> Timestamp {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> u64 {
        0
    }
}

type Writer<T> = Box<dyn SinkWriter<T, Committable = FileCommittable, State = FileWriterState>>;

fn writer_at<T: Send + 'static, E: Encoder<T>>(sink: &FileSink<T, E>, clock: Arc<ManualClock>) -> Writer<T> {
    sink.create_writer(&sink_context(3, 4, clock)).unwrap()
}

fn writer<T: Send + 'static, E: Encoder<T>>(sink: &FileSink<T, E>) -> Writer<T> {
    writer_at(sink, Arc::new(ManualClock::default()))
}

fn words(directory: &Path) -> FileSink<String, impl Encoder<String>> {
    FileSink::new(directory, LineEncoder::display::<String>())
}

fn write<T>(writer: &mut Writer<T>, records: Vec<T>) {
    let mut batch = Batch::of(records);
    writer.write(&mut batch, WriteContext { current_watermark: MIN_WATERMARK }).unwrap();
    assert!(batch.is_empty());
}

fn write_words(writer: &mut Writer<String>, words: &[&str]) {
    write(writer, words.iter().map(|&word| word.to_owned()).collect());
}

fn commit(parts: &[FileCommittable]) {
    for part in parts {
        FileCommitter.commit(part).unwrap();
    }
}

fn finish<T>(writer: &mut Writer<T>) -> Vec<FileCommittable> {
    writer.flush(true).unwrap();
    let parts = writer.prepare_commit().unwrap();
    writer.close().unwrap();
    parts
}

/// What is in a directory; parts are called `part-<subtask>-<number>`.
fn names(directory: &Path) -> Vec<String> {
    files(directory).into_iter().map(|(name, _)| name).collect()
}

fn files(directory: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> =
        entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path())).collect();
    for (name, _) in &mut files {
        if let Some(part) = name::PartName::of(name) {
            *name = name.replace(&part.to_string(), &format!("part-{}-{}", part.subtask, part.number));
        }
    }
    files.sort();
    files
}

/// The text of the only file of this name.
fn text(directory: &Path, name: &str) -> String {
    let of_name: Vec<_> = files(directory).into_iter().filter(|(known, _)| known == name).collect();
    assert_eq!(of_name.len(), 1, "{name} among {:?}", names(directory));
    fs::read_to_string(&of_name[0].1).unwrap()
}

#[test]
fn a_part_is_hidden_until_it_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("a/b");
    let mut writer = writer(&words(&out));
    assert_eq!(names(&out), [""; 0], "no part without records");
    write_words(&mut writer, &["one", "two"]);
    let parts = finish(&mut writer);
    assert_eq!(names(&out), [".part-3-0.inprogress"]);
    commit(&parts);
    assert_eq!(names(&out), ["part-3-0"]);
    assert_eq!(text(&out, "part-3-0"), "one\ntwo\n");
}

#[test]
fn a_writer_that_is_closed_early_takes_its_unfinished_part_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(&words(dir.path()));
    write_words(&mut writer, &["one"]);
    writer.flush(false).unwrap();
    assert_eq!(names(dir.path()), [".part-3-0.inprogress"]);
    writer.close().unwrap();
    assert_eq!(names(dir.path()), [""; 0]);
}

#[test]
fn a_fresh_start_adds_to_what_earlier_runs_have_left() {
    let dir = tempfile::tempdir().unwrap();
    let old = ["part-3-0", "part-0123456789ab-3-0", ".part-0123456789ab-3-1.inprogress"];
    old.iter().for_each(|name| fs::write(dir.path().join(name), "old").unwrap());
    let mut writer = writer(&words(dir.path()));
    write_words(&mut writer, &["new"]);
    commit(&finish(&mut writer));
    assert!(old.iter().all(|name| fs::read_to_string(dir.path().join(name)).unwrap() == "old"));
    assert_eq!(names(dir.path()).len(), 4);
}

#[test]
fn two_writers_of_one_directory_never_share_a_part() {
    let dir = tempfile::tempdir().unwrap();
    let (mut first, mut second) = (writer(&words(dir.path())), writer(&words(dir.path())));
    write_words(&mut first, &["first"]);
    write_words(&mut second, &["second"]);
    commit(&finish(&mut second));
    commit(&finish(&mut first));
    let mut texts: Vec<_> =
        files(dir.path()).iter().map(|(_, path)| fs::read_to_string(path).unwrap()).collect();
    texts.sort();
    assert_eq!(texts, ["first\n", "second\n"]);
}

#[test]
fn parts_are_rolled_by_size() {
    let dir = tempfile::tempdir().unwrap();
    let rolling = RollingPolicy { max_part_bytes: 10, ..RollingPolicy::default() };
    let mut writer = writer(&words(dir.path()).with_rolling_policy(rolling).with_suffix(".txt"));
    for word in ["123456", "12", "123", "1"] {
        write_words(&mut writer, &[word]);
    }
    commit(&finish(&mut writer));
    assert_eq!(names(dir.path()), ["part-3-0.txt", "part-3-1.txt"]);
    assert_eq!(text(dir.path(), "part-3-0.txt"), "123456\n12\n");
}

#[test]
fn parts_are_rolled_by_age_and_by_inactivity() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::default());
    let inactivity_interval = Duration::from_secs(20);
    let rolling = RollingPolicy { inactivity_interval, ..RollingPolicy::default() };
    let mut writer = writer_at(&words(dir.path()).with_rolling_policy(rolling), Arc::clone(&clock));
    let mut at = |seconds: i64, word: Option<&str>| {
        clock.0.store(seconds * 1000, Ordering::SeqCst);
        writer.on_processing_time(seconds * 1000).unwrap();
        if let Some(word) = word {
            write_words(&mut writer, &[word]);
        }
    };
    for (seconds, word) in [(0, "a"), (19, "b"), (38, "c"), (57, "d"), (60, "e: the first is old")] {
        at(seconds, Some(word));
    }
    at(79, None);
    at(80, Some("f: the second was not written for 20 s"));
    let parts = finish(&mut writer);
    let lengths: Vec<_> = parts.iter().map(|part| part.length).collect();
    assert_eq!(lengths, [8, 20, 39]);
}

#[test]
fn a_checkpoint_closes_the_part() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(&words(dir.path()));
    write_words(&mut writer, &["before"]);
    writer.flush(false).unwrap();
    let parts = writer.prepare_commit().unwrap();
    write_words(&mut writer, &["after"]);
    assert_eq!((parts.len(), parts[0].length), (1, 7));
    assert_eq!(finish(&mut writer).len(), 1);
}

#[test]
fn a_crash_at_any_step_of_a_commit_is_harmless() {
    let steps: [fn(&FileCommittable); 4] = [
        |_| {},
        |part| fs::write(&part.in_progress, "one\nsurplus of an attempt that failed").unwrap(),
        |part| fs::rename(&part.in_progress, &part.target).unwrap(),
        |part| FileCommitter.commit(part).unwrap(),
    ];
    for (step, happened) in steps.iter().enumerate() {
        let dir = tempfile::tempdir().unwrap();
        let mut writer = writer(&words(dir.path()));
        write_words(&mut writer, &["one"]);
        let parts = finish(&mut writer);
        happened(&parts[0]);
        let again = FileCommitter.commit(&parts[0]);
        assert_eq!(matches!(again, Err(CommitError::AlreadyCommitted)), step >= 2, "{again:?}");
        assert_eq!((again.is_ok(), names(dir.path())), (step < 2, vec!["part-3-0".to_owned()]));
        assert_eq!(text(dir.path(), "part-3-0"), "one\n");
    }
}

#[test]
fn a_part_that_is_lost_short_or_in_the_way_is_an_error_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let part = FileCommittable { in_progress: path(".p"), target: path("p"), length: 3 };
    let message = || FileCommitter.commit(&part).unwrap_err().to_string();
    assert!(message().contains("is missing"), "{}", message());
    fs::write(&part.in_progress, "12").unwrap();
    assert!(message().contains("holds 2 bytes where 3 were written"), "{}", message());
    fs::write(&part.target, "abc").unwrap();
    assert!(message().contains("another file of that name"), "{}", message());
    assert_eq!(fs::read_to_string(&part.target).unwrap(), "abc");
}

#[test]
fn a_directory_that_cannot_be_made_fails_before_any_record() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    let sink = words(&dir.path().join("file/out"));
    let context = sink_context(0, 1, Arc::new(ManualClock::default()));
    let error = sink.create_writer(&context).err().unwrap().to_string();
    assert!(error.contains("can't create directory") && error.contains("file/out"), "{error}");
}

#[cfg(any(feature = "csv", feature = "json"))]
#[derive(serde::Serialize)]
struct Row {
    name: &'static str,
    delay: Option<i32>,
}

#[cfg(any(feature = "csv", feature = "json"))]
fn rows() -> Vec<Row> {
    vec![Row { name: "a,b", delay: None }, Row { name: "c", delay: Some(-1) }]
}

#[cfg(feature = "csv")]
#[test]
fn csv_parts_each_begin_with_a_header() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(&FileSink::new(dir.path(), CsvEncoder::new()));
    write(&mut writer, rows());
    write(&mut writer, vec![Row { name: "d", delay: Some(2) }]);
    commit(&writer.prepare_commit().unwrap());
    write(&mut writer, rows());
    commit(&finish(&mut writer));
    assert_eq!(text(dir.path(), "part-3-0.csv"), "name,delay\n\"a,b\",\nc,-1\nd,2\n");
    assert_eq!(text(dir.path(), "part-3-1.csv"), "name,delay\n\"a,b\",\nc,-1\n");
}

#[cfg(feature = "json")]
#[test]
fn json_parts_hold_a_value_a_line() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = writer(&FileSink::new(dir.path(), JsonEncoder));
    write(&mut writer, rows());
    commit(&finish(&mut writer));
    assert_eq!(
        text(dir.path(), "part-3-0.jsonl"),
        "{\"name\":\"a,b\",\"delay\":null}\n{\"name\":\"c\",\"delay\":-1}\n"
    );
}
