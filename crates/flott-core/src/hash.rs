//! The routing hash of keys.

use crate::encoding::{self, EncodeError};
use serde::Serialize;
use std::cell::Cell;
use xxhash_rust::xxh3::xxh3_64;

mod encoded;
mod scalar;

pub use encoded::encoded_key_hash;
use scalar::{NoScalar, ScalarHasher};

/// Longest encoding of a key that is hashed on the stack.
const SHORT_KEY_BYTES: usize = 64;

/// Most bytes of scratch memory that a thread keeps between two keys.
const KEPT_SCRATCH_BYTES: usize = 64 * 1024;

thread_local! {
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The routing hash of a key: it decides the key group ([`crate::key_group::key_place`]) and is reused by the state
/// tables, so that a key is hashed once. (Flink: `hashCode` and its murmur mixer.)
///
/// Frozen, as it decides which key group of a snapshot holds a key:
///
/// * An integer of up to 64 bits, a bool (0 or 1) or a char (its code point) is extended to 64 bits — signed
///   integers with their sign, others with zeros — and mixed by [`mix64`]. Keys of different integer types and the
///   same value therefore hash alike.
/// * A string or byte array (serde's `bytes`, not a `Vec<u8>`) hashes to the XXH3-64 with seed 0 of its bytes alone.
/// * Anything else — 128-bit integers, floats, options, tuples, structs, enums, sequences, maps, units — hashes to
///   the XXH3-64 with seed 0 of its encoding ([`crate::encoding`], format 1).
///
/// A newtype struct hashes as the value inside. Keys of the first two kinds, and others whose encoding has up to 64
/// bytes, are hashed without an allocation; for longer ones the thread keeps a scratch buffer. A key of the third
/// kind has its `Serialize` called two or three times.
///
/// # Errors
/// When the key can't be encoded: its `Serialize` fails or a limit of the format is passed.
#[inline]
pub fn key_hash<K: Serialize + ?Sized>(key: &K) -> Result<u64, EncodeError> {
    match key.serialize(ScalarHasher) {
        Ok(hash) => Ok(hash),
        Err(NoScalar) => composite_hash(key, long_hash),
    }
}

/// [`key_hash`] with the caller's scratch buffer in place of the thread's, for long keys that aren't scalars. The
/// buffer's content is lost.
///
/// # Errors
/// As [`key_hash`].
#[inline]
pub fn key_hash_with<K: Serialize + ?Sized>(key: &K, scratch: &mut Vec<u8>) -> Result<u64, EncodeError> {
    match key.serialize(ScalarHasher) {
        Ok(hash) => Ok(hash),
        Err(NoScalar) => composite_hash(key, |key| long_hash_with(key, scratch)),
    }
}

/// Mixes 64 bits so that every input bit sways every output bit; bijective, 0 stays 0. This is the output function
/// of SplitMix64: variant 13 of Stafford's finalisers for murmur3. Frozen.
#[inline]
pub const fn mix64(value: u64) -> u64 {
    let mut z = value;
    z ^= z >> 30;
    z = z.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^= z >> 27;
    z = z.wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Hashes a key that is no scalar: on the stack if it is short, or else in the buffer that `with_scratch` lends.
#[inline]
fn composite_hash<K: Serialize + ?Sized>(
    key: &K,
    with_scratch: impl FnOnce(&K) -> Result<u64, EncodeError>,
) -> Result<u64, EncodeError> {
    let short = encoding::encode_short::<SHORT_KEY_BYTES, K>(key)?;
    match short.bytes() {
        Some(bytes) => Ok(xxh3_64(bytes)),
        None => with_scratch(key),
    }
}

fn long_hash<K: Serialize + ?Sized>(key: &K) -> Result<u64, EncodeError> {
    // Taken and given back rather than borrowed: a key's `Serialize` may itself hash a key. At the thread's end
    // the slot may be gone already, and then a fresh buffer serves.
    let mut scratch = SCRATCH.try_with(Cell::take).unwrap_or_default();
    let hash = long_hash_with(key, &mut scratch);
    if scratch.capacity() <= KEPT_SCRATCH_BYTES {
        let _ = SCRATCH.try_with(|slot| slot.set(scratch));
    }
    hash
}

fn long_hash_with<K: Serialize + ?Sized>(key: &K, scratch: &mut Vec<u8>) -> Result<u64, EncodeError> {
    scratch.clear();
    encoding::encode(key, scratch)?;
    Ok(xxh3_64(scratch))
}

#[cfg(test)]
mod tests;
