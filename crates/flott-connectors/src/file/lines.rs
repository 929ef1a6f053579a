//! Text files: each line is a record.

use flott_runtime::error::FnResult;

use super::format::{Format, Progress, RecordReader};
use super::scanner::LineScanner;
use super::{FileSplit, Records};

/// Each line is a record, without its line end (`\n` or `\r\n`). Bytes that aren't UTF-8 make a bad record.
/// Flink: `TextLineInputFormat`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lines;

impl Format for Lines {
    type Record = String;
    type Reader = LineReader;

    fn is_splittable(&self) -> bool {
        true
    }

    fn open(&self, split: &FileSplit) -> FnResult<LineReader> {
        Ok(LineReader { scanner: LineScanner::open(split)? })
    }
}

/// Reads the lines of a split.
#[derive(Debug)]
pub struct LineReader {
    scanner: LineScanner,
}

impl RecordReader<String> for LineReader {
    fn read(&mut self, out: &mut Records<'_, '_, String>) -> FnResult<Progress> {
        while !out.is_full() {
            let Some(line) = self.scanner.next_line()? else { return Ok(Progress::SplitFinished) };
            match std::str::from_utf8(line) {
                Ok(text) => out.emit(text.to_owned(), line.len()),
                Err(error) => {
                    let (raw, column) = (line.to_vec(), error.valid_up_to() as u64 + 1);
                    let cause = format!("byte 0x{:02x} is not valid UTF-8", raw[error.valid_up_to()]);
                    out.bad(|| self.scanner.describe(&raw, column, cause))?;
                }
            }
        }
        Ok(Progress::More)
    }

    fn position(&self) -> u64 {
        self.scanner.position()
    }
}
