//! A value of any type, as it was read by its schema.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeMap};

/// A value that describes itself: for tools, which don't have the type.
///
/// Serialized the way serde's data model goes into JSON: structs as maps, unit variants as their names, other variants
/// as a map of one entry, byte arrays as sequences. Keys of maps that aren't strings are written as the text that they
/// are displayed as, for JSON takes no other. Newtypes leave no trace.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it themselves")]
pub enum Value {
    Bool(bool),
    /// A signed integer of any width.
    Int(i128),
    /// An unsigned integer of any width.
    UInt(u128),
    F32(f32),
    F64(f64),
    /// A string or char.
    Str(String),
    Bytes(Vec<u8>),
    Unit,
    None,
    Some(Box<Value>),
    Seq(Vec<Value>),
    Map(Vec<(Value, Value)>),
    Tuple(Vec<Value>),
    /// Names and values of the fields.
    Struct(Vec<(String, Value)>),
    /// Name and payload of a variant.
    Variant(String, Box<Value>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => match i64::try_from(*value) {
                Ok(value) => serializer.serialize_i64(value),
                Err(_) => serializer.serialize_i128(*value),
            },
            Self::UInt(value) => match u64::try_from(*value) {
                Ok(value) => serializer.serialize_u64(value),
                Err(_) => serializer.serialize_u128(*value),
            },
            Self::F32(value) => serializer.serialize_f32(*value),
            Self::F64(value) => serializer.serialize_f64(*value),
            Self::Str(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_bytes(bytes),
            Self::Unit => serializer.serialize_unit(),
            Self::None => serializer.serialize_none(),
            Self::Some(value) => serializer.serialize_some(value),
            Self::Seq(values) | Self::Tuple(values) => serializer.collect_seq(values),
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    match key {
                        Self::Str(text) => map.serialize_entry(text, value)?,
                        other => map.serialize_entry(&other.to_string(), value)?,
                    }
                }
                map.end()
            }
            Self::Struct(fields) => serializer.collect_map(fields.iter().map(|(name, value)| (name, value))),
            Self::Variant(name, payload) => match &**payload {
                Self::Unit => serializer.serialize_str(name),
                payload => serializer.collect_map([(name, payload)]),
            },
        }
    }
}

/// Rust-like, on one line.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::UInt(value) => write!(f, "{value}"),
            Self::F32(value) => write!(f, "{value}"),
            Self::F64(value) => write!(f, "{value}"),
            Self::Str(text) => f.write_str(text),
            Self::Bytes(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Self::Unit => f.write_str("()"),
            Self::None => f.write_str("none"),
            Self::Some(value) => value.fmt(f),
            Self::Seq(values) => list(f, "[]", values, |f, value| value.fmt(f)),
            Self::Tuple(values) => list(f, "()", values, |f, value| value.fmt(f)),
            Self::Map(entries) => list(f, "{}", entries, |f, (key, value)| write!(f, "{key}: {value}")),
            Self::Struct(fields) => list(f, "{}", fields, |f, (name, value)| write!(f, "{name}: {value}")),
            Self::Variant(name, payload) => match &**payload {
                Self::Unit => f.write_str(name),
                payload @ (Self::Tuple(_) | Self::Struct(_)) => write!(f, "{name}{payload}"),
                payload => write!(f, "{name}({payload})"),
            },
        }
    }
}

fn list<T>(
    f: &mut fmt::Formatter<'_>,
    brackets: &str,
    items: &[T],
    item: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    let (open, close) = brackets.split_at(1);
    f.write_str(open)?;
    for (at, one) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        item(f, one)?;
    }
    f.write_str(close)
}
