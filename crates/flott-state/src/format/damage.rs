//! The ways in which stored bytes are not what was written.

use flott_core::encoding::DecodeError;

/// What is wrong with a file of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Damage {
    /// It begins or ends with other bytes than such a file does.
    #[error("it is no {expected} of flott, or it is cut off")]
    NotThis {
        /// What it should be.
        expected: &'static str,
    },
    /// It was written in a format that came later.
    #[error(
        "it has format version {found}, and this flott reads up to {known}; use the flott that wrote it, or a newer one"
    )]
    UnknownVersion {
        /// The version of the file.
        found: u32,
        /// The newest version that can be read.
        known: u32,
    },
    /// Bytes have changed.
    #[error("the checksum of its {part} is {found:016x} and should be {expected:016x}")]
    Checksum {
        /// Which bytes.
        part: &'static str,
        /// The checksum of the bytes.
        found: u64,
        /// What it was when they were written.
        expected: u64,
    },
    /// It has another length than it says, or than is said of it.
    #[error("it has {found} bytes and should have {expected}")]
    Length {
        /// How many there are.
        found: u64,
        /// How many there should be.
        expected: u64,
    },
    /// It is whole, but not the file that was written.
    #[error(
        "it is another file than the checkpoint refers to: its checksum is {found:016x} and should be {expected:016x}"
    )]
    OtherFile {
        /// The checksum of the file.
        found: u64,
        /// The checksum in the handle.
        expected: u64,
    },
    /// A part can't be decoded although its checksum is right.
    #[error("its {part} can't be read: {error}")]
    Undecodable {
        /// Which part.
        part: &'static str,
        /// Why not.
        error: DecodeError,
    },
    /// The parts contradict each other.
    #[error("it contradicts itself: {what}")]
    Inconsistent {
        /// How.
        what: &'static str,
    },
}
