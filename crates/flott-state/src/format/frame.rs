//! Magic numbers, versions and checksums.

use flott_core::encoding;
use serde::{Serialize, de::DeserializeOwned};
use xxhash_rust::xxh3::xxh3_64;

use super::Damage;

/// The version of the format that is written.
pub const FORMAT_VERSION: u32 = 1;

/// A kind of file: how it begins, and what it is called.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileKind {
    pub(super) magic: [u8; 8],
    pub(super) name: &'static str,
}

/// The state of subtasks.
pub(super) const STATE_FILE: FileKind = FileKind { magic: *b"FLTSTATE", name: "state file" };

/// The metadata of a snapshot.
pub(super) const METADATA: FileKind = FileKind { magic: *b"FLTSNAPS", name: "checkpoint metadata" };

/// The bytes of magic number and version.
pub(super) const HEADER_BYTES: usize = 12;

impl FileKind {
    pub(super) fn header(self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(&self.magic);
        header[8..].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        header
    }

    /// Checks the bytes that such a file begins with.
    pub(super) fn check_header(self, header: &[u8]) -> Result<(), Damage> {
        let Some((magic, version)) = header.split_first_chunk::<8>() else { return Err(self.refused()) };
        if *magic != self.magic {
            return Err(self.refused());
        }
        let version = version.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        match version {
            Some(FORMAT_VERSION) => Ok(()),
            Some(found) => Err(Damage::UnknownVersion { found, known: FORMAT_VERSION }),
            None => Err(self.refused()),
        }
    }

    pub(super) fn refused(self) -> Damage {
        Damage::NotThis { expected: self.name }
    }
}

/// What a body and its checksum are surrounded by at the end of a file: length and checksum of the body, magic number.
pub(super) const TRAILER_BYTES: usize = 24;

/// Appends `body` and the trailer that describes it; the result is its checksum.
pub(super) fn close(kind: FileKind, body: &[u8], into: &mut Vec<u8>) -> u64 {
    let checksum = xxh3_64(body);
    into.extend_from_slice(body);
    into.extend_from_slice(&(body.len() as u64).to_le_bytes());
    into.extend_from_slice(&checksum.to_le_bytes());
    into.extend_from_slice(&kind.magic);
    checksum
}

/// The last bytes of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trailer {
    pub(super) body_len: u64,
    pub(super) checksum: u64,
}

impl Trailer {
    /// Reads the trailer of a file of `size` bytes. What it says of the body's length fits the file.
    pub(super) fn read(kind: FileKind, bytes: &[u8], size: u64) -> Result<Self, Damage> {
        let number = |at: usize| {
            let bytes = bytes.get(at..at + 8)?;
            bytes.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
        };
        if bytes.get(16..) != Some(&kind.magic) {
            return Err(kind.refused());
        }
        let (Some(body_len), Some(checksum)) = (number(0), number(8)) else { return Err(kind.refused()) };
        let room = size.saturating_sub((HEADER_BYTES + TRAILER_BYTES) as u64);
        if body_len > room {
            return Err(Damage::Length { found: room, expected: body_len });
        }
        Ok(Self { body_len, checksum })
    }
}

/// Compares the checksum of bytes with what it should be.
pub(super) fn check(part: &'static str, bytes: &[u8], expected: u64) -> Result<(), Damage> {
    match xxh3_64(bytes) {
        found if found == expected => Ok(()),
        found => Err(Damage::Checksum { part, found, expected }),
    }
}

/// Reads a part whose checksum is right.
pub(super) fn decode<T: DeserializeOwned>(part: &'static str, bytes: &[u8]) -> Result<T, Damage> {
    encoding::decode(bytes).map_err(|error| Damage::Undecodable { part, error })
}

/// Writes a part.
pub(super) fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, encoding::EncodeError> {
    encoding::to_vec(value)
}
