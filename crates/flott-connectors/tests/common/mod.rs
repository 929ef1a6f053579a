//! A source driven by hand: one enumerator, some readers, in a fixed order.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that can't go on has failed")]
#![allow(dead_code, unreachable_pub, reason = "each test file includes this one and uses a part")]

use std::sync::Arc;

use flott_connectors::file::{FileEnumeratorState, FileSource, FileSplit, Format};
use flott_runtime::error::FnResult;
use flott_runtime::seam::SystemClock;
use flott_runtime::source::testing::{EnumeratorHarness, ReaderHarness};
use flott_runtime::source::{InputStatus, Source};

pub const KJV: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/kjv.txt");

pub type Enumerator = EnumeratorHarness<FileSplit, FileEnumeratorState>;
pub type Reader<T> = ReaderHarness<T, FileSplit>;

pub fn enumerator<F: Format>(source: &FileSource<F>, parallelism: u32) -> FnResult<Enumerator> {
    let mut enumerator = EnumeratorHarness::new(source.create_enumerator()?, parallelism);
    enumerator.start()?;
    Ok(enumerator)
}

pub fn restored<F: Format>(
    source: &FileSource<F>,
    state: FileEnumeratorState,
    parallelism: u32,
) -> Enumerator {
    let mut enumerator = EnumeratorHarness::new(source.restore_enumerator(state).unwrap(), parallelism);
    enumerator.start().unwrap();
    enumerator
}

pub fn reader<F: Format>(source: &FileSource<F>, subtask: u32, parallelism: u32) -> Reader<F::Record> {
    let mut reader = ReaderHarness::new(source, subtask, parallelism, Arc::new(SystemClock::new())).unwrap();
    reader.reader().start().unwrap();
    reader
}

/// Passes a reader's requests on to the enumerator and the answers back.
pub fn serve<T: flott_core::Data>(
    enumerator: &mut Enumerator,
    subtask: u32,
    reader: &mut Reader<T>,
) -> FnResult {
    for _ in 0..reader.take_requests() {
        let decided = enumerator.request_split(subtask)?;
        let splits: Vec<FileSplit> = decided.assigned.into_iter().map(|(_, split)| split).collect();
        reader.reader().add_splits(splits)?;
        if decided.no_more_splits.contains(&subtask) {
            reader.reader().notify_no_more_splits();
        }
    }
    Ok(())
}

/// Everything that `parallelism` readers read in turns, in one vector for each reader.
pub fn read_by_subtask<F: Format>(source: &FileSource<F>, parallelism: u32) -> FnResult<Vec<Vec<F::Record>>> {
    let mut enumerator = enumerator(source, parallelism)?;
    let mut readers: Vec<_> = (0..parallelism).map(|subtask| reader(source, subtask, parallelism)).collect();
    let mut records: Vec<Vec<F::Record>> = (0..parallelism).map(|_| Vec::new()).collect();
    let mut open = readers.len();
    while open > 0 {
        open = 0;
        for (subtask, reader) in readers.iter_mut().enumerate() {
            serve(&mut enumerator, subtask as u32, reader)?;
            let (mut batch, status) = reader.poll()?;
            records[subtask].append(&mut batch);
            open += usize::from(status != InputStatus::EndOfInput);
        }
    }
    Ok(records)
}

/// Everything that one reader reads.
pub fn read_all<F: Format>(source: &FileSource<F>) -> FnResult<Vec<F::Record>> {
    Ok(read_by_subtask(source, 1)?.remove(0))
}

/// The message of the error that reading ends in.
pub fn read_error<F: Format>(source: &FileSource<F>) -> String {
    read_all(source).err().expect("reading should fail").to_string()
}
