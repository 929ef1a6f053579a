//! Cuts a stream of bytes into lines.

use super::SocketSource;
use super::error::SocketError;

/// Bytes that no delimiter has ended yet, and how many lines came before.
#[derive(Debug)]
pub(super) struct LineSplitter {
    address: String,
    delimiter: Vec<u8>,
    max_line_bytes: usize,
    rest: Vec<u8>,
    /// Up to here `rest` is known to hold no delimiter.
    searched: usize,
    lines: u64,
}

impl LineSplitter {
    pub(super) fn new(source: &SocketSource) -> Self {
        Self {
            address: source.address(),
            delimiter: source.delimiter.clone().into_bytes(),
            max_line_bytes: source.max_line_bytes,
            rest: Vec::new(),
            searched: 0,
            lines: 0,
        }
    }

    /// Takes bytes as they arrive and appends the lines that they end. An error leaves the lines before it.
    pub(super) fn feed(&mut self, bytes: &[u8], lines: &mut Vec<String>) -> Result<(), SocketError> {
        self.rest.extend_from_slice(bytes);
        let rest = std::mem::take(&mut self.rest);
        let mut start = 0;
        let mut from = self.searched;
        while let Some(at) = memchr::memmem::find(&rest[from..], &self.delimiter) {
            lines.push(self.line(&rest[start..from + at])?);
            start = from + at + self.delimiter.len();
            from = start;
        }
        self.rest = rest;
        self.rest.drain(..start);
        // A delimiter may have begun in the last bytes.
        self.searched = self.rest.len().saturating_sub(self.delimiter.len() - 1);
        if self.rest.len() > self.max_line_bytes {
            return Err(self.too_long());
        }
        Ok(())
    }

    /// The connection has ended: what is there is the last line.
    pub(super) fn finish(&mut self) -> Result<Option<String>, SocketError> {
        self.searched = 0;
        let rest = std::mem::take(&mut self.rest);
        if rest.is_empty() { Ok(None) } else { self.line(&rest).map(Some) }
    }

    fn line(&mut self, bytes: &[u8]) -> Result<String, SocketError> {
        if bytes.len() > self.max_line_bytes {
            return Err(self.too_long());
        }
        self.lines += 1;
        let bytes = match self.delimiter.as_slice() {
            b"\n" => bytes.strip_suffix(b"\r").unwrap_or(bytes),
            _ => bytes,
        };
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => Err(SocketError::NotUtf8 {
                address: self.address.clone(),
                line: self.lines,
                byte: error.valid_up_to() + 1,
            }),
        }
    }

    fn too_long(&self) -> SocketError {
        SocketError::TooLong {
            address: self.address.clone(),
            line: self.lines + 1,
            limit: self.max_line_bytes,
        }
    }
}
