//! The routing hash of a key of which only the encoding is there.

use xxhash_rust::xxh3::xxh3_64;

use super::mix64;
use crate::encoding::DecodeError;
use crate::schema::{Schema, Type, Value, decode_prefix};

/// [`key_hash`](super::key_hash) of the key at the front of `bytes`, which a type of this schema has written, without that
/// type. Moves `bytes` past the key.
///
/// # Errors
/// When the bytes aren't such a key, or the type is opaque.
pub fn encoded_key_hash(bytes: &mut &[u8], schema: &Schema) -> Result<u64, DecodeError> {
    let start = *bytes;
    let key = decode_prefix(bytes, schema)?;
    let encoding = &start[..start.len() - bytes.len()];
    Ok(match (schema.get(schema.bare(0)), &key) {
        (Type::I8 | Type::I16 | Type::I32 | Type::I64, Value::Int(value)) => mix64(*value as u64),
        (Type::U8 | Type::U16 | Type::U32 | Type::U64, Value::UInt(value)) => mix64(*value as u64),
        (Type::Bool, Value::Bool(value)) => mix64(u64::from(*value)),
        (Type::Char, Value::Str(text)) => mix64(text.chars().next().map_or(0, u64::from)),
        (Type::Str, Value::Str(text)) => xxh3_64(text.as_bytes()),
        (Type::Bytes, Value::Bytes(content)) => xxh3_64(content),
        _ => xxh3_64(encoding),
    })
}

#[cfg(test)]
mod tests;
