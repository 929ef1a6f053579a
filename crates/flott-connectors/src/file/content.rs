//! The unpacked bytes of a file from any offset on.

use std::fs::{File, Metadata};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::time::UNIX_EPOCH;

use flate2::bufread::MultiGzDecoder;

use super::error::FileError;
use super::split::{Compression, FileInfo};

/// Unpacked bytes are read and skipped in blocks of this size.
const BLOCK_BYTES: usize = 64 << 10;

/// Reads a file from an offset in its content. Errors name the file and the offset.
#[derive(Debug)]
pub struct Content {
    path: String,
    bytes: Bytes,
    offset: u64,
    opened_at: u64,
    newlines_before: Option<u64>,
}

#[derive(Debug)]
enum Bytes {
    /// At most as long as the file was when it was found, so that a record appended later is never half read.
    Plain(Take<File>),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

impl Content {
    /// Opens `file` so that reading begins at `offset` of the content. In a compressed file everything before is
    /// unpacked and thrown away.
    ///
    /// # Errors
    /// When the file can't be read, or has changed since it was found.
    pub fn open(file: &FileInfo, offset: u64) -> Result<Self, FileError> {
        let access = |cause| FileError::Access { action: "open", path: file.path.clone(), cause };
        let mut handle = File::open(&file.path).map_err(access)?;
        expect_unchanged(file, &handle.metadata().map_err(access)?)?;
        let path = file.path.clone();
        match file.compression {
            Compression::None => {
                handle.seek(SeekFrom::Start(offset)).map_err(access)?;
                let bytes = Bytes::Plain(handle.take(file.length.saturating_sub(offset)));
                let newlines_before = (offset == 0).then_some(0);
                Ok(Self { path, bytes, offset, opened_at: offset, newlines_before })
            }
            Compression::Gzip => {
                let decoder = MultiGzDecoder::new(BufReader::with_capacity(BLOCK_BYTES, handle));
                let bytes = Bytes::Gzip(Box::new(decoder));
                let mut content = Self { path, bytes, offset: 0, opened_at: offset, newlines_before: None };
                content.newlines_before = Some(content.skip(offset)?);
                Ok(content)
            }
        }
    }

    /// Path of the file.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The offset at which reading began.
    pub fn opened_at(&self) -> u64 {
        self.opened_at
    }

    /// The offset of the next byte to be read.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Line feeds before [`Content::opened_at`], where known without reading the file again.
    pub fn newlines_before(&self) -> Option<u64> {
        self.newlines_before
    }

    /// Reads some bytes; 0 at the end.
    ///
    /// # Errors
    /// When the system can't read on, a plain file has become shorter, or a gzip file is damaged.
    pub fn read_some(&mut self, into: &mut [u8]) -> Result<usize, FileError> {
        loop {
            let read = match &mut self.bytes {
                Bytes::Plain(file) => file.read(into),
                Bytes::Gzip(decoder) => decoder.read(into),
            };
            match read {
                Ok(0) if self.is_cut_off() && !into.is_empty() => {
                    let cause = io::Error::new(io::ErrorKind::UnexpectedEof, "the file has become shorter");
                    return Err(self.failed(cause));
                }
                Ok(count) => {
                    self.offset += count as u64;
                    return Ok(count);
                }
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(cause) => return Err(self.failed(cause)),
            }
        }
    }

    fn is_cut_off(&self) -> bool {
        matches!(&self.bytes, Bytes::Plain(file) if file.limit() > 0)
    }

    fn failed(&self, cause: io::Error) -> FileError {
        let of = if matches!(self.bytes, Bytes::Gzip(_)) { " of the unpacked content" } else { "" };
        FileError::Read { path: self.path.clone(), offset: self.offset, of, cause }
    }

    /// Reads on until `offset` and counts the line feeds on the way.
    fn skip(&mut self, offset: u64) -> Result<u64, FileError> {
        let mut block = vec![0; BLOCK_BYTES];
        let mut newlines = 0;
        while self.offset < offset {
            let wanted = usize::try_from(offset - self.offset).unwrap_or(BLOCK_BYTES).min(BLOCK_BYTES);
            let count = self.read_some(&mut block[..wanted])?;
            if count == 0 {
                let cause = io::Error::new(io::ErrorKind::UnexpectedEof, "the content has become shorter");
                return Err(self.failed(cause));
            }
            newlines += count_newlines(&block[..count]);
        }
        Ok(newlines)
    }
}

impl Read for Content {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_some(into).map_err(io::Error::other)
    }
}

/// The line feeds in `bytes`.
pub(super) fn count_newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// The line feeds of a file before `offset`, found by reading it from the beginning. Only errors need it.
pub(super) fn newlines_before(file: &FileInfo, offset: u64) -> Result<u64, FileError> {
    Content::open(file, 0)?.skip(offset)
}

/// When a file was last modified, in milliseconds since the epoch.
pub(super) fn modified_ms(metadata: &Metadata) -> io::Result<i64> {
    Ok(match metadata.modified()?.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    })
}

fn expect_unchanged(file: &FileInfo, metadata: &Metadata) -> Result<(), FileError> {
    let changed = |change| FileError::Changed { path: file.path.clone(), change };
    if metadata.len() != file.length {
        return Err(changed(format!("size then {} bytes, now {}", file.length, metadata.len())));
    }
    let modified = modified_ms(metadata);
    let modified =
        modified.map_err(|cause| FileError::Access { action: "inspect", path: file.path.clone(), cause })?;
    if modified != file.modified_ms {
        return Err(changed(format!("modified then at {} ms, now at {modified} ms", file.modified_ms)));
    }
    Ok(())
}
