//! JSON lines: each line is a JSON value.

use std::marker::PhantomData;

use flott_core::Data;
use flott_runtime::error::FnResult;

use super::format::{Format, Progress, RecordReader};
use super::scanner::LineScanner;
use super::{FileSplit, Records};

/// Each line is one JSON value that serde reads as a `T`. Blank lines hold no record.
#[derive(Debug)]
pub struct JsonLines<T>(PhantomData<fn() -> T>);

impl<T> JsonLines<T> {
    /// The format for this type.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Default for JsonLines<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Clone for JsonLines<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T: Data> Format for JsonLines<T> {
    type Record = T;
    type Reader = JsonReader;

    fn is_splittable(&self) -> bool {
        true
    }

    fn open(&self, split: &FileSplit) -> FnResult<JsonReader> {
        Ok(JsonReader { scanner: LineScanner::open(split)? })
    }
}

/// Reads the values of a split.
#[derive(Debug)]
pub struct JsonReader {
    scanner: LineScanner,
}

impl<T: Data> RecordReader<T> for JsonReader {
    fn read(&mut self, out: &mut Records<'_, '_, T>) -> FnResult<Progress> {
        while !out.is_full() {
            let Some(line) = self.scanner.next_line()? else { return Ok(Progress::SplitFinished) };
            if line.trim_ascii().is_empty() {
                out.pass_over(line.len());
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(record) => out.emit(record, line.len()),
                Err(error) => {
                    let raw = line.to_vec();
                    out.bad(|| self.scanner.describe(&raw, error.column() as u64, cause(&error)))?;
                }
            }
        }
        Ok(Progress::More)
    }

    fn position(&self) -> u64 {
        self.scanner.position()
    }
}

/// The error without the position in the line, which would look like a position in the file.
fn cause(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&place).map(str::to_owned).unwrap_or(message)
}
