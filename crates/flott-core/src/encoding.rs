//! flott's one binary encoding, for network frames, RocksDB keys and values, and snapshots alike: *format 1*.
//!
//! The format is frozen: snapshots outlive code. A change would be a second format beside this one.
//!
//! | serde's data model | bytes |
//! |---|---|
//! | `i8` … `i128`, `u8` … `u128` | fixed width (1, 2, 4, 8, 16 bytes), little-endian, two's complement |
//! | `f32`, `f64` | the IEEE 754 bits, little-endian; every NaN keeps its bits |
//! | `bool` | one byte, 0 or 1 |
//! | `char` | its code point as `u32` |
//! | string, byte array | length in bytes as `u32`, then the bytes; a string is UTF-8 |
//! | option | one byte, 0 for none or 1 for some, then the value if any |
//! | unit, unit struct | nothing |
//! | newtype struct | the inner value |
//! | tuple, array, tuple struct, struct | the fields in order; no names, no count |
//! | sequence | element count as `u32`, then the elements |
//! | map | entry count as `u32`, then key and value of each entry |
//! | enum | variant index as `u32`, then the payload as unit, newtype, tuple or struct |
//!
//! Bytes don't describe themselves: they are read as the type that wrote them. Types whose `Deserialize` asks the
//! input what comes next (`#[serde(untagged)]`, `#[serde(flatten)]`, internally tagged enums, `serde_json::Value`)
//! can't be read, and a field that `skip_serializing_if` leaves out can't be written; both are errors that say so.
//!
//! # Limits
//!
//! What is written can be read: both directions keep the same limits.
//!
//! * A length or count is at most `u32::MAX`.
//! * Values nest at most [`MAX_DEPTH`] levels.
//! * A sequence or map may have more elements than its elements have bytes (a `Vec<()>` has none); these surplus
//!   elements, summed over the value, are at most [`MAX_WEIGHTLESS`].
//!
//! Hence reading bytes from anywhere ends in a value or a [`DecodeError`], never in a panic or an overflown stack,
//! and creates no more elements than the input's bytes plus [`MAX_WEIGHTLESS`] per level of nesting.

mod decoder;
mod encoder;
mod error;
mod sink;

pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};

pub(crate) use decoder::Input;

use decoder::Decoder;
use encoder::{Encoder, Output};
use serde::{Serialize, de::DeserializeOwned};
use sink::{Counter, Short, Sink};

/// Most levels that a value may nest. An option that holds a value, a newtype, tuple, struct, sequence or map, and
/// the payload of an enum are a level each.
pub const MAX_DEPTH: u32 = 128;

/// Most elements of sequences and maps in one value that no byte of the encoding stands for.
pub const MAX_WEIGHTLESS: usize = 1 << 16;

/// Appends the encoding of `value` to `into`, which an error leaves as it was.
///
/// # Errors
/// When the value's own `Serialize` fails, a limit of the format is passed, or a field is left out.
#[inline]
pub fn encode<T: Serialize + ?Sized>(value: &T, into: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = into.len();
    let result = write(value, &mut *into);
    if result.is_err() {
        into.truncate(start);
    }
    result
}

/// The encoding of `value` in a new vector. See [`encode`].
#[inline]
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    encode(value, &mut bytes)?;
    Ok(bytes)
}

/// The number of bytes that [`encode`] would append, found without allocating; queues bound their bytes by it.
///
/// # Errors
/// When [`encode`] would fail.
#[inline]
pub fn encoded_len<T: Serialize + ?Sized>(value: &T) -> Result<usize, EncodeError> {
    let mut counter = Counter::default();
    write(value, &mut counter)?;
    Ok(counter.len())
}

/// The encoding of `value` without an allocation, if it is short.
#[inline]
pub(crate) fn encode_short<const N: usize, T: Serialize + ?Sized>(
    value: &T,
) -> Result<Short<N>, EncodeError> {
    let mut short = Short::new();
    write(value, &mut short)?;
    Ok(short)
}

#[inline]
fn write<T: Serialize + ?Sized, S: Sink>(value: &T, sink: &mut S) -> Result<(), EncodeError> {
    let mut output = Output::new(sink);
    value.serialize(Encoder::new(&mut output)).map_err(EncodeError::while_encoding::<T>)
}

/// Reads the one value that `bytes` hold.
///
/// # Errors
/// When the bytes aren't exactly the encoding of a `T`, or the type can't be read from this format.
#[inline]
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, DecodeError> {
    let mut input = Input::new(bytes);
    let result = read(&mut input).and_then(|value| input.expect_end().map(|()| value));
    result.map_err(DecodeError::while_decoding::<T>)
}

/// Reads one value from the front of `bytes` and moves `bytes` past it; an error leaves `bytes` as it was.
///
/// # Errors
/// As [`decode`], but more bytes may follow.
#[inline]
pub fn decode_prefix<T: DeserializeOwned>(bytes: &mut &[u8]) -> Result<T, DecodeError> {
    let mut input = Input::new(bytes);
    let value = read(&mut input).map_err(DecodeError::while_decoding::<T>)?;
    *bytes = input.rest();
    Ok(value)
}

#[inline]
fn read<'de, T: serde::Deserialize<'de>>(input: &mut Input<'de>) -> Result<T, DecodeError> {
    let result = T::deserialize(Decoder::new(input));
    result.map_err(|error| error.at_if_unknown(input.offset()))
}

#[cfg(test)]
pub(crate) mod tests;
