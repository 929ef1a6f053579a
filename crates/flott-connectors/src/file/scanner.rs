//! Cuts the content of a split into lines.

use flott_runtime::error::FnResult;

use super::bad_record::{BadRecord, Column};
use super::content::{Content, newlines_before};
use super::error::FileError;
use super::split::{FileInfo, FileSplit};

const BUFFER_BYTES: usize = 128 << 10;

/// Longest record, which bounds a reader's memory: 256 MiB.
pub(super) const MAX_RECORD_BYTES: usize = 256 << 20;

/// Yields the lines that start in a split, without their line ends (`\n` or `\r\n`).
#[derive(Debug)]
pub(super) struct LineScanner {
    content: Content,
    file: FileInfo,
    /// Bytes `start..filled` were read from the content and not yet yielded.
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    /// Where `start` is in the content.
    offset: u64,
    end: Option<u64>,
    /// Lines taken since the content was opened.
    lines: u64,
    newlines_before: Option<u64>,
}

impl LineScanner {
    pub(super) fn open(split: &FileSplit) -> Result<Self, FileError> {
        match split.position {
            Some(position) => Self::at(split, position),
            None if split.start == 0 => Self::at(split, 0),
            None => {
                // The line that holds the byte before the split belongs to the previous one; if that byte ends
                // it, the first line of this split starts right here.
                let mut scanner = Self::at(split, split.start - 1)?;
                scanner.take_line()?;
                Ok(scanner)
            }
        }
    }

    fn at(split: &FileSplit, offset: u64) -> Result<Self, FileError> {
        let content = Content::open(&split.file, offset)?;
        Ok(Self {
            newlines_before: content.newlines_before(),
            content,
            file: split.file.clone(),
            buffer: vec![0; BUFFER_BYTES],
            start: 0,
            filled: 0,
            offset,
            end: split.end,
            lines: 0,
        })
    }

    /// Where the next line starts.
    pub(super) fn position(&self) -> u64 {
        self.offset
    }

    /// The next line that starts in the split.
    #[inline]
    pub(super) fn next_line(&mut self) -> Result<Option<&[u8]>, FileError> {
        if self.end.is_some_and(|end| self.offset >= end) {
            return Ok(None);
        }
        self.take_line()
    }

    #[inline]
    fn take_line(&mut self) -> Result<Option<&[u8]>, FileError> {
        let mut searched = 0;
        let (length, taken) = loop {
            let unread = &self.buffer[self.start..self.filled];
            if let Some(at) = memchr::memchr(b'\n', &unread[searched..]) {
                break (searched + at, searched + at + 1);
            }
            searched = unread.len();
            if !self.fill()? {
                if searched == 0 {
                    return Ok(None);
                }
                break (searched, searched);
            }
        };
        let line = &self.buffer[self.start..self.start + length];
        self.start += taken;
        self.offset += taken as u64;
        self.lines += 1;
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// Reads more behind what is there; false at the end of the content.
    fn fill(&mut self) -> Result<bool, FileError> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        if self.filled == self.buffer.len() {
            if self.filled >= MAX_RECORD_BYTES {
                let (path, offset) = (self.file.path.clone(), self.offset);
                return Err(FileError::RecordTooLong { path, offset, limit: MAX_RECORD_BYTES });
            }
            self.buffer.resize(self.filled * 2, 0);
        }
        let count = self.content.read_some(&mut self.buffer[self.filled..])?;
        self.filled += count;
        Ok(count > 0)
    }

    /// Describes the line taken last as a bad record.
    pub(super) fn describe(&mut self, raw: &[u8], column: u64, cause: String) -> FnResult<BadRecord> {
        let before = match self.newlines_before {
            Some(before) => before,
            None => newlines_before(&self.file, self.content.opened_at())?,
        };
        self.newlines_before = Some(before);
        Ok(BadRecord {
            file: self.file.path.clone(),
            line: before + self.lines,
            column: Some(Column { number: column, name: None }),
            cause,
            raw: String::from_utf8_lossy(raw).into_owned(),
        })
    }
}
