//! Keeps what a parser has read ahead, so that errors can show a row as it stands in the file.

use std::io::{self, Read};

use super::super::content::{Content, count_newlines};
use super::super::error::FileError;
use super::super::scanner::MAX_RECORD_BYTES;

/// Passes content on to the CSV parser and keeps it until [`Recorder::forget_before`].
#[derive(Debug)]
pub(super) struct Recorder {
    content: Content,
    kept: Vec<u8>,
    kept_from: u64,
    newlines_forgotten: u64,
}

impl Recorder {
    pub(super) fn new(content: Content) -> Self {
        Self { kept: Vec::new(), kept_from: content.offset(), newlines_forgotten: 0, content }
    }

    /// Bytes before `offset` won't be asked for again.
    pub(super) fn forget_before(&mut self, offset: u64) {
        let count = self.index(offset);
        self.newlines_forgotten += count_newlines(&self.kept[..count]);
        self.kept.drain(..count);
        self.kept_from += count as u64;
    }

    /// The first byte of the row that the parser reads from `offset` on: it leaves the second half of `\r\n`, and
    /// blank lines, to the row that follows.
    pub(super) fn start_of_row(&self, offset: u64) -> u64 {
        let rest = &self.kept[self.index(offset)..];
        offset + rest.iter().take_while(|&&byte| byte == b'\r' || byte == b'\n').count() as u64
    }

    pub(super) fn bytes(&self, from: u64, to: u64) -> &[u8] {
        &self.kept[self.index(from)..self.index(to)]
    }

    /// Line feeds between the place where the content was opened and `offset`.
    pub(super) fn newlines_until(&self, offset: u64) -> u64 {
        self.newlines_forgotten + count_newlines(&self.kept[..self.index(offset)])
    }

    fn index(&self, offset: u64) -> usize {
        usize::try_from(offset.saturating_sub(self.kept_from)).unwrap_or(usize::MAX).min(self.kept.len())
    }
}

impl Read for Recorder {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.kept.len() > MAX_RECORD_BYTES {
            let (path, offset) = (self.content.path().to_owned(), self.kept_from);
            return Err(io::Error::other(FileError::RecordTooLong { path, offset, limit: MAX_RECORD_BYTES }));
        }
        let count = self.content.read(into)?;
        self.kept.extend_from_slice(&into[..count]);
        Ok(count)
    }
}
