//! Running counts of the words of a text, one output per word.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use flott::prelude::*;
use flott_connectors::file::FileSource;
use hashbrown::HashMap;

use super::{compare, environment};
use crate::Options;
use crate::event::checksum;
use crate::report::Report;
use crate::sinks::ChecksumSink;

/// How often the text is repeated, so that a run takes long enough to be measured.
const REPEAT: usize = 10;

pub(super) fn run(options: &Options) -> Result<Report> {
    let text = std::fs::read(&options.input)
        .with_context(|| format!("can't read {}: name a text with --input", options.input.display()))?;
    let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
    let mut file = tempfile::NamedTempFile::new()?;
    for _ in 0..REPEAT {
        file.write_all(&text)?;
    }
    file.flush()?;
    let path = file.path();
    compare("word_count", options, (words * REPEAT) as u64, || flott(options, path), || limit(path))
}

fn flott(options: &Options, path: &Path) -> Result<u64> {
    let env = environment(options);
    let (sink, sum) = ChecksumSink::new(|(word, count): &(String, i64)| checksum(word.len() as u64, *count));
    env.from_source(FileSource::lines(path), WatermarkStrategy::no_watermarks(), "text")
        .flat_map(|line: String, out: &mut Collector<'_, (String, i64)>| {
            line.split_ascii_whitespace().for_each(|word| out.collect((word.to_owned(), 1)));
        })
        .key_by_ref(|(word, _)| word)
        .sum(|(_, count)| count)
        .sink_to(sink);
    env.execute()?;
    Ok(sum.load(Ordering::Relaxed))
}

fn limit(path: &Path) -> u64 {
    let Ok(file) = std::fs::File::open(path) else { return 0 };
    let mut counts: HashMap<String, i64> = HashMap::new();
    let mut total = 0_u64;
    for line in BufReader::new(file).lines().map_while(std::result::Result::ok) {
        for word in line.split_ascii_whitespace() {
            let count = counts.entry(word.to_owned()).or_insert(0);
            *count += 1;
            total = total.wrapping_add(checksum(word.len() as u64, *count));
        }
    }
    total
}
