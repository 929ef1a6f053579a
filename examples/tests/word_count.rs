//! `word_count` against two other ways of counting the same words.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::{Compression, write::GzEncoder};
use support::{data, parts, succeed};

const WORD_COUNT: &str = env!("CARGO_BIN_EXE_word_count");

type Counts = BTreeMap<String, u64>;

/// The last count of each word, after proving that a word's counts are 1, 2, 3, …, all from one subtask.
fn last_counts(output: &Path) -> Result<Counts> {
    let mut counts = Counts::new();
    let mut subtasks: BTreeMap<String, String> = BTreeMap::new();
    for (name, text) in parts(output)? {
        let subtask = name.split('-').nth(2).context("a subtask in the name of a part")?;
        for line in text.lines() {
            let (word, count) = line.split_once('\t').with_context(|| format!("a tab in '{line}'"))?;
            let before = counts.insert(word.to_owned(), count.parse()?).unwrap_or(0);
            ensure!(counts[word] == before + 1, "'{word}' goes from {before} to {count}");
            let owner = subtasks.entry(word.to_owned()).or_insert_with(|| subtask.to_owned());
            ensure!(owner == subtask, "'{word}' comes from the subtasks {owner} and {subtask}");
        }
    }
    Ok(counts)
}

fn counted_by_hand(text: &str) -> Counts {
    let mut counts = Counts::new();
    for word in text.split_ascii_whitespace() {
        *counts.entry(word.to_owned()).or_insert(0) += 1;
    }
    counts
}

fn counted_by_shell(file: &Path) -> Result<Counts> {
    let output = Command::new("sh")
        .env("LC_ALL", "C")
        .args(["-c", "tr -s '[:space:]' '\\n' < \"$0\" | sort | uniq -c"])
        .arg(file)
        .output()?;
    ensure!(output.status.success(), "tr | sort | uniq: {}", output.status);
    let mut counts = Counts::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        match line.split_ascii_whitespace().collect::<Vec<_>>()[..] {
            [count, word] => counts.insert(word.to_owned(), count.parse()?),
            _ => bail!("uniq printed '{line}'"),
        };
    }
    Ok(counts)
}

/// Counts the Bible at this parallelism; returns the subtasks that wrote.
fn count_the_bible(parallelism: &str) -> Result<BTreeSet<String>> {
    count_the_bible_with(parallelism, &[])
}

/// Counts the Bible at this parallelism with more arguments.
fn count_the_bible_with(parallelism: &str, more: &[&str]) -> Result<BTreeSet<String>> {
    let output = tempfile::tempdir()?;
    let text = data("kjv.txt");
    let arguments = [
        "--input".as_ref(),
        text.as_os_str(),
        "--output".as_ref(),
        output.path().as_os_str(),
        "--parallelism".as_ref(),
        parallelism.as_ref(),
    ];
    succeed(WORD_COUNT, arguments.into_iter().chain(more.iter().map(OsStr::new)))?;

    let counts = last_counts(output.path())?;
    assert_eq!(counts, counted_by_hand(&fs::read_to_string(&text)?));
    assert_eq!(counts, counted_by_shell(&text)?);
    let lines: usize = parts(output.path())?.iter().map(|(_, text)| text.lines().count()).sum();
    assert_eq!(lines, 789_634, "an update for each word");
    Ok(parts(output.path())?
        .iter()
        .filter_map(|(name, _)| Some(name.split('-').nth(2)?.to_owned()))
        .collect())
}

#[test]
fn the_bible_is_counted_by_one_subtask() -> Result<()> {
    assert_eq!(count_the_bible("1")?.len(), 1);
    Ok(())
}

#[test]
fn the_bible_is_counted_by_two_subtasks() -> Result<()> {
    assert_eq!(count_the_bible("2")?.len(), 2);
    Ok(())
}

#[test]
fn the_bible_is_counted_by_four_subtasks() -> Result<()> {
    assert_eq!(count_the_bible("4")?.len(), 4);
    Ok(())
}

/// The same program, by configuration only.
#[cfg(feature = "rocksdb")]
#[test]
fn s104_the_bible_is_counted_on_disk() -> Result<()> {
    let local = tempfile::tempdir()?;
    let local_directory = format!("state.backend.rocksdb.localdir={}", local.path().display());
    let on_disk = ["-D", "state.backend.type=rocksdb", "-D", &local_directory];
    assert_eq!(count_the_bible_with("2", &on_disk)?.len(), 2);
    // Less memory than a batch needs, and the older spelling.
    let in_little_memory =
        ["-D", "state.backend=rocksdb", "-D", &local_directory, "-D", "taskmanager.memory.managed.size=1m"];
    assert_eq!(count_the_bible_with("1", &in_little_memory)?.len(), 1);
    assert_eq!(fs::read_dir(local.path())?.count(), 0, "the directories of the subtasks are gone");
    Ok(())
}

#[test]
fn a_directory_of_plain_and_packed_files_is_counted() -> Result<()> {
    let (input, output) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let text = fs::read_to_string(data("kjv.txt"))?;
    let (first, rest) = text.split_at(text.len() / 3);
    let (second, third) = rest.split_at(rest.len() / 2);
    fs::write(input.path().join("first.txt"), first)?;
    let mut packed = GzEncoder::new(File::create(input.path().join("second.txt.gz"))?, Compression::fast());
    packed.write_all(second.as_bytes())?;
    packed.finish()?;
    fs::create_dir(input.path().join("more"))?;
    fs::write(input.path().join("more/third.txt"), third)?;
    fs::write(input.path().join(".hidden"), "not counted")?;

    let arguments =
        [Path::new("--input"), input.path(), Path::new("--output"), output.path(), Path::new("-p2")];
    succeed(WORD_COUNT, arguments)?;

    // Where the text was cut, a word may have become two.
    let expected = counted_by_hand(&[first, second, third].join("\n"));
    assert_eq!(last_counts(output.path())?, expected);
    Ok(())
}

#[test]
fn a_packed_file_is_counted() -> Result<()> {
    let (input, output) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let (text, file) = (fs::read_to_string(data("kjv.txt"))?, input.path().join("kjv.txt.gz"));
    let mut packed = GzEncoder::new(File::create(&file)?, Compression::fast());
    packed.write_all(text.as_bytes())?;
    packed.finish()?;

    let arguments = [Path::new("--input"), &file, Path::new("--output"), output.path()];
    succeed(WORD_COUNT, arguments)?;

    assert_eq!(last_counts(output.path())?, counted_by_hand(&text));
    Ok(())
}

#[test]
fn counts_are_printed_without_an_output_directory() -> Result<()> {
    let input = tempfile::tempdir()?;
    fs::write(input.path().join("hamlet.txt"), "to be or\nnot to be\n")?;

    let printed = succeed(WORD_COUNT, [Path::new("-p1"), Path::new("--input"), input.path()])?;

    assert_eq!(printed, "to\t1\nbe\t1\nor\t1\nnot\t1\nto\t2\nbe\t2\n");
    Ok(())
}
